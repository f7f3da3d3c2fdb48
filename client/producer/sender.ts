/**
 * Carries batches to the leaders of their partitions and decides over what comes back. Runs in the wake phase of a turn, so
 * that everything produced in one turn leaves together: one request per broker, many partitions in it.
 *
 * A lane holds the partitions of one leader that have something to send. Partitions without a known leader wait in lane -1
 * until metadata moves them.
 */
import { Produce, type ProduceResponse } from '../../common/protocol/apis/00-produce.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { ZERO_UUID } from '../../common/protocol/schema.ts'
import type { Wakeable } from '../../common/runtime/reactor.ts'
import type { Timer } from '../../common/runtime/scheduler.ts'
import type { ClientCore } from '../client-core.ts'
import { pauseMs, retryJitter } from '../connections/backoff.ts'
import type { Broker } from '../connections/broker.ts'
import type { RequestResult } from '../connections/request.ts'
import type { VersionLimits } from '../connections/versions.ts'
import { Window } from '../statistics/window.ts'
import type { Accumulator } from './accumulator.ts'
import type { BatchOutcomes, PartitionAnswer } from './batch-outcomes.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { ProducerBatch } from './producer-batch.ts'
import type { IdentitySource } from './producer-identity.ts'
import type { TransactionManager } from './transaction-manager.ts'

/** Bytes in one request from which no further partition joins it: later answers would wait for the whole. */
const requestTargetBytes = 1024 * 1024

interface Sent {
  readonly partition: PartitionQueue
  readonly batch: ProducerBatch
  /** Nobody reads the bytes that were sent any more. */
  readonly released: () => void
  readonly topicId: string
}

export interface SenderOptions {
  readonly core: ClientCore
  readonly accumulator: Accumulator
  readonly outcomes: BatchOutcomes
  /** undefined without idempotence. */
  readonly identity: IdentitySource | undefined
  /** Sends to partitions of the open transaction only. */
  readonly transactions: TransactionManager | undefined
}

export class Sender implements Wakeable {
  readonly batchSize = new Map<string, Window>()
  readonly batchCount = new Map<string, Window>()
  /** Produce requests that were not answered. */
  requestsInFlight = 0
  readonly #options: SenderOptions
  readonly #lanes = new Map<number, Set<PartitionQueue>>()
  readonly #retryTimers = new Map<PartitionQueue, Timer>()
  readonly #acks: number
  readonly #requestTimeoutMs: number
  readonly #socketTimeoutMs: number
  readonly #deliveryTimeoutMs: number
  #isStopped = false
  #isAwake = false

  constructor(options: SenderOptions) {
    this.#options = options
    const { config } = options.core
    this.#acks = config.get('acks')
    this.#requestTimeoutMs = config.get('request.timeout.ms')
    this.#socketTimeoutMs = config.get('socket.timeout.ms')
    this.#deliveryTimeoutMs = config.get('delivery.timeout.ms')
  }

