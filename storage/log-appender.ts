/**
 * How records come into a log: a leader's are checked, stamped and checked against the producers; a follower's are taken
 * as the leader wrote them. Begins a new segment when the active one is full or old. Owned by its log.
 */
import { ErrorCode } from '../common/protocol/errors.ts'
import { BatchCursor } from '../common/record/batch.ts'
import {
  type AppendRefusal,
  type CheckedBatches,
  checkForFollower,
  checkForLeader,
  refuse,
  stampBatches,
} from './append-check.ts'
import { guarded } from './guard.ts'
import type { LogLayers } from './log-layers.ts'
import type {
  AppendAsFollowerResult,
  AppendAsLeaderOptions,
  AppendAsLeaderResult,
  AppendFailure,
} from './log-types.ts'
import {
  applyUpdate,
  checkProducers,
  duplicateSuccess,
  type ProducerCheck,
  type ProducerUpdate,
} from './producer-check.ts'
import { recallBatches } from './producer-recall.ts'

/** Who hears of what the appender did. */
export interface AppenderListener {
  /** Bytes wait for the flush phase. */
  onAppended(): void
  /** A segment was closed, which is not durable yet. */
  onRolled(): void
}

interface AppendedBatches {
  readonly firstOffset: number
  readonly nextOffset: number
  readonly maxTimestamp: number
  readonly nowMs: number
}

export class LogAppender {
  readonly #layers: LogLayers
  readonly #producerCheck: ProducerCheck
  readonly #listener: AppenderListener

  constructor(layers: LogLayers, producerCheck: ProducerCheck, listener: AppenderListener) {
    this.#layers = layers
    this.#producerCheck = producerCheck
    this.#listener = listener
  }

  appendAsLeader(records: Buffer, options: AppendAsLeaderOptions): AppendAsLeaderResult {
    const { context, directory, local, topicPartition } = this.#layers
    const nowMs = context.clock.wallMs()
    const { config } = local
    const { origin, leaderEpoch } = options
    const checked = checkForLeader(records, { topicPartition, origin, config, leaderEpoch, nowMs })
    if (checked.error !== ErrorCode.NONE) return this.#failure(checked)
    if (checked.records.length > config.segmentBytes) {
      return this.#failure(
        refuse(
          ErrorCode.RECORD_LIST_TOO_LARGE,
          `${checked.records.length} bytes are more than segment.bytes (${config.segmentBytes})`,
        ),
      )
    }
    return guarded(directory, undefined, () => this.#appendChecked(checked, options, nowMs)) ?? this.offline()
  }

