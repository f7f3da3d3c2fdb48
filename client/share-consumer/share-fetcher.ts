/**
 * Acquires records of the assigned partitions from their leaders, and carries verdicts back to the leaders that gave the records: one
 * request at a time to every broker, since the epochs of a share session count them. Records are asked for only while the application
 * waits in `poll`: they are locked for this member from the moment they are acquired, so nothing is acquired ahead.
 *
 * Verdicts travel with the next fetch when there is one, else in a ShareAcknowledge.
 */
import { ShareFetch, type ShareFetchResponse } from '../../common/protocol/apis/78-share-fetch.ts'
import {
  ShareAcknowledge,
  type ShareAcknowledgeResponse,
} from '../../common/protocol/apis/79-share-acknowledge.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { Wakeable } from '../../common/runtime/reactor.ts'
import type { Timer } from '../../common/runtime/scheduler.ts'
import type { ClientCore } from '../client-core.ts'
import type { Broker } from '../connections/broker.ts'
import { codeInfo } from '../error-codes.ts'
import { KafkaError } from '../errors.ts'
import { AcquiredRecords, arePlausible } from './acquired-records.ts'
import type { Acknowledgements } from './in-flight-batch.ts'
import type { ShareMembership } from './share-membership.ts'
import { ShareSession, type WantedPartition } from './share-session.ts'

/** Verdicts and who waits for their fate. */
export interface PendingAcknowledgements {
  readonly acknowledgements: Acknowledgements
  readonly done: (error: KafkaError | null) => void
}

interface ShareNode {
  readonly session: ShareSession
  pending: PendingAcknowledgements[]
  isInFlight: boolean
  /** Monotonic time before which nothing is fetched after a failure. */
  retryAtMs: number
  /** Ends the session with the next request. */
  ended: (() => void) | undefined
}

/** The session is gone: the next request begins another one. */
const sessionErrors: ReadonlySet<number> = new Set([
  ErrorCode.SHARE_SESSION_NOT_FOUND,
  ErrorCode.INVALID_SHARE_SESSION_EPOCH,
  ErrorCode.SHARE_SESSION_LIMIT_REACHED,
])

/** The partition is elsewhere, or not known there yet. */
const leaderErrors: ReadonlySet<number> = new Set([
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.FENCED_LEADER_EPOCH,
  ErrorCode.UNKNOWN_LEADER_EPOCH,
  ErrorCode.REPLICA_NOT_AVAILABLE,
  ErrorCode.KAFKA_STORAGE_ERROR,
  ErrorCode.LEADER_NOT_AVAILABLE,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.UNKNOWN_TOPIC_ID,
  ErrorCode.INCONSISTENT_TOPIC_ID,
])

export interface ShareFetcherHooks {
  /** Records have arrived. */
  readonly onRecords: () => void
  /** What trying again does not cure. */
  readonly onError: (error: KafkaError) => void
}

export class ShareFetcher implements Wakeable {
  readonly #core: ClientCore
  readonly #groupId: string
  readonly #membership: ShareMembership
  readonly #hooks: ShareFetcherHooks
  readonly #nodes = new Map<number, ShareNode>()
  #arrived: AcquiredRecords[] = []
  #isWanted = false
  #timer: Timer | undefined
  #isStopped = false

  constructor(core: ClientCore, groupId: string, membership: ShareMembership, hooks: ShareFetcherHooks) {
    this.#core = core
    this.#groupId = groupId
    this.#membership = membership
    this.#hooks = hooks
  }

