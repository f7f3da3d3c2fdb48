/**
 * One append's effect on one producer: checks each batch against what is known and what the append itself has added,
 * and collects the new state, which becomes the log's state only once the append has succeeded.
 */

import { ErrorCode } from '../common/protocol/errors.ts'
import { type BatchView, NO_PRODUCER_EPOCH, NO_SEQUENCE } from '../common/record/batch.ts'
import {
  addProducerBatch,
  createProducerEntry,
  lastSequenceOf,
  type ProducerStateEntry,
  updateProducerEpoch,
} from './producer-entry.ts'
import type { EndTransactionMarker } from './transaction-marker.ts'

/** Who appends: a producer, a coordinator on this broker, the raft leader, or a follower copying its leader. */
export type AppendOrigin = 'client' | 'coordinator' | 'raft' | 'replication'

const MAX_PRODUCER_EPOCH = 32_767
const MAX_SEQUENCE = 0x7fffffff

export interface StartedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

export interface CompletedTransaction {
  readonly producerId: number
  readonly firstOffset: number
  readonly lastOffset: number
  readonly isAborted: boolean
}

/** KIP-890: what the broker that verifies a transaction has been asked to let in. */
export interface VerificationEntry {
  readonly producerId: number
  producerEpoch: number
  lowestSequence: number
  readonly supportsEpochBump: boolean
  readonly createdMs: number
  /** Identity of this verification; an append shows it to prove that it was the one verified. */
  readonly guard: VerificationGuard
}
export interface VerificationGuard {
  readonly producerId: number
}

export interface ProducerRefusal {
  readonly error: Exclude<ErrorCode, 0>
  readonly message: string
}

export class ProducerAppend {
  readonly producerId: number
  readonly updated: ProducerStateEntry
  readonly started: StartedTransaction[] = []
  readonly #current: ProducerStateEntry
  readonly #origin: AppendOrigin
  readonly #verification: VerificationEntry | undefined

  constructor(
    current: ProducerStateEntry | undefined,
    producerId: number,
    origin: AppendOrigin,
    verification: VerificationEntry | undefined,
  ) {
    this.producerId = producerId
    this.#current = current ?? createProducerEntry(producerId)
    this.#origin = origin
    this.#verification = verification
    this.updated = {
      ...createProducerEntry(producerId),
      producerEpoch: this.#current.producerEpoch,
      coordinatorEpoch: this.#current.coordinatorEpoch,
      lastTimestamp: this.#current.lastTimestamp,
      currentTransactionFirstOffset: this.#current.currentTransactionFirstOffset,
    }
  }