  #appendChecked(
    checked: CheckedBatches,
    options: AppendAsLeaderOptions,
    nowMs: number,
  ): AppendAsLeaderResult {
    const { epochs, local, producers, watermarks } = this.#layers
    const { records } = checked
    const isLogAppendTime = local.config.messageTimestampType === 'LogAppendTime'
    const firstOffset = local.logEndOffset
    const nextOffset = stampBatches(records, {
      baseOffset: firstOffset,
      leaderEpoch: options.leaderEpoch,
      logAppendTimeMs: isLogAppendTime ? nowMs : undefined,
    })
    const maxTimestamp = isLogAppendTime ? nowMs : checked.maxTimestamp
    let update = checkProducers(this.#producerCheck, records, options)
    const isOutOfOrder = 'error' in update && update.error === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
    if (isOutOfOrder && recallBatches(producers, local.segments, records))
      update = checkProducers(this.#producerCheck, records, options)
    if ('error' in update) return this.#failure(refuse(update.error, update.message))
    if ('duplicate' in update) return duplicateSuccess(update.duplicate, watermarks.logStartOffset)
    epochs.assign(options.leaderEpoch, firstOffset)
    this.#append(records, { firstOffset, nextOffset, maxTimestamp, nowMs }, update)
    return {
      error: ErrorCode.NONE,
      firstOffset,
      lastOffset: nextOffset - 1,
      maxTimestamp,
      logAppendTimeMs: isLogAppendTime ? nowMs : -1,
      logStartOffset: watermarks.logStartOffset,
      isDuplicate: false,
    }
  }

  appendAsFollower(records: Buffer, leaderEpoch: number, checkCrc: boolean): AppendAsFollowerResult {
    const { context, directory, local, watermarks } = this.#layers
    const { logEndOffset } = local
    const { logStartOffset } = watermarks
    const checked = checkForFollower(records, { leaderEpoch, checkCrc })
    if (checked === undefined) return { error: ErrorCode.NONE, nextOffset: logEndOffset, logStartOffset }
    if (checked.error !== ErrorCode.NONE) return checked
    const { firstOffset, nextOffset } = checked
    if (firstOffset < logEndOffset) {
      return refuse(
        ErrorCode.UNKNOWN_SERVER_ERROR,
        `Offset ${firstOffset} cannot be appended to a log that ends at ${logEndOffset}`,
      )
    }
    const nowMs = context.clock.wallMs()
    return guarded<AppendAsFollowerResult>(directory, storageError(), () => {
      const update = checkProducers(this.#producerCheck, checked.records, {
        leaderEpoch,
        origin: 'replication',
      })
      if ('error' in update) return { error: update.error, errorMessage: update.message }
      if ('duplicate' in update) return storageError()
      this.#assignEpochs(checked.records)
      this.#append(checked.records, { ...checked, nowMs }, update)
      return { error: ErrorCode.NONE, nextOffset, logStartOffset }
    })
  }

  /** What a leader's append is answered where nothing can be written any more. */
  offline(): AppendFailure {
    return this.#failure(storageError())
  }

  #failure(refusal: AppendRefusal): AppendFailure {
    return { ...refusal, logStartOffset: this.#layers.watermarks.logStartOffset }
  }

  #assignEpochs(records: Buffer): void {
    const cursor = new BatchCursor(records)
    while (cursor.next()) {
      const { batch } = cursor
      if (!batch.isLegacy) this.#layers.epochs.assign(batch.partitionLeaderEpoch, batch.baseOffset)
    }
  }

  #append(records: Buffer, batches: AppendedBatches, update: ProducerUpdate): void {
    const { directory, local, producers } = this.#layers
    const { firstOffset, nextOffset } = batches
    directory.saveLoweredRecoveryPoints()
    this.#maybeRoll(records.length, batches)
    local.append(records, { firstOffset, nextOffset })
    const { transactionIndex } = local.segments.active
    applyUpdate(producers, update, { transactionIndex, nextOffset })
    this.#listener.onAppended()
  }

  #maybeRoll(sizeBytes: number, batches: AppendedBatches): void {
    const { local } = this.#layers
    const { segmentBytes, segmentIndexBytes, cleanupPolicy, maxCompactionLagMs } = local.config
    // What is never rolled is never compacted.
    const segmentMs = cleanupPolicy.has('compact')
      ? Math.min(local.config.segmentMs, maxCompactionLagMs)
      : local.config.segmentMs
    const mustRoll = local.segments.active.mustRoll({
      sizeBytes,
      maxTimestamp: batches.maxTimestamp,
      lastOffset: batches.nextOffset - 1,
      nowMs: batches.nowMs,
      segmentBytes,
      segmentMs,
      segmentIndexBytes,
    })
    if (mustRoll) this.roll(batches.firstOffset)
  }

  /** Begins a new segment at `baseOffset`, or at the log's end where that is later. @throws FileError */
  roll(baseOffset: number): void {
    const { local, producers, writer } = this.#layers
    local.roll(Math.max(baseOffset, local.logEndOffset))
    writer.write()
    producers.updateMapEndOffset(local.logEndOffset)
    producers.takeSnapshot()
    this.#listener.onRolled()
  }
}

export function storageError(): AppendRefusal {
  return refuse(ErrorCode.KAFKA_STORAGE_ERROR, 'The log directory is offline')
}
