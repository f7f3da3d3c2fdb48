/**
 * Writes the end of prepared transactions into their partitions: WriteTxnMarkers to the leaders, until every partition has
 * its marker or is gone (KIP-98, KIP-1228).
 *
 * Owner: the transaction coordinator. Everything that is added in one turn goes in one request to each broker. Failures are
 * tried again after a growing pause, for as long as the coordinator leads the transactional id: a transaction that is prepared
 * must end. Limits: a partition has at most one marker of a transaction under way.
 */
import type {
  WriteTxnMarkersRequest,
  WriteTxnMarkersResponse,
} from '../../../common/protocol/apis/27-write-txn-markers.ts'
import { ErrorCode, errorName } from '../../../common/protocol/errors.ts'
import type { CallResult } from '../../../common/rpc/channel.ts'
import type { Deferred } from '../../../common/runtime/deferred.ts'
import type { Reactor } from '../../../common/runtime/reactor.ts'
import type { Scheduler } from '../../../common/runtime/scheduler.ts'
import type { Trace } from '../../../common/runtime/trace.ts'
import type { TransactionPartitions } from './transaction-metadata.ts'

/** Sends to a broker, this one too, in the highest version. */
export type SendMarkers = (
  brokerId: number,
  request: WriteTxnMarkersRequest,
) => Deferred<CallResult<WriteTxnMarkersResponse>>

export interface PreparedTransaction {
  readonly transactionalId: string
  /** Partition of `__transaction_state` it belongs to. */
  readonly coordinatorPartition: number
  readonly coordinatorEpoch: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly isCommit: boolean
  readonly transactionVersion: number
  readonly partitions: TransactionPartitions
}

export interface MarkerSenderOptions {
  readonly reactor: Reactor
  readonly scheduler: Scheduler
  readonly trace: Trace
  /** The leader of a partition, -1 while it has none, undefined when the partition does not exist (any more). */
  readonly leaderOf: (topic: string, partition: number) => number | undefined
  readonly send: SendMarkers
  /** Every partition has its marker. */
  readonly onWritten: (transaction: PreparedTransaction) => void
}

interface Sending {
  readonly transaction: PreparedTransaction
  /** topic -> partitions without marker */
  readonly missing: Map<string, Set<number>>
  failures: number
}

type Marker = WriteTxnMarkersRequest['markers'][number]

const FIRST_BACKOFF_MS = 20
const MAX_BACKOFF_MS = 1_000

export class MarkerSender {
  readonly #options: MarkerSenderOptions
  readonly #sending = new Map<string, Sending>()
  /** To be looked at in the flush that is posted. */
  readonly #due = new Map<Sending, Map<string, Set<number>>>()
  #isFlushPosted = false

  constructor(options: MarkerSenderOptions) {
    this.#options = options
  }

  /** Transactions that wait for markers, for views and tests. */
  get pendingCount(): number {
    return this.#sending.size
  }

  /** Begins to write the markers; does nothing when it has begun already. */
  add(transaction: PreparedTransaction): void {
    const key = keyOf(transaction)
    if (this.#sending.has(key)) return
    const missing = copyOf(transaction.partitions)
    const sending: Sending = { transaction, missing, failures: 0 }
    this.#sending.set(key, sending)
    this.#makeDue(sending, copyOf(missing))
  }

  /** The coordinator has lost this partition of `__transaction_state`: its successor goes on. */
  removePartition(coordinatorPartition: number): void {
    for (const [key, sending] of this.#sending) {
      if (sending.transaction.coordinatorPartition !== coordinatorPartition) continue
      this.#sending.delete(key)
      this.#due.delete(sending)
    }
  }

  #isCurrent(sending: Sending): boolean {
    return this.#sending.get(keyOf(sending.transaction)) === sending
  }

  #makeDue(sending: Sending, partitions: Map<string, Set<number>>): void {
    const known = this.#due.get(sending)
    if (known === undefined) this.#due.set(sending, partitions)
    else for (const [topic, indexes] of partitions) for (const index of indexes) addTo(known, topic, index)
    if (this.#isFlushPosted) return
    this.#isFlushPosted = true
    this.#options.reactor.post(() => this.#flush())
  }