  /** The partition may have something to send. */
  markReady(partition: PartitionQueue): void {
    if (this.#isStopped) return
    let lane = this.#lanes.get(partition.leaderId)
    if (lane === undefined) {
      lane = new Set()
      this.#lanes.set(partition.leaderId, lane)
    }
    lane.add(partition)
    this.#options.core.runtime.reactor.touch(this)
  }

  /** A broker came up or has room. */
  roomAt(broker: Broker): void {
    if ((this.#lanes.get(broker.nodeId)?.size ?? 0) > 0) this.#options.core.runtime.reactor.touch(this)
  }

  /** The partition's leader changed: it waits elsewhere from now. */
  moveLane(partition: PartitionQueue, previousLeaderId: number): void {
    if (this.#lanes.get(previousLeaderId)?.delete(partition) === true) this.markReady(partition)
  }

  wake(): void {
    // Whoever watches requests may produce: a batch taken before must leave before.
    if (this.#isStopped || this.#isAwake) return
    this.#isAwake = true
    try {
      this.#sendReady()
    } finally {
      this.#isAwake = false
    }
  }

  #sendReady(): void {
    const { identity, core } = this.#options
    if (identity !== undefined && identity.state === undefined) {
      for (const lane of this.#lanes.values()) if (lane.size > 0) identity.ensure()
      return
    }
    for (const [nodeId, lane] of this.#lanes) {
      if (lane.size === 0) continue
      const broker = nodeId < 0 ? undefined : core.pool.byId(nodeId)
      if (broker === undefined) core.metadata.refreshSoon('a leader is needed')
      else if (!broker.isUp) broker.connect()
      else this.#drain(broker, lane)
    }
  }

  /**
   * An application's call has added so many bytes. Many of them leave at once, with the call and not with the turn: the broker works on them
   * while the application makes more, and what comes later is answered by itself. Fewer wait for company until the turn ends.
   */
  added(sizeBytes: number): void {
    // Without acknowledgements a request is done when it is sent, which must not happen within the application's call.
    if (sizeBytes < requestTargetBytes / 2 || this.#acks === 0) return
    this.wake()
    for (const nodeId of this.#lanes.keys()) this.#options.core.pool.byId(nodeId)?.sendPending()
  }

  /** Sends nothing any more. */
  stop(): void {
    this.#isStopped = true
    for (const timer of this.#retryTimers.values()) timer.cancel()
    this.#retryTimers.clear()
    this.#lanes.clear()
  }

  /**
   * Wakes up for the partition when its batches may be tried again; those that fail together are tried together.
   * @returns the monotonic time of it
   */
  retryLater(partition: PartitionQueue, attempts: number): number {
    const pending = this.#retryTimers.get(partition)
    if (pending !== undefined) return pending.dueMs
    const { core } = this.#options
    const { config, runtime } = core
    const delayMs = pauseMs(
      {
        firstMs: config.get('retry.backoff.ms'),
        maxMs: config.get('retry.backoff.max.ms'),
        random: runtime.random,
        ...retryJitter,
      },
      attempts,
    )
    const label = `trying ${partition.topic}-${partition.id} again`
    const timer = runtime.scheduler.schedule(label, delayMs, () => {
      this.#retryTimers.delete(partition)
      this.markReady(partition)
    })
    this.#retryTimers.set(partition, timer)
    return timer.dueMs
  }

  #drain(broker: Broker, lane: Set<PartitionQueue>): void {
    while (lane.size > 0 && broker.hasRoom) {
      const sent = this.#collect(broker, lane)
      if (sent.length === 0) return
      this.#send(broker, sent)
    }
  }

  /** One batch of each partition of the lane, up to the size of a request. */
  #collect(broker: Broker, lane: Set<PartitionQueue>): Sent[] {
    const { core, identity, transactions } = this.#options
    const nowMs = core.runtime.clock.monotonicMs()
    const sent: Sent[] = []
    const again: PartitionQueue[] = []
    let sizeBytes = 0
    for (const partition of lane) {
      const batch = partition.peek(nowMs, broker.nodeId, identity?.state)
      if (batch !== undefined && sent.length > 0 && sizeBytes + batch.sizeBytes > requestTargetBytes) break
      lane.delete(partition)
      // Whatever holds the partition back marks it ready again: an answer, a timer, or more records.
      if (batch === undefined || transactions?.maySend(partition) === false) continue
      if (identity?.state !== undefined) {
        if (partition.isOutOfEpochsFor(batch) && partition.producerId === identity.state.producerId) {
          again.push(partition)
          identity.reset()
          break
        }
        partition.assignSequence(batch, identity.state)
      }
      partition.take(broker.nodeId, nowMs)
      sizeBytes += batch.encode().length
      sent.push({
        partition,
        batch,
        released: batch.beginSend(),
        topicId: core.metadata.cache.topic(partition.topic)?.topicId ?? ZERO_UUID,
      })
      if (partition.hasSealed || partition.open !== undefined) again.push(partition)
    }
    // Behind the others: every partition has its turn.
    for (const partition of again) lane.add(partition)
    return sent
  }

  #send(broker: Broker, sent: readonly Sent[]): void {
    const { core, transactions } = this.#options
    const nowMs = core.runtime.clock.monotonicMs()
    let oldestMs = nowMs
    for (const { partition, batch } of sent) {
      if (batch.createdMs < oldestMs) oldestMs = batch.createdMs
      partition.txBytes += batch.sizeBytes
      this.#window(this.batchSize, partition.topic).add(batch.sizeBytes)
      this.#window(this.batchCount, partition.topic).add(batch.recordCount)
      broker.metrics.intLatency.add((nowMs - batch.createdMs) * 1000)
      broker.metrics.queueTimes.add(nowMs - batch.createdMs)
    }
    const lifeLeftMs =
      this.#deliveryTimeoutMs === 0 ? Number.POSITIVE_INFINITY : oldestMs + this.#deliveryTimeoutMs - nowMs
    const knowsIds = sent.every(({ topicId }) => topicId !== ZERO_UUID)
    this.requestsInFlight++
    broker.request({
      api: Produce,
      body: (version) => ({
        transactionalId: core.config.get('transactional.id') ?? null,
        acks: this.#acks,
        timeoutMs: this.#requestTimeoutMs,
        topicData: topicData(sent, version),
      }),
      ...produceVersions(transactions, knowsIds),
      timeoutMs: Math.max(1, Math.min(this.#socketTimeoutMs, lifeLeftMs)),
      expectsNoResponse: this.#acks === 0,
      released: () => {
        for (const { released } of sent) released()
      },
      done: (result) => {
        this.requestsInFlight--
        this.#answered(sent, result)
        if (this.requestsInFlight === 0) core.events.notify()
      },
    })
  }

  #answered(sent: readonly Sent[], result: RequestResult<typeof Produce>): void {
    const { outcomes } = this.#options
    const answers = result.ok && this.#acks !== 0 ? this.#answersOf(result.response) : undefined
    for (const { partition, batch, topicId } of sent) {
      partition.removeInFlight(batch)
      if (!result.ok) outcomes.failed(partition, batch, result.error, result.wasSent)
      else if (answers === undefined) outcomes.acknowledged(partition, batch, undefined)
      else {
        const answer = (answers.get(partition.topic) ?? answers.get(topicId))?.get(partition.id)
        outcomes.answered(partition, batch, answer)
      }
      if (!partition.isEmpty) this.markReady(partition)
    }
  }

  /** By the name or the id of the topic, as the broker says it, and by partition. */
  #answersOf(response: ProduceResponse): Map<string, Map<number, PartitionAnswer>> {
    const { metadata, pool } = this.#options.core
    const answers = new Map<string, Map<number, PartitionAnswer>>()
    for (const { name, topicId, partitionResponses } of response.responses) {
      const ofTopic = new Map<number, PartitionAnswer>()
      answers.set(name === '' ? topicId : name, ofTopic)
      for (const answer of partitionResponses) {
        ofTopic.set(answer.index, answer)
        const { leaderId, leaderEpoch } = answer.currentLeader
        if (leaderId < 0 || answer.errorCode === ErrorCode.NONE) continue
        // KIP-951: the broker tells who leads now, and where that is.
        const topicName = name === '' ? metadata.cache.topicById(topicId)?.name : name
        const endpoint = response.nodeEndpoints.find(({ nodeId }) => nodeId === leaderId)
        if (topicName === undefined || (endpoint === undefined && pool.byId(leaderId) === undefined)) continue
        if (endpoint !== undefined) pool.learn(endpoint)
        if (metadata.cache.applyLeaderHint(topicName, answer.index, leaderId, leaderEpoch)) {
          this.#updateLeader(topicName, answer.index)
        }
      }
    }
    return answers
  }

  #updateLeader(topicName: string, index: number): void {
    const topic = this.#options.accumulator.topic(topicName)
    const partition = topic?.partitions[index]
    if (topic === undefined || partition === undefined) return
    const previousLeaderId = partition.leaderId
    topic.updateLeader(partition)
    if (partition.leaderId !== previousLeaderId) this.moveLane(partition, previousLeaderId)
  }

  #window(windows: Map<string, Window>, topic: string): Window {
    let window = windows.get(topic)
    if (window === undefined) {
      window = new Window()
      windows.set(topic, window)
    }
    return window
  }
}

/** Version 13 names topics by id (KIP-516); from 12 on a transactional request adds its partitions by itself (KIP-890). */
function produceVersions(transactions: TransactionManager | undefined, knowsIds: boolean): VersionLimits {
  const highest = knowsIds ? {} : { maxVersion: 12 }
  if (transactions === undefined) return highest
  return transactions.addsPartitionsItself ? { minVersion: 12, ...highest } : { maxVersion: 11 }
}

type TopicData = {
  readonly name: string
  readonly topicId: string
  readonly partitionData: { readonly index: number; readonly records: Buffer }[]
}

function topicData(sent: readonly Sent[], version: number): TopicData[] {
  const byTopic = new Map<string, TopicData>()
  for (const { partition, batch, topicId } of sent) {
    let topic = byTopic.get(partition.topic)
    if (topic === undefined) {
      topic =
        version >= 13
          ? { name: '', topicId, partitionData: [] }
          : { name: partition.topic, topicId: ZERO_UUID, partitionData: [] }
      byTopic.set(partition.topic, topic)
    }
    topic.partitionData.push({ index: partition.id, records: batch.encode() })
  }
  return [...byTopic.values()]
}