  touch(): void {
    if (!this.#isStopped) this.#core.runtime.reactor.touch(this)
  }

  /** Whether the application waits for records. */
  want(isWanted: boolean): void {
    this.#isWanted = isWanted
    if (isWanted) this.touch()
  }

  /** What has arrived, whole responses until there are this many messages. */
  take(maxMessages: number): AcquiredRecords[] {
    const taken: AcquiredRecords[] = []
    for (let count = 0; count < maxMessages; ) {
      const next = this.#arrived.shift()
      if (next === undefined) break
      taken.push(next)
      count += next.messages.length
    }
    return taken
  }

  acknowledge(pending: PendingAcknowledgements): void {
    const { nodeId } = pending.acknowledgements.from
    this.#node(nodeId).pending.push(pending)
    this.touch()
  }

  /** The member is unknown to the cluster, and with it its sessions. */
  forgetSessions(): void {
    this.#arrived = []
    for (const node of this.#nodes.values()) node.session.reset()
  }

  /** Verdicts leave, sessions end, what else was acquired is released. `done` when all brokers know or are out of reach. */
  endSessions(done: () => void): void {
    this.#arrived = []
    this.#isWanted = false
    let left = 1
    const ended = (): void => {
      left--
      if (left === 0) done()
    }
    for (const node of this.#nodes.values()) {
      left++
      const earlier = node.ended
      node.ended = () => {
        earlier?.()
        ended()
      }
    }
    ended()
    this.touch()
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
    for (const { pending } of this.#nodes.values()) {
      for (const { done } of pending) done(new KafkaError(KafkaError._DESTROY))
    }
  }

  wake(): void {
    if (this.#isStopped) return
    this.#timer?.cancel()
    this.#timer = undefined
    const nowMs = this.#core.runtime.clock.monotonicMs()
    const wanted = this.#wantedByNode()
    let nextMs = Number.POSITIVE_INFINITY
    for (const [nodeId, node] of this.#nodes) {
      if (node.isInFlight) continue
      const partitions = wanted.get(nodeId) ?? new Map<string, WantedPartition>()
      const wantsFetch = this.#isWanted && this.#arrived.length === 0 && partitions.size > 0
      if (node.ended !== undefined) this.#end(nodeId, node)
      else if (wantsFetch && node.retryAtMs > nowMs) nextMs = Math.min(nextMs, node.retryAtMs)
      else if (wantsFetch || node.pending.length > 0) this.#send(nodeId, node, partitions, wantsFetch)
    }
    if (nextMs === Number.POSITIVE_INFINITY) return
    const { scheduler } = this.#core.runtime
    this.#timer = scheduler.schedule('acquiring records again', nextMs - nowMs, () => this.touch())
  }

  #node(nodeId: number): ShareNode {
    let node = this.#nodes.get(nodeId)
    if (node === undefined) {
      node = { session: new ShareSession(), pending: [], isInFlight: false, retryAtMs: 0, ended: undefined }
      this.#nodes.set(nodeId, node)
    }
    return node
  }

  /** The assigned partitions by their leaders. */
  #wantedByNode(): Map<number, Map<string, WantedPartition>> {
    const { metadata, pool } = this.#core
    const byNode = new Map<number, Map<string, WantedPartition>>()
    for (const { topicId, partitions } of this.#membership.assignment) {
      const topic = metadata.cache.topicById(topicId)
      for (const partition of partitions) {
        const leaderId = topic?.partitions[partition]?.leaderId ?? -1
        if (leaderId < 0 || pool.byId(leaderId) === undefined) {
          metadata.refreshSoon(`partition ${partition} of topic ${topic?.name ?? topicId} needs a leader`)
          continue
        }
        this.#node(leaderId)
        let wanted = byNode.get(leaderId)
        if (wanted === undefined) {
          wanted = new Map()
          byNode.set(leaderId, wanted)
        }
        wanted.set(`${topicId}-${partition}`, { topicId, partition })
      }
    }
    return byNode
  }

  #send(
    nodeId: number,
    node: ShareNode,
    partitions: ReadonlyMap<string, WantedPartition>,
    wantsFetch: boolean,
  ): void {
    const broker = this.#core.pool.byId(nodeId)
    if (broker === undefined || (node.pending.length > 0 && !node.session.isOpen)) {
      // Their session has ended, and the leader has released what they speak of.
      settle(takePending(node), new KafkaError(ErrorCode.SHARE_SESSION_NOT_FOUND))
      if (broker === undefined || !wantsFetch) return
    }
    const isAsked = ({ acknowledgements: { from } }: PendingAcknowledgements): boolean =>
      partitions.has(`${from.topicId}-${from.partition}`)
    if (wantsFetch && node.pending.every(isAsked)) this.#fetch(broker, node, partitions)
    else this.#acknowledge(broker, node)
  }

