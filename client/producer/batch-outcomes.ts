/**
 * Decides over a batch when its request has ended: report it, or put it back to be tried again. Keeps the promises of part
 * 19 of the API and, with idempotence, the series of sequences: a batch that is given up leaves a gap, so its partition
 * goes on in a new epoch.
 */
import type { ProduceResponse } from '../../common/protocol/apis/00-produce.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { ClientCore } from '../client-core.ts'
import { PersistenceStatus } from '../constants.ts'
import { KafkaError, KafkaException } from '../errors.ts'
import type { Trace } from '../tracing/channels.ts'
import { type Accumulator, type ProduceRecord, reportOf, type Withdrawn } from './accumulator.ts'
import {
  type Delivery,
  DeliveryEvent,
  type DeliverySettled,
  failedDelivery,
  type PendingReport,
} from './delivery.ts'
import type { PartitionQueue } from './partition-queue.ts'
import { type ProduceRule, produceRule } from './produce-errors.ts'
import type { ProducerBatch } from './producer-batch.ts'
import type { IdentitySource } from './producer-identity.ts'
import type { TransactionManager } from './transaction-manager.ts'

export type PartitionAnswer = ProduceResponse['responses'][number]['partitionResponses'][number]

export interface BatchOutcomesOptions {
  readonly core: ClientCore
  readonly accumulator: Accumulator
  /** undefined without idempotence. */
  readonly identity: IdentitySource | undefined
  /** Arranges another look at the partition. @returns monotonic time of it */
  readonly retryLater: (partition: PartitionQueue, attempts: number) => number
  readonly onFatal: (error: KafkaError) => void
  /** undefined without transactions. */
  readonly transactions: TransactionManager | undefined
}

export class BatchOutcomes {
  readonly #options: BatchOutcomesOptions
  readonly #maxAttempts: number
  readonly #deliveryTimeoutMs: number
  readonly #propagationMs: number
  readonly #reportsOnlyErrors: boolean
  readonly #isGapless: boolean

  constructor(options: BatchOutcomesOptions) {
    this.#options = options
    const { config } = options.core
    this.#maxAttempts = config.get('retries')
    this.#deliveryTimeoutMs = config.get('delivery.timeout.ms')
    this.#propagationMs = config.get('topic.metadata.propagation.max.ms')
    this.#reportsOnlyErrors = config.get('delivery.report.only.error')
    this.#isGapless = config.get('enable.gapless.guarantee')
  }

  /** The broker answered; undefined when its answer left the partition out. */
  answered(partition: PartitionQueue, batch: ProducerBatch, answer: PartitionAnswer | undefined): void {
    if (answer === undefined) {
      this.failed(
        partition,
        batch,
        new KafkaError(KafkaError._BAD_MSG, 'The answer lacks the partition'),
        true,
      )
    } else if (answer.errorCode === ErrorCode.NONE) this.acknowledged(partition, batch, answer)
    else this.#refused(partition, batch, answer)
  }

