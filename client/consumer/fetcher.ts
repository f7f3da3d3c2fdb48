/**
 * Keeps the queues of the assigned partitions filled: one Fetch request at a time to every broker that leads (or, KIP-392,
 * is the preferred replica of) a partition with room. Runs in the wake phase, so that all that changed in a turn makes one
 * request. Whoever changes positions, pauses, leaders or queues touches it.
 *
 * Bounds: `queued.min.messages` a partition, `queued.max.messages.kbytes` for all, plus what one answer may bring.
 */
import { Fetch, type FetchResponse } from '../../common/protocol/apis/01-fetch.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { ZERO_UUID } from '../../common/protocol/schema.ts'
import type { Wakeable } from '../../common/runtime/reactor.ts'
import type { Timer } from '../../common/runtime/scheduler.ts'
import type { ClientCore } from '../client-core.ts'
import type { Broker } from '../connections/broker.ts'
import type { RequestResult } from '../connections/request.ts'
import type { KafkaError } from '../errors.ts'
import type { AssignedPartition } from './assigned-partition.ts'
import type { Assignment } from './assignment.ts'
import type { DeliveryQueue } from './delivery-queue.ts'
import { FetchSession, type SessionPartition } from './fetch-session.ts'

export type FetchAnswer = FetchResponse['responses'][number]['partitions'][number]

/** What was asked for one partition; an answer to another version is of no use. */
export interface Asked {
  readonly partition: AssignedPartition
  readonly version: number
  readonly fetchOffset: number
  readonly nodeId: number
}

export interface FetchAnswers {
  /** Takes over what came for a partition. */
  answered(asked: Asked, answer: FetchAnswer): void
  /** The request failed as a whole. */
  failed(asked: Asked, error: KafkaError): void
  /** Leaders that the answer named (KIP-951). */
  learn(response: FetchResponse): void
}

interface NodeFetch {
  readonly session: FetchSession
  /** Or answered, and what it brought goes to the application first. */
  isInFlight: boolean
  /** Monotonic time before which nothing is sent after a failure. */
  retryAtMs: number
}

/** So many messages or fewer are handed over before the next request is made. */
const fewMessages = 8

/** Session errors: the session is made anew, and the partitions are asked for again at once. */
const sessionErrors: ReadonlySet<number> = new Set([
  ErrorCode.FETCH_SESSION_ID_NOT_FOUND,
  ErrorCode.INVALID_FETCH_SESSION_EPOCH,
  ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR,
])

export class Fetcher implements Wakeable {
  readonly #core: ClientCore
  readonly #assignment: Assignment
  readonly #delivery: DeliveryQueue
  readonly #answers: FetchAnswers
  readonly #nodes = new Map<number, NodeFetch>()
  readonly #minMessages: number
  readonly #maxQueuedBytes: number
  #timer: Timer | undefined
  #isStopped = false

  constructor(core: ClientCore, assignment: Assignment, delivery: DeliveryQueue, answers: FetchAnswers) {
    this.#core = core
    this.#assignment = assignment
    this.#delivery = delivery
    this.#answers = answers
    this.#minMessages = core.config.get('queued.min.messages')
    this.#maxQueuedBytes = core.config.get('queued.max.messages.kbytes') * 1024
  }