  #flush(): void {
    this.#isFlushPosted = false
    const batches = new Map<number, { sending: Sending; partitions: Map<string, Set<number>> }[]>()
    for (const [sending, partitions] of this.#due) {
      const leaderless = new Map<string, Set<number>>()
      const byBroker = this.#byLeader(sending, partitions, leaderless)
      for (const [brokerId, ofBroker] of byBroker) {
        let batch = batches.get(brokerId)
        if (batch === undefined) {
          batch = []
          batches.set(brokerId, batch)
        }
        batch.push({ sending, partitions: ofBroker })
      }
      if (leaderless.size > 0) this.#retryLater(sending, leaderless)
      this.#maybeDone(sending)
    }
    this.#due.clear()
    for (const [brokerId, batch] of batches) this.#send(brokerId, batch)
  }

  #byLeader(
    sending: Sending,
    partitions: Map<string, Set<number>>,
    leaderless: Map<string, Set<number>>,
  ): Map<number, Map<string, Set<number>>> {
    const byBroker = new Map<number, Map<string, Set<number>>>()
    for (const [topic, indexes] of partitions) {
      for (const index of indexes) {
        const leaderId = this.#options.leaderOf(topic, index)
        if (leaderId === undefined) {
          // The topic was deleted: nobody waits for this marker any more.
          removeFrom(sending.missing, topic, index)
        } else if (leaderId < 0) addTo(leaderless, topic, index)
        else {
          let ofBroker = byBroker.get(leaderId)
          if (ofBroker === undefined) {
            ofBroker = new Map()
            byBroker.set(leaderId, ofBroker)
          }
          addTo(ofBroker, topic, index)
        }
      }
    }
    return byBroker
  }

  #send(
    brokerId: number,
    batch: readonly { sending: Sending; partitions: Map<string, Set<number>> }[],
  ): void {
    const markers = batch.map(({ sending, partitions }) => markerOf(sending.transaction, partitions))
    this.#options.send(brokerId, { markers }).whenDone((result) => {
      batch.forEach((entry, index) => {
        if (!this.#isCurrent(entry.sending)) return
        const answered = result.ok ? result.response.markers[index] : undefined
        this.#onAnswer(entry, answered)
      })
    })
  }

  #onAnswer(
    { sending, partitions }: { sending: Sending; partitions: Map<string, Set<number>> },
    answered: WriteTxnMarkersResponse['markers'][number] | undefined,
  ): void {
    const retry = copyOf(partitions)
    for (const { name, partitions: results } of answered?.topics ?? []) {
      for (const { partitionIndex, errorCode } of results) {
        const verdict = verdictOn(errorCode)
        if (verdict === 'retry') continue
        if (verdict === 'give-up') {
          this.#giveUp(sending, errorCode)
          return
        }
        removeFrom(retry, name, partitionIndex)
        removeFrom(sending.missing, name, partitionIndex)
      }
    }
    if (retry.size > 0) this.#retryLater(sending, retry)
    this.#maybeDone(sending)
  }

  /** Somebody with a newer epoch, coordinator or producer, has the last word on this transaction. */
  #giveUp(sending: Sending, errorCode: ErrorCode): void {
    const { transactionalId, producerId, producerEpoch } = sending.transaction
    this.#sending.delete(keyOf(sending.transaction))
    this.#due.delete(sending)
    this.#options.trace.emit({
      level: 'warn',
      kind: 'transaction.markers-refused',
      message: `markers of ${transactionalId} (producer ${producerId}, epoch ${producerEpoch}): ${errorName(errorCode)}`,
    })
  }

  #retryLater(sending: Sending, partitions: Map<string, Set<number>>): void {
    const delayMs = Math.min(FIRST_BACKOFF_MS * 2 ** sending.failures, MAX_BACKOFF_MS)
    sending.failures = Math.min(sending.failures + 1, 16)
    const { transactionalId } = sending.transaction
    this.#options.scheduler.schedule(`retry of the markers of ${transactionalId}`, delayMs, () => {
      if (this.#isCurrent(sending)) this.#makeDue(sending, partitions)
    })
  }

  #maybeDone(sending: Sending): void {
    if (sending.missing.size > 0 || !this.#isCurrent(sending)) return
    this.#sending.delete(keyOf(sending.transaction))
    this.#options.onWritten(sending.transaction)
  }
}

/** What becomes of a partition after its leader has answered. Retrying is right for whatever may pass. */
function verdictOn(errorCode: ErrorCode): 'written' | 'retry' | 'give-up' {
  switch (errorCode) {
    case ErrorCode.NONE:
    // Nothing of the transaction can lie in such a log.
    case ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT:
      return 'written'
    case ErrorCode.INVALID_PRODUCER_EPOCH:
    case ErrorCode.TRANSACTION_COORDINATOR_FENCED:
      return 'give-up'
    default:
      return 'retry'
  }
}

function markerOf(transaction: PreparedTransaction, partitions: Map<string, Set<number>>): Marker {
  return {
    producerId: transaction.producerId,
    producerEpoch: transaction.producerEpoch,
    transactionResult: transaction.isCommit,
    topics: [...partitions].map(([name, indexes]) => ({ name, partitionIndexes: [...indexes] })),
    coordinatorEpoch: transaction.coordinatorEpoch,
    transactionVersion: transaction.transactionVersion,
  } as Marker
}

function keyOf({ transactionalId, producerId, producerEpoch }: PreparedTransaction): string {
  return `${producerId} ${producerEpoch} ${transactionalId}`
}

function copyOf(partitions: TransactionPartitions): Map<string, Set<number>> {
  return new Map([...partitions].map(([topic, indexes]) => [topic, new Set(indexes)]))
}

function addTo(partitions: Map<string, Set<number>>, topic: string, index: number): void {
  const indexes = partitions.get(topic)
  if (indexes === undefined) partitions.set(topic, new Set([index]))
  else indexes.add(index)
}

function removeFrom(partitions: Map<string, Set<number>>, topic: string, index: number): void {
  const indexes = partitions.get(topic)
  indexes?.delete(index)
  if (indexes?.size === 0) partitions.delete(topic)
}