  /** @param answer undefined with acks=0 */
  acknowledged(partition: PartitionQueue, batch: ProducerBatch, answer: PartitionAnswer | undefined): void {
    partition.unknownSinceMs = undefined
    partition.trust(batch, this.#options.core.runtime.clock.monotonicMs())
    partition.ackedMessages += batch.recordCount
    const baseOffset = answer?.baseOffset ?? -1
    if (baseOffset >= 0) {
      partition.lastAckedOffset = baseOffset + batch.recordCount - 1
      partition.lastAckedLeaderEpoch = partition.leaderEpoch
    }
    this.#settle(batch, {
      topic: partition.topic,
      partition: partition.id,
      error: null,
      baseOffset,
      logAppendTimeMs: answer?.logAppendTimeMs ?? -1,
      logStartOffset: answer?.logStartOffset ?? -1,
      persistence: answer === undefined ? PersistenceStatus.POSSIBLY_PERSISTED : PersistenceStatus.PERSISTED,
    })
    batch.over()
  }

  /** No answer came. */
  failed(partition: PartitionQueue, batch: ProducerBatch, error: KafkaError, wasSent: boolean): void {
    const rule = produceRule(error.code())
    if (wasSent && this.#maybePersisted(rule)) batch.isPossiblyPersisted = true
    this.#act(partition, batch, error, rule, undefined)
  }

  /** Gives a batch up for good. */
  giveUp(partition: PartitionQueue, batch: ProducerBatch, error: KafkaError, answer?: PartitionAnswer): void {
    if (batch.isAbandoned) return
    this.#options.transactions?.messageFailed(error)
    const isSequenced = batch.baseSequence >= 0
    if (isSequenced) partition.needsNewEpoch = true
    const recordErrors = new Map<number, KafkaError>()
    for (const { batchIndex, batchIndexErrorMessage } of answer?.recordErrors ?? []) {
      const text = batchIndexErrorMessage ?? answer?.errorMessage ?? undefined
      recordErrors.set(batchIndex, new KafkaError(error.code(), text))
    }
    this.#settle(batch, {
      topic: partition.topic,
      partition: partition.id,
      error,
      baseOffset: -1,
      logAppendTimeMs: -1,
      persistence: batch.isPossiblyPersisted
        ? PersistenceStatus.POSSIBLY_PERSISTED
        : PersistenceStatus.NOT_PERSISTED,
      recordErrors,
    })
    if (isSequenced && this.#isGapless) {
      this.#fatal(KafkaError._GAPLESS_GUARANTEE, `${batch.recordCount} message(s) failed: ${error.str()}`)
    }
  }

  /** Reports messages that the application took back; a transaction goes on without them. */
  withdrawn({ topic, partition, reports }: Withdrawn): void {
    const delivery = failedDelivery(topic, partition, new KafkaError(KafkaError._PURGE_QUEUE))
    const chargedBytes = reports.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    this.#report(reports, reports.length, chargedBytes, delivery)
  }

  /** Fails messages that never came into a batch; their partition is the one they asked for. */
  failUnassigned(topic: string, records: readonly ProduceRecord[], error: KafkaError): void {
    if (records.length === 0) return
    this.#options.transactions?.messageFailed(error)
    const byPartition = new Map<number, ProduceRecord[]>()
    for (const record of records) {
      const others = byPartition.get(record.partition)
      if (others === undefined) byPartition.set(record.partition, [record])
      else others.push(record)
    }
    for (const [partition, failed] of byPartition) {
      const reports = failed.map(reportOf).filter((report) => report !== undefined)
      const chargedBytes = failed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
      this.#report(reports, failed.length, chargedBytes, failedDelivery(topic, partition, error))
    }
  }

  #refused(partition: PartitionQueue, batch: ProducerBatch, answer: PartitionAnswer): void {
    const rule = produceRule(answer.errorCode)
    if (this.#maybePersisted(rule)) batch.isPossiblyPersisted = true
    const error = new KafkaError(answer.errorCode, answer.errorMessage ?? undefined)
    this.#act(partition, batch, error, rule, answer)
  }

  #maybePersisted({ maybePersisted }: ProduceRule): boolean {
    return maybePersisted === 'acks=all' ? this.#options.core.config.get('acks') === -1 : maybePersisted
  }

  #act(
    partition: PartitionQueue,
    batch: ProducerBatch,
    error: KafkaError,
    rule: ProduceRule,
    answer: PartitionAnswer | undefined,
  ): void {
    const { core } = this.#options
    if (core.logger.isDebug('msg')) {
      const place = `${partition.topic} [${partition.id}]`
      core.logger.debug(
        'msg',
        'MSGSET',
        `${place}: ${batch.recordCount} message(s): ${error.str()}: ${rule.action}`,
      )
    }
    if (rule.refreshes) core.metadata.refreshSoon(`${partition.topic}-${partition.id}: ${error.name()}`)
    if (batch.isAbandoned) return
    switch (rule.action) {
      case 'success':
        this.acknowledged(partition, batch, answer)
        return
      case 'retry':
        if (batch.attempts < this.#maxAttempts) this.#retry(partition, batch, error, true)
        else this.giveUp(partition, batch, this.#lastError(error))
        return
      case 'find-leader':
        this.#findLeader(partition, batch, error)
        return
      case 'split':
        this.#split(partition, batch, error)
        return
      case 'sequence-gap':
        this.#sequenceGap(partition, batch, error)
        return
      case 'unknown-producer':
        this.#unknownProducer(partition, batch, error, answer)
        return
      case 'fenced':
        this.#fenced(partition, batch, error)
        return
      case 'abort':
      case 'fail':
        this.giveUp(partition, batch, error, answer)
    }
  }

  /** A request that was never answered is a message that was not delivered in time. */
  #lastError(error: KafkaError): KafkaError {
    return error.code() === KafkaError._TIMED_OUT ? new KafkaError(KafkaError._MSG_TIMED_OUT) : error
  }

  #retry(partition: PartitionQueue, batch: ProducerBatch, error: KafkaError, counts: boolean): void {
    const { core, retryLater } = this.#options
    const nowMs = core.runtime.clock.monotonicMs()
    if (this.#deliveryTimeoutMs > 0 && nowMs - batch.createdMs >= this.#deliveryTimeoutMs) {
      const text = `Message was not delivered in time: ${error.str()}`
      this.giveUp(partition, batch, new KafkaError(KafkaError._MSG_TIMED_OUT, text))
      return
    }
    const attempts = batch.attempts
    if (counts) batch.attempts++
    batch.retryAtMs = retryLater(partition, attempts)
    partition.distrust()
    partition.requeue(batch)
    const broker = core.pool.byId(partition.inFlightNodeId)
    if (broker !== undefined) broker.metrics.txRetries++
  }

  /** As a batch that was never sent. */
  #retryInNewEpoch(partition: PartitionQueue, batch: ProducerBatch, error: KafkaError): void {
    partition.needsNewEpoch = true
    this.#retry(partition, batch, error, true)
    batch.unsequence()
  }

  #findLeader(partition: PartitionQueue, batch: ProducerBatch, error: KafkaError): void {
    const nowMs = this.#options.core.runtime.clock.monotonicMs()
    if (
      error.code() === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION ||
      error.code() === ErrorCode.UNKNOWN_TOPIC_ID
    ) {
      partition.unknownSinceMs ??= nowMs
      if (nowMs - partition.unknownSinceMs >= this.#propagationMs) {
        this.giveUp(partition, batch, error)
        return
      }
    }
    this.#retry(partition, batch, error, false)
    // The broker said who leads now (KIP-951): no reason to wait.
    if (partition.leaderId >= 0 && partition.leaderId !== partition.inFlightNodeId) batch.retryAtMs = 0
  }

  #split(partition: PartitionQueue, batch: ProducerBatch, error: KafkaError): void {
    if (batch.recordCount < 2) {
      this.giveUp(partition, batch, error)
      return
    }
    const { baseSequence } = batch
    const halves = batch.split()
    if (baseSequence >= 0) {
      const [first, second] = halves
      first.assignSequence(batch, baseSequence)
      second.assignSequence(batch, (baseSequence + first.recordCount) & 0x7fffffff)
    }
    partition.requeue(...halves)
  }

  #sequenceGap(partition: PartitionQueue, batch: ProducerBatch, error: KafkaError): void {
    if (batch.baseSequence < 0 || this.#options.transactions !== undefined) {
      this.giveUp(partition, batch, error)
      return
    }
    // Behind a batch that failed, or in an epoch that is being left: nothing is wrong with this one.
    if (partition.needsNewEpoch || partition.hasEarlier(batch)) {
      batch.isPossiblyPersisted = false
      this.#retry(partition, batch, error, false)
      return
    }
    const hasNewLeader =
      partition.leaderEpoch > partition.lastAckedLeaderEpoch && partition.lastAckedLeaderEpoch >= 0
    if (!hasNewLeader) {
      this.giveUp(partition, batch, error)
      this.#fatal(
        error.code(),
        `${partition.topic} [${partition.id}]: the broker lost messages that it had acknowledged`,
      )
      return
    }
    this.#retryInNewEpoch(partition, batch, error)
  }

  #unknownProducer(
    partition: PartitionQueue,
    batch: ProducerBatch,
    error: KafkaError,
    answer: PartitionAnswer | undefined,
  ): void {
    const logStartOffset = answer?.logStartOffset ?? -1
    const isRetained = logStartOffset >= 0 && logStartOffset <= partition.lastAckedOffset
    if (isRetained && partition.lastAckedOffset >= 0 && !partition.hasEarlier(batch)) {
      this.#sequenceGap(partition, batch, error)
      return
    }
    if (this.#options.transactions !== undefined) {
      this.giveUp(partition, batch, error)
      return
    }
    this.#retryInNewEpoch(partition, batch, error)
  }

  #fenced(partition: PartitionQueue, batch: ProducerBatch, error: KafkaError): void {
    const { identity, transactions } = this.#options
    if (identity === undefined || transactions !== undefined) {
      this.giveUp(partition, batch, error)
      return
    }
    // Idempotent only: an id of one's own again, nobody else has a right to it.
    if (identity.state?.producerId === batch.producerId) identity.reset()
    this.#retryInNewEpoch(partition, batch, error)
  }

  #fatal(code: number, text: string): void {
    this.#options.onFatal(new KafkaError(code, text, { fatal: true }))
  }

  #settle(batch: ProducerBatch, delivery: Delivery): void {
    if (batch.isAbandoned) return
    batch.isAbandoned = true
    this.#report(batch.reports, batch.recordCount, batch.chargedBytes, delivery)
  }

  #report(reports: readonly PendingReport[], count: number, chargedBytes: number, delivery: Delivery): void {
    const { accumulator, core } = this.#options
    const { notifier } = core
    for (const { trace } of reports) if (trace !== undefined) endTrace(trace, delivery)
    const nowMs = core.runtime.clock.monotonicMs()
    const settle: DeliverySettled = {
      release: (releasedCount, releasedBytes) => accumulator.release(releasedCount, releasedBytes),
      told: notifier.has('delivery-report')
        ? (error, message, isDirect) => {
            if (isDirect) notifier.tell('delivery-report', error, message)
            else notifier.tellNow('delivery-report', error, message)
          }
        : undefined,
    }
    const [direct, served] = byKind(reports)
    const queued = this.#reportsOnlyErrors && delivery.error === null ? [] : served
    let reportedBytes = 0
    for (const { sizeBytes } of queued) reportedBytes += sizeBytes
    for (const { sizeBytes } of direct) reportedBytes += sizeBytes
    // Nobody waits for these: their places are free at once.
    accumulator.release(count - queued.length - direct.length, chargedBytes - reportedBytes)
    const event = new DeliveryEvent(delivery, direct, nowMs, settle)
    while (!event.isServed) event.serve()
    if (queued.length === 0) core.events.notify()
    else core.events.push(new DeliveryEvent(delivery, queued, nowMs, settle))
  }
}

function endTrace(trace: Trace, delivery: Delivery): void {
  const { error, topic, partition, baseOffset } = delivery
  if (error === null) trace.succeeded({ topic, partition, baseOffset })
  else trace.failed(new KafkaException(error))
}

/** Direct ones and others; mostly all are of one kind, and nothing is copied. */
function byKind(reports: readonly PendingReport[]): [readonly PendingReport[], readonly PendingReport[]] {
  let directCount = 0
  for (const { isDirect } of reports) if (isDirect) directCount++
  if (directCount === 0) return [[], reports]
  if (directCount === reports.length) return [reports, []]
  return [reports.filter(({ isDirect }) => isDirect), reports.filter(({ isDirect }) => !isDirect)]
}