  appendData(batch: BatchView): ProducerRefusal | undefined {
    const { producerEpoch, baseOffset, lastOffset, isTransactional } = batch
    const refusal =
      this.#checkEpoch(producerEpoch, 0) ??
      (this.#origin === 'client' ? this.#checkSequence(producerEpoch, batch.baseSequence) : undefined)
    if (refusal !== undefined) return refusal
    const { updated } = this
    addProducerBatch(updated, producerEpoch, {
      lastSequence: batch.lastSequence,
      lastOffset,
      offsetDelta: lastOffset - baseOffset,
      timestamp: batch.maxTimestamp,
    })
    const isOpen = updated.currentTransactionFirstOffset >= 0
    if (isOpen && !isTransactional) {
      return {
        error: ErrorCode.INVALID_TXN_STATE,
        message: `Producer ${this.producerId} has an open transaction and sent a batch outside of it`,
      }
    }
    if (!isOpen && isTransactional) {
      updated.currentTransactionFirstOffset = baseOffset
      this.started.push({ producerId: this.producerId, firstOffset: baseOffset })
    }
    return undefined
  }

  /** @returns a refusal, the transaction that the marker ends, or undefined when there was none open */
  appendMarker(
    batch: BatchView,
    marker: EndTransactionMarker,
    transactionVersion: number,
  ): { refusal?: ProducerRefusal; completed?: CompletedTransaction } {
    const refusal =
      this.#checkEpoch(batch.producerEpoch, transactionVersion) ?? this.#checkCoordinatorEpoch(marker)
    if (refusal !== undefined) return { refusal }
    const { updated, producerId } = this
    const firstOffset = updated.currentTransactionFirstOffset
    updateProducerEpoch(updated, batch.producerEpoch)
    updated.currentTransactionFirstOffset = -1
    updated.coordinatorEpoch = marker.coordinatorEpoch
    updated.lastTimestamp = marker.timestamp
    // An empty transaction leaves nothing that a reader would have to skip.
    if (firstOffset < 0) return {}
    const isAborted = marker.type === 'abort'
    return { completed: { producerId, firstOffset, lastOffset: batch.baseOffset, isAborted } }
  }

  #checkEpoch(producerEpoch: number, transactionVersion: number): ProducerRefusal | undefined {
    const { producerEpoch: known, currentTransactionFirstOffset } = this.updated
    // With transaction version 2 every transaction ends with a raised epoch, so a marker of the known one is late
    // (KIP-890), unless it repeats one that has been written.
    if (transactionVersion >= 2 ? producerEpoch > known : producerEpoch >= known) return undefined
    const isRepeated = currentTransactionFirstOffset < 0 || producerEpoch === MAX_PRODUCER_EPOCH
    if (transactionVersion >= 2 && producerEpoch === known && isRepeated) return undefined
    if (this.#origin === 'replication') return undefined
    return {
      error: ErrorCode.INVALID_PRODUCER_EPOCH,
      message: `Epoch ${producerEpoch} of producer ${this.producerId} is behind the known epoch ${known}`,
    }
  }

  #checkSequence(producerEpoch: number, firstSequence: number): ProducerRefusal | undefined {
    const verification = this.#verification
    const current = this.#current
    if (verification?.supportsEpochBump && firstSequence !== 0 && current.batches.length === 0) {
      return this.#outOfOrder(firstSequence, 'a producer without state must begin with sequence 0')
    }
    if (verification !== undefined && firstSequence > verification.lowestSequence) {
      return this.#outOfOrder(
        firstSequence,
        `sequence ${verification.lowestSequence} was verified first and has not been written`,
      )
    }
    const { updated } = this
    if (producerEpoch !== updated.producerEpoch) {
      if (firstSequence === 0 || updated.producerEpoch === NO_PRODUCER_EPOCH) return undefined
      return this.#outOfOrder(firstSequence, `the new epoch ${producerEpoch} must begin with sequence 0`)
    }
    // Nothing known of the epoch: all of the producer's records were deleted, so any sequence is taken.
    if (current.producerEpoch === NO_PRODUCER_EPOCH) return undefined
    const last =
      updated.batches.length > 0
        ? lastSequenceOf(updated)
        : producerEpoch === current.producerEpoch
          ? lastSequenceOf(current)
          : NO_SEQUENCE
    if (firstSequence === last + 1 || (firstSequence === 0 && last === MAX_SEQUENCE)) return undefined
    return this.#outOfOrder(firstSequence, `the last known sequence is ${last}`)
  }

  #checkCoordinatorEpoch(marker: EndTransactionMarker): ProducerRefusal | undefined {
    if (this.updated.coordinatorEpoch <= marker.coordinatorEpoch || this.#origin === 'replication') {
      return undefined
    }
    return {
      error: ErrorCode.TRANSACTION_COORDINATOR_FENCED,
      message: `Coordinator epoch ${marker.coordinatorEpoch} for producer ${this.producerId} is behind ${this.updated.coordinatorEpoch}`,
    }
  }

  #outOfOrder(sequence: number, why: string): ProducerRefusal {
    return {
      error: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
      message: `Sequence ${sequence} of producer ${this.producerId} is out of order: ${why}`,
    }
  }
}