  touch(): void {
    if (!this.#isStopped) this.#core.runtime.reactor.touch(this)
  }

  /** A position jumped: the broker must look at the partition afresh, or it would not tell of an end it told before. */
  positionJumped(): void {
    for (const node of this.#nodes.values()) node.session.restart()
    this.touch()
  }

  /** A chunk was used up. */
  drained(partition: AssignedPartition): void {
    if (partition.heldUntilMs > 0 || this.#delivery.bufferedBytes >= this.#maxQueuedBytes / 2) this.touch()
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  wake(): void {
    if (this.#isStopped) return
    this.#timer?.cancel()
    this.#timer = undefined
    const nowMs = this.#core.runtime.clock.monotonicMs()
    const byNode = new Map<number, AssignedPartition[]>()
    let nextMs = Number.POSITIVE_INFINITY
    for (const partition of this.#assignment.all()) {
      const atMs = this.#fetchableAtMs(partition, nowMs)
      if (atMs > nowMs) {
        nextMs = Math.min(nextMs, atMs)
        continue
      }
      const nodeId = this.#nodeOf(partition, nowMs)
      if (nodeId < 0) continue
      const partitions = byNode.get(nodeId)
      if (partitions === undefined) byNode.set(nodeId, [partition])
      else partitions.push(partition)
    }
    for (const [nodeId, partitions] of byNode)
      nextMs = Math.min(nextMs, this.#fetch(nodeId, partitions, nowMs))
    if (nextMs !== Number.POSITIVE_INFINITY) {
      const { scheduler } = this.#core.runtime
      this.#timer = scheduler.schedule('fetching again', Math.max(0, nextMs - nowMs), () => this.touch())
    }
  }

  /** Monotonic time from which the partition may be fetched; infinite while something has to happen first. */
  #fetchableAtMs(partition: AssignedPartition, nowMs: number): number {
    if (partition.state !== 'active' || partition.isPaused) return Number.POSITIVE_INFINITY
    const { bufferedBytes } = this.#delivery
    const isFull = partition.queuedMessages >= this.#minMessages || bufferedBytes >= this.#maxQueuedBytes
    if (isFull) {
      const backoffMs = this.#core.config.get('fetch.queue.backoff.ms')
      if (partition.heldUntilMs <= nowMs) partition.heldUntilMs = nowMs + Math.max(1, backoffMs)
      return partition.heldUntilMs
    }
    const isDrained =
      partition.queuedMessages <= this.#minMessages / 2 && bufferedBytes <= this.#maxQueuedBytes / 2
    if (isDrained) partition.heldUntilMs = 0
    return Math.max(partition.retryAtMs, partition.heldUntilMs)
  }

  /** -1 while no broker is known. */
  #nodeOf(partition: AssignedPartition, nowMs: number): number {
    const { metadata, pool } = this.#core
    const { preferredReplica } = partition
    if (preferredReplica !== undefined) {
      const broker = pool.byId(preferredReplica.nodeId)
      if (broker !== undefined && !broker.hasFailed && preferredReplica.untilMs > nowMs)
        return preferredReplica.nodeId
      partition.preferredReplica = undefined
    }
    const leaderId = metadata.cache.partition(partition.topic, partition.id)?.leaderId ?? -1
    if (leaderId >= 0 && pool.byId(leaderId) !== undefined) return leaderId
    metadata.refreshSoon(`${partition.key} needs a leader`)
    return -1
  }

  /** @returns monotonic time at which to come again; infinite when an event will tell */
  #fetch(nodeId: number, partitions: readonly AssignedPartition[], nowMs: number): number {
    const broker = this.#core.pool.byId(nodeId)
    if (broker === undefined) return Number.POSITIVE_INFINITY
    let node = this.#nodes.get(nodeId)
    if (node === undefined) {
      node = { session: new FetchSession(), isInFlight: false, retryAtMs: 0 }
      this.#nodes.set(nodeId, node)
    }
    if (node.isInFlight) return Number.POSITIVE_INFINITY
    if (node.retryAtMs > nowMs) return node.retryAtMs
    if (!broker.isUp) {
      broker.connect()
      return Number.POSITIVE_INFINITY
    }
    this.#send(broker, node, partitions)
    return Number.POSITIVE_INFINITY
  }

  #send(broker: Broker, node: NodeFetch, partitions: readonly AssignedPartition[]): void {
    const { config, metadata } = this.#core
    const { nodeId } = broker
    const asked = new Map<string, Asked>()
    const wanted = new Map<string, SessionPartition>()
    for (const partition of partitions) {
      const topicId = metadata.cache.topic(partition.topic)?.topicId ?? ZERO_UUID
      const leader = metadata.cache.partition(partition.topic, partition.id)
      asked.set(partition.key, {
        partition,
        version: partition.version,
        fetchOffset: partition.fetchOffset,
        nodeId,
      })
      wanted.set(partition.key, {
        topic: partition.topic,
        topicId,
        partition: partition.id,
        fetchOffset: partition.fetchOffset,
        currentLeaderEpoch: leader?.leaderEpoch ?? -1,
        maxBytes: partition.maxBytes,
      })
    }
    const knowsIds = [...wanted.values()].every(({ topicId }) => topicId !== ZERO_UUID)
    const roomBytes = this.#maxQueuedBytes - this.#delivery.bufferedBytes
    const maxWaitMs = config.get('fetch.wait.max.ms')
    node.isInFlight = true
    broker.request({
      api: Fetch,
      body: (version) => ({
        replicaId: -1,
        maxWaitMs,
        minBytes: config.get('fetch.min.bytes'),
        maxBytes: Math.min(
          config.get('fetch.max.bytes'),
          Math.max(config.get('fetch.message.max.bytes'), roomBytes),
        ),
        isolationLevel: config.get('isolation.level') === 'read_committed' ? 1 : 0,
        rackId: config.get('client.rack'),
        ...(version >= 7 ? node.session.request(wanted) : fullRequest(wanted)),
      }),
      // Version 13 names topics by id (KIP-516).
      ...(knowsIds ? {} : { maxVersion: 12 }),
      timeoutMs: config.get('socket.timeout.ms') + maxWaitMs,
      done: (result) => {
        const isAwaited = this.#core.events.isAwaited
        this.#answered(node, asked, wanted, result)
        this.#fetchOn(node, isAwaited)
      },
    })
  }

  /**
   * The next request of the node. A few messages that a call waits for reach it first: making and writing a request takes longer than
   * handing them over. With more at hand, the broker works while the application does.
   */
  #fetchOn(node: NodeFetch, isAwaited: boolean): void {
    const { bufferedMessages } = this.#delivery
    const fetchOn = (): void => {
      node.isInFlight = false
      this.touch()
    }
    if (isAwaited && bufferedMessages > 0 && bufferedMessages <= fewMessages) {
      this.#core.runtime.reactor.postAfterInput(fetchOn)
    } else fetchOn()
  }

  #answered(
    node: NodeFetch,
    asked: ReadonlyMap<string, Asked>,
    wanted: ReadonlyMap<string, SessionPartition>,
    result: RequestResult<typeof Fetch>,
  ): void {
    if (this.#isStopped) return
    const { runtime, config } = this.#core
    if (!result.ok) {
      node.session.reset()
      node.retryAtMs = runtime.clock.monotonicMs() + config.get('retry.backoff.ms')
      for (const one of asked.values()) this.#answers.failed(one, result.error)
      return
    }
    const { response } = result
    if (response.errorCode !== ErrorCode.NONE) {
      node.session.reset()
      if (!sessionErrors.has(response.errorCode))
        node.retryAtMs = runtime.clock.monotonicMs() + config.get('fetch.error.backoff.ms')
      return
    }
    node.session.answered(response.sessionId)
    const keys = new Map<string, string>()
    for (const [key, { topic, topicId, partition }] of wanted) {
      keys.set(`${topic}/${partition}`, key)
      if (topicId !== ZERO_UUID) keys.set(`${topicId}/${partition}`, key)
    }
    this.#answers.learn(response)
    for (const { topic, topicId, partitions } of response.responses) {
      for (const answer of partitions) {
        const key = keys.get(`${topic === '' ? topicId : topic}/${answer.partitionIndex}`)
        const one = key === undefined ? undefined : asked.get(key)
        if (one !== undefined) this.#answers.answered(one, answer)
      }
    }
  }
}

function fullRequest(wanted: ReadonlyMap<string, SessionPartition>) {
  const { topics } = new FetchSession().request(wanted)
  return { topics }
}
