/**
 * Acquires records of the assigned partitions from their leaders, and carries verdicts back to the leaders that gave the records: one
 * request at a time to every broker, since the epochs of a share session count them. Records are asked for only while the application
 * waits in `poll`: they are locked for this member from the moment they are acquired, so nothing is acquired ahead.
 *
 * Verdicts travel with the next fetch when there is one, else in a ShareAcknowledge. What the answers mean is in `share-outcomes.ts`.
 */
import { ShareFetch } from '../../common/protocol/apis/78-share-fetch.ts'
import { ShareAcknowledge } from '../../common/protocol/apis/79-share-acknowledge.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { Wakeable } from '../../common/runtime/reactor.ts'
import type { Timer } from '../../common/runtime/scheduler.ts'
import type { ClientCore } from '../client-core.ts'
import type { Broker } from '../connections/broker.ts'
import { KafkaError } from '../errors.ts'
import { topicPartitionKey } from '../values/topic-partition.ts'
import type { AcquiredRecords } from './acquired-records.ts'
import type { Acknowledgements } from './in-flight-batch.ts'
import type { ShareMembership } from './share-membership.ts'
import { type PendingAcknowledgements, ShareNode, settle } from './share-node.ts'
import { ShareOutcomes } from './share-outcomes.ts'
import type { ShareSession, WantedPartition } from './share-session.ts'

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
  readonly #outcomes: ShareOutcomes
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
    this.#outcomes = new ShareOutcomes(core, {
      onAcquired: (records) => this.#arrive(records),
      onError: hooks.onError,
    })
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
      if (node.ended !== undefined) this.#end(node)
      else if (wantsFetch && node.retryAtMs > nowMs) nextMs = Math.min(nextMs, node.retryAtMs)
      else if (wantsFetch || node.pending.length > 0) this.#send(node, partitions, wantsFetch)
    }
    if (nextMs === Number.POSITIVE_INFINITY) return
    const { scheduler } = this.#core.runtime
    this.#timer = scheduler.schedule('acquiring records again', nextMs - nowMs, () => this.touch())
  }

  #node(nodeId: number): ShareNode {
    let node = this.#nodes.get(nodeId)
    if (node === undefined) {
      node = new ShareNode(nodeId)
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
        wanted.set(topicPartitionKey(topicId, partition), { topicId, partition })
      }
    }
    return byNode
  }

  #send(node: ShareNode, partitions: ReadonlyMap<string, WantedPartition>, wantsFetch: boolean): void {
    const broker = this.#core.pool.byId(node.nodeId)
    if (broker === undefined || (node.pending.length > 0 && !node.session.isOpen)) {
      // Their session has ended, and the leader has released what they speak of.
      settle(node.takePending(), new KafkaError(ErrorCode.SHARE_SESSION_NOT_FOUND))
      if (broker === undefined || !wantsFetch) return
    }
    const isAsked = ({ acknowledgements: { from } }: PendingAcknowledgements): boolean =>
      partitions.has(topicPartitionKey(from.topicId, from.partition))
    if (wantsFetch && node.pending.every(isAsked)) this.#fetch(broker, node, partitions)
    else this.#acknowledge(broker, node)
  }

  #fetch(broker: Broker, node: ShareNode, partitions: ReadonlyMap<string, WantedPartition>): void {
    const { config } = this.#core
    const pending = node.takePending()
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
        if (result.ok) this.#outcomes.fetched(node, pending, result.response)
        else this.#outcomes.failed(node, pending, result.error)
        this.touch()
      },
    })
  }

  #acknowledge(broker: Broker, node: ShareNode): void {
    const pending = node.takePending()
    const session = node.session.acknowledge(acknowledgementsOf(pending))
    this.#sendAcknowledge(broker, node, pending, session, () => {})
  }

  #end(node: ShareNode): void {
    const ended = node.ended ?? (() => {})
    node.ended = undefined
    const pending = node.takePending()
    const broker = this.#core.pool.byId(node.nodeId)
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
        if (result.ok) this.#outcomes.acknowledged(node, pending, result.response)
        else this.#outcomes.failed(node, pending, result.error)
        ended()
        this.touch()
      },
    })
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
}

function acknowledgementsOf(pending: readonly PendingAcknowledgements[]): Acknowledgements[] {
  return pending.map(({ acknowledgements }) => acknowledgements)
}
