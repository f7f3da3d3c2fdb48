/**
 * What a log remembers of one producer: its epoch, its last five batches and its open transaction.
 */
import {
  type BatchView,
  decrementSequence,
  NO_PRODUCER_EPOCH,
  NO_SEQUENCE,
  NO_TIMESTAMP,
} from '../common/record/batch.ts'

/** How many batches are remembered to recognise a retry; clients may have as many requests in flight. */
export const REMEMBERED_BATCHES = 5

export interface ProducerBatch {
  readonly lastSequence: number
  readonly lastOffset: number
  readonly offsetDelta: number
  readonly timestamp: number
}

export interface ProducerStateEntry {
  readonly producerId: number
  producerEpoch: number
  /** -1 before the first transaction marker. */
  coordinatorEpoch: number
  lastTimestamp: number
  /** First offset of the open transaction, -1 when there is none. */
  currentTransactionFirstOffset: number
  /** Oldest first, at most `REMEMBERED_BATCHES`. Empty right after a transaction marker of a new epoch. */
  batches: ProducerBatch[]
  /** It came from a snapshot: the log may hold batches of its epoch that are not remembered. */
  isAbridged: boolean
}

/** What DescribeProducers tells of a producer. */
export interface ActiveProducer {
  readonly producerId: number
  readonly producerEpoch: number
  readonly lastSequence: number
  readonly lastTimestamp: number
  readonly coordinatorEpoch: number
  /** -1 when no transaction is open. */
  readonly currentTransactionStartOffset: number
}

export function createProducerEntry(producerId: number): ProducerStateEntry {
  return {
    producerId,
    producerEpoch: NO_PRODUCER_EPOCH,
    coordinatorEpoch: -1,
    lastTimestamp: NO_TIMESTAMP,
    currentTransactionFirstOffset: -1,
    batches: [],
    isAbridged: false,
  }
}

export function lastSequenceOf(entry: ProducerStateEntry): number {
  return entry.batches.at(-1)?.lastSequence ?? NO_SEQUENCE
}

export function describeProducer(entry: ProducerStateEntry): ActiveProducer {
  return {
    producerId: entry.producerId,
    producerEpoch: entry.producerEpoch,
    lastSequence: lastSequenceOf(entry),
    lastTimestamp: entry.lastTimestamp,
    coordinatorEpoch: entry.coordinatorEpoch,
    currentTransactionStartOffset: entry.currentTransactionFirstOffset,
  }
}

/** The remembered batch that `batch` repeats: same epoch and the same sequence range. */
export function findDuplicate(entry: ProducerStateEntry, batch: BatchView): ProducerBatch | undefined {
  if (batch.producerEpoch !== entry.producerEpoch) return undefined
  const { baseSequence, lastSequence } = batch
  return entry.batches.find(
    (known) =>
      known.lastSequence === lastSequence &&
      decrementSequence(known.lastSequence, known.offsetDelta) === baseSequence,
  )
}

/** Takes over an epoch; the batches of an older one are forgotten. */
export function updateProducerEpoch(entry: ProducerStateEntry, producerEpoch: number): void {
  if (entry.producerEpoch === producerEpoch) return
  entry.batches = []
  entry.producerEpoch = producerEpoch
}

export function addProducerBatch(
  entry: ProducerStateEntry,
  producerEpoch: number,
  batch: ProducerBatch,
): void {
  updateProducerEpoch(entry, producerEpoch)
  if (entry.batches.length === REMEMBERED_BATCHES) entry.batches.shift()
  entry.batches.push(batch)
  entry.lastTimestamp = batch.timestamp
}