  #fetch(broker: Broker, node: ShareNode, partitions: ReadonlyMap<string, WantedPartition>): void {
    const { config } = this.#core
    const pending = takePending(node)
    const maxWaitMs = config.get('fetch.wait.max.ms')
    const maxRecords = config.get('max.poll.records')
    const session = node.session.fetch(partitions, acknowledgementsOf(pending))
    node.isInFlight = true
    broker.request({
      api: ShareFetch,
      body: {
        groupId: this.#groupId,
        memberId: this.#membership.memberId,
        maxWaitMs,
        minBytes: config.get('fetch.min.bytes'),
        maxBytes: config.get('fetch.max.bytes'),
        maxRecords,
        batchSize: maxRecords,
        ...session,
      },
      timeoutMs: config.get('socket.timeout.ms') + maxWaitMs,
      done: (result) => {
        node.isInFlight = false
        if (!result.ok) this.#failed(node, pending, result.error)
        else if (result.response.errorCode !== ErrorCode.NONE) {
          this.#refused(node, pending, result.response.errorCode, result.response.errorMessage)
        } else this.#fetched(broker.nodeId, node, pending, result.response)
        this.touch()
      },
    })
  }

  #acknowledge(broker: Broker, node: ShareNode): void {
    const pending = takePending(node)
    const session = node.session.acknowledge(acknowledgementsOf(pending))
    this.#sendAcknowledge(broker, node, pending, session, () => {})
  }

  #end(nodeId: number, node: ShareNode): void {
    const ended = node.ended ?? (() => {})
    node.ended = undefined
    const pending = takePending(node)
    const broker = this.#core.pool.byId(nodeId)
    if (!node.session.isOpen || broker === undefined) {
      settle(pending, new KafkaError(ErrorCode.SHARE_SESSION_NOT_FOUND))
      ended()
      return
    }
    this.#sendAcknowledge(broker, node, pending, node.session.end(acknowledgementsOf(pending)), ended)
  }

  #sendAcknowledge(
    broker: Broker,
    node: ShareNode,
    pending: readonly PendingAcknowledgements[],
    session: ReturnType<ShareSession['acknowledge']>,
    ended: () => void,
  ): void {
    node.isInFlight = true
    broker.request({
      api: ShareAcknowledge,
      body: { groupId: this.#groupId, memberId: this.#membership.memberId, ...session },
      timeoutMs: this.#core.config.get('socket.timeout.ms'),
      done: (result) => {
        node.isInFlight = false
        if (!result.ok) this.#failed(node, pending, result.error)
        else if (result.response.errorCode !== ErrorCode.NONE) {
          this.#refused(node, pending, result.response.errorCode, result.response.errorMessage)
        } else {
          if (node.session.isOpen) node.session.succeeded()
          this.#settleEach(pending, acknowledgeCodes(result.response))
          this.#learn(result.response)
        }
        ended()
        this.touch()
      },
    })
  }

  #failed(node: ShareNode, pending: readonly PendingAcknowledgements[], error: KafkaError): void {
    node.session.reset()
    node.retryAtMs = this.#core.runtime.clock.monotonicMs() + this.#core.config.get('retry.backoff.ms')
    settle(pending, error)
    if (error.code() === KafkaError._UNSUPPORTED_FEATURE) this.#hooks.onError(error)
  }

  #refused(
    node: ShareNode,
    pending: readonly PendingAcknowledgements[],
    code: number,
    message: string | null,
  ): void {
    node.session.reset()
    node.retryAtMs = this.#core.runtime.clock.monotonicMs() + this.#core.config.get('retry.backoff.ms')
    const error = new KafkaError(code, message ?? undefined)
    settle(pending, error)
    // A member that is not known (any more) hears of it from the coordinator.
    if (!sessionErrors.has(code) && code !== ErrorCode.UNKNOWN_MEMBER_ID && !codeInfo(code).isRetriable) {
      this.#hooks.onError(error)
    }
  }

  #fetched(
    nodeId: number,
    node: ShareNode,
    pending: readonly PendingAcknowledgements[],
    response: ShareFetchResponse,
  ): void {
    node.session.succeeded()
    const codes = new Map<string, { code: number; message: string | null }>()
    for (const { topicId, partitions } of response.responses) {
      const topic = this.#core.metadata.cache.topicById(topicId)?.name
      for (const answer of partitions) {
        const { partitionIndex: partition, errorCode, acquiredRecords } = answer
        const { acknowledgeErrorCode: code, acknowledgeErrorMessage: message } = answer
        codes.set(`${topicId}-${partition}`, { code, message })
        if (errorCode !== ErrorCode.NONE) this.#partitionFailed(node, topic ?? topicId, answer)
        if (acquiredRecords.length === 0) continue
        if (!arePlausible(acquiredRecords)) {
          const text = `${topic ?? topicId}[${partition}]: the acquired offsets cannot be`
          this.#refuse(node, new KafkaError(KafkaError._BAD_MSG, text))
          continue
        }
        const from = { topic: topic ?? '', topicId, partition, nodeId }
        const checksCrcs = this.#core.config.get('check.crcs')
        this.#arrive(new AcquiredRecords(from, answer.records as Buffer | null, acquiredRecords, checksCrcs))
      }
    }
    this.#settleEach(pending, codes)
    this.#learn(response)
  }

  /** The answer is of no use: what it gave away comes back when the session begins anew. */
  #refuse(node: ShareNode, error: KafkaError): void {
    node.session.reset()
    node.retryAtMs = this.#core.runtime.clock.monotonicMs() + this.#core.config.get('retry.backoff.ms')
    this.#hooks.onError(error)
  }

  #arrive(records: AcquiredRecords): void {
    if (records.messages.length > 0) {
      this.#arrived.push(records)
      this.#hooks.onRecords()
      return
    }
    // Nothing but gaps: the application need not know.
    const verdicts = new Map(
      [...records.verdicts].map(([offset, verdict]) => [offset, verdict ?? 0] as const),
    )
    if (verdicts.size > 0) {
      this.acknowledge({ acknowledgements: { from: records.from, verdicts }, done: () => {} })
    }
  }

  #partitionFailed(
    node: ShareNode,
    topic: string,
    answer: ShareFetchResponse['responses'][number]['partitions'][number],
  ): void {
    const { errorCode, errorMessage, partitionIndex } = answer
    node.retryAtMs = this.#core.runtime.clock.monotonicMs() + this.#core.config.get('retry.backoff.ms')
    const error = new KafkaError(errorCode, errorMessage ?? undefined)
    if (leaderErrors.has(errorCode))
      this.#core.metadata.refreshSoon(`${topic}[${partitionIndex}]: ${error.name()}`)
    else if (!codeInfo(errorCode).isRetriable) this.#hooks.onError(error)
  }

  #settleEach(
    pending: readonly PendingAcknowledgements[],
    codes: ReadonlyMap<string, { code: number; message: string | null }>,
  ): void {
    for (const { acknowledgements, done } of pending) {
      const { topicId, partition } = acknowledgements.from
      const { code, message } = codes.get(`${topicId}-${partition}`) ?? notAnswered
      done(code === ErrorCode.NONE ? null : new KafkaError(code, message ?? undefined))
    }
  }

  /** Leaders that an answer names (KIP-951). */
  #learn(response: ShareFetchResponse | ShareAcknowledgeResponse): void {
    const { metadata, pool } = this.#core
    for (const endpoint of response.nodeEndpoints) pool.learn(endpoint)
    for (const { topicId, partitions } of response.responses) {
      const topic = metadata.cache.topicById(topicId)
      if (topic === undefined) continue
      for (const { errorCode, partitionIndex, currentLeader } of partitions) {
        if (!leaderErrors.has(errorCode)) continue
        const { leaderId, leaderEpoch } = currentLeader
        metadata.cache.applyLeaderHint(topic.name, partitionIndex, leaderId, leaderEpoch)
      }
    }
  }
}

/** Of acknowledgements whose partition an answer leaves out: nobody has said that they were taken. */
const notAnswered = {
  code: ErrorCode.INVALID_RECORD_STATE,
  message: 'The answer of the broker leaves the partition out',
}

function takePending(node: ShareNode): PendingAcknowledgements[] {
  const { pending } = node
  node.pending = []
  return pending
}

function acknowledgementsOf(pending: readonly PendingAcknowledgements[]): Acknowledgements[] {
  return pending.map(({ acknowledgements }) => acknowledgements)
}

function settle(pending: readonly PendingAcknowledgements[], error: KafkaError | null): void {
  for (const { done } of pending) done(error)
}

function acknowledgeCodes(
  response: ShareAcknowledgeResponse,
): Map<string, { code: number; message: string | null }> {
  const codes = new Map<string, { code: number; message: string | null }>()
  for (const { topicId, partitions } of response.responses) {
    for (const { partitionIndex, errorCode: code, errorMessage: message } of partitions) {
      codes.set(`${topicId}-${partitionIndex}`, { code, message })
    }
  }
  return codes
}
