/**
 * A producer that writes in transactions: some records to some partitions, then commit or abort, over and over. Sometimes it is forgotten in the
 * middle, as by a crash, and its next life takes over under the same transactional id. `isOld` speaks the protocol before KIP-890: partitions are
 * added one by one, and the epoch stays.
 */
import { Produce } from '../../../common/protocol/apis/00-produce.ts'
import { InitProducerId } from '../../../common/protocol/apis/22-init-producer-id.ts'
import { AddPartitionsToTxn } from '../../../common/protocol/apis/24-add-partitions-to-txn.ts'
import { EndTxn } from '../../../common/protocol/apis/26-end-txn.ts'
import { ErrorCode, errorInfo, errorName } from '../../../common/protocol/errors.ts'
import { keyOf, type SentRecord, type SimTransaction } from '../cluster/ledger.ts'
import { batchBytes } from './producer.ts'
import { type KnownPartition, SimClient } from './sim-client.ts'

const INIT_VERSION = 5
const OLD_PRODUCE_VERSION = 11
const OLD_ADD_VERSION = 3
const OLD_END_VERSION = 4
const TRANSACTION_TIMEOUT_MS = 6_000
/** After so long without success the transaction is given up. */
const PATIENCE_MS = 8_000

interface Part {
  readonly topicId: string
  readonly index: number
  readonly records: readonly SentRecord[]
  readonly sequence: number
}

export class TransactionalProducer extends SimClient {
  readonly #isOld: boolean
  readonly #transactionalId: string
  #coordinator = -1
  #producerId = -1
  #producerEpoch = -1
  #sequences = new Map<string, number>()
  #made = 0
  #count = 0
  #isStopped = false
  #isBusy = false
  /** Counts the lives: answers to an earlier one do not matter any more. */
  #life = 0

  constructor(options: {
    name: string
    cluster: SimClient['cluster']
    ledger: SimClient['ledger']
    topics: readonly string[]
    isOld: boolean
  }) {
    super(options)
    this.#isOld = options.isOld
    this.#transactionalId = `id-${options.name}`
  }

  get isIdle(): boolean {
    return !this.#isBusy
  }

  stopProducing(): void {
    this.#isStopped = true
  }

  override start(): void {
    this.#isBusy = true
    this.#life += 1
    this.#initialize(this.#life)
  }

  /** Whether a callback is still of interest. */
  #isCurrent(life: number): boolean {
    return !this.isClosed && life === this.#life
  }

  #withCoordinator(life: number, done: () => void): void {
    if (this.#coordinator >= 0) {
      done()
      return
    }
    this.findCoordinator(1, this.#transactionalId, (nodeId) => {
      if (!this.#isCurrent(life)) return
      this.#coordinator = nodeId
      done()
    })
  }

  #initialize(life: number): void {
    this.#withCoordinator(life, () => {
      const request = { transactionalId: this.#transactionalId, transactionTimeoutMs: TRANSACTION_TIMEOUT_MS }
      this.call(this.#coordinator, InitProducerId, request, { version: INIT_VERSION }).whenDone((answer) => {
        if (!this.#isCurrent(life)) return
        if (!answer.ok || answer.response.errorCode !== ErrorCode.NONE) {
          this.#coordinator = -1
          this.later(50 + this.random.int(200), 'initialize again', () => {
            if (this.#isCurrent(life)) this.#initialize(life)
          })
          return
        }
        this.#producerId = answer.response.producerId
        this.#producerEpoch = answer.response.producerEpoch
        this.#sequences.clear()
        this.#rest(life)
      })
    })
  }

  #rest(life: number): void {
    this.#isBusy = false
    if (this.#isStopped) return
    this.later(this.random.int(250), 'next transaction', () => {
      if (this.#isCurrent(life)) this.withMetadata(() => this.#begin(life))
    })
  }

  #begin(life: number): void {
    if (this.#isStopped || !this.#isCurrent(life)) return
    const targets = this.random.shuffle(this.partitions).slice(0, 1 + this.random.int(3))
    if (targets.length === 0) {
      this.#rest(life)
      return
    }
    this.#isBusy = true
    this.#count += 1
    const transaction: SimTransaction = { id: `${this.name}/${this.#count}`, values: [], outcome: 'open' }
    this.ledger.transactions.push(transaction)
    const parts = targets.map((known) => this.#part(known, transaction))
    const deadlineMs = this.cluster.nowMs + PATIENCE_MS
    let left = parts.length
    const isForgotten = this.random.int(12) === 0
    for (const part of parts) {
      this.#sendPart(life, part, deadlineMs, transaction, () => {
        left -= 1
        if (left > 0) return
        if (isForgotten) this.#giveUp(life, transaction, 'aborted')
        else this.#end(life, transaction, this.random.int(5) > 0, deadlineMs + PATIENCE_MS)
      })
    }
  }

  #part(known: KnownPartition, transaction: SimTransaction): Part {
    const key = keyOf(known)
    const records = Array.from({ length: 1 + this.random.int(2) }, (): SentRecord => {
      this.#made += 1
      const value = `${this.name}:${this.#made}`
      transaction.values.push(value)
      return { value, partition: key, acks: -1, isIdempotent: true, transaction, state: 'pending' }
    })
    for (const record of records) this.ledger.sent.set(record.value, record)
    const sequence = this.#sequences.get(key) ?? 0
    this.#sequences.set(key, sequence + records.length)
    return { topicId: known.topicId, index: known.index, records, sequence }
  }

  #sendPart(
    life: number,
    part: Part,
    deadlineMs: number,
    transaction: SimTransaction,
    done: () => void,
  ): void {
    const known = this.partition(part.topicId, part.index)
    const retry = (): void => {
      if (this.cluster.nowMs > deadlineMs) this.#giveUp(life, transaction, 'aborted')
      else
        this.later(20 + this.random.int(150), 'send again', () => {
          if (this.#isCurrent(life))
            this.refresh(() => {
              if (this.#isCurrent(life)) this.#sendPart(life, part, deadlineMs, transaction, done)
            })
        })
    }
    if (known === undefined || known.leaderId < 0) {
      retry()
      return
    }
    this.#addPartition(life, known, transaction, retry, () => {
      const records = batchBytes(
        part.records.map(({ value }) => value),
        {
          timestampMs: this.cluster.world.clock.wallMs(),
          producerId: this.#producerId,
          producerEpoch: this.#producerEpoch,
          baseSequence: part.sequence,
          isTransactional: true,
        },
      )
      const version = this.#isOld ? OLD_PRODUCE_VERSION : Produce.versions.highest
      const request = {
        transactionalId: this.#transactionalId,
        acks: -1,
        timeoutMs: 1_500,
        topicData: [
          { topicId: known.topicId, name: known.topic, partitionData: [{ index: known.index, records }] },
        ],
      }
      this.call(known.leaderId, Produce, request, { version }).whenDone((answer) => {
        if (!this.#isCurrent(life)) return
        const error = answer.ok ? answer.response.responses[0]?.partitionResponses[0]?.errorCode : undefined
        if (error === ErrorCode.NONE) {
          for (const record of part.records) record.state = 'acknowledged'
          done()
        } else if (error === undefined || isRetriable(error)) retry()
        else {
          this.event(`cannot write: ${errorName(error)}`)
          this.#giveUp(life, transaction, 'aborted')
        }
      })
    })
  }

  #addPartition(
    life: number,
    known: KnownPartition,
    transaction: SimTransaction,
    retry: () => void,
    done: () => void,
  ): void {
    if (!this.#isOld) {
      done()
      return
    }
    this.#withCoordinator(life, () => {
      const request = {
        v3AndBelowTransactionalId: this.#transactionalId,
        v3AndBelowProducerId: this.#producerId,
        v3AndBelowProducerEpoch: this.#producerEpoch,
        v3AndBelowTopics: [{ name: known.topic, partitions: [known.index] }],
      }
      this.call(this.#coordinator, AddPartitionsToTxn, request, { version: OLD_ADD_VERSION }).whenDone(
        (answer) => {
          if (!this.#isCurrent(life)) return
          const error = answer.ok
            ? answer.response.resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode
            : undefined
          if (error === ErrorCode.NONE) done()
          else if (error === undefined || isRetriable(error)) {
            if (error !== ErrorCode.CONCURRENT_TRANSACTIONS) this.#coordinator = -1
            retry()
          } else {
            this.event(`cannot add a partition: ${errorName(error)}`)
            this.#giveUp(life, transaction, 'aborted')
          }
        },
      )
    })
  }

  #end(life: number, transaction: SimTransaction, isCommit: boolean, deadlineMs: number): void {
    // From here on nobody but the coordinator knows, until it has answered.
    if (isCommit) transaction.outcome = 'unknown'
    this.#withCoordinator(life, () => {
      const request = {
        transactionalId: this.#transactionalId,
        producerId: this.#producerId,
        producerEpoch: this.#producerEpoch,
        committed: isCommit,
      }
      const version = this.#isOld ? OLD_END_VERSION : EndTxn.versions.highest
      this.call(this.#coordinator, EndTxn, request, { version }).whenDone((answer) => {
        if (!this.#isCurrent(life)) return
        const error = answer.ok ? answer.response.errorCode : undefined
        if (answer.ok && error === ErrorCode.NONE) {
          transaction.outcome = isCommit ? 'committed' : 'aborted'
          this.event(`${transaction.outcome} ${transaction.id} [${transaction.values.join(' ')}]`)
          if (!this.#isOld) {
            this.#producerId = answer.response.producerId
            this.#producerEpoch = answer.response.producerEpoch
            this.#sequences.clear()
          }
          this.#rest(life)
          return
        }
        const mayRetry = error === undefined || isRetriable(error)
        if (mayRetry && this.cluster.nowMs < deadlineMs) {
          if (error !== ErrorCode.CONCURRENT_TRANSACTIONS) this.#coordinator = -1
          this.later(20 + this.random.int(150), 'end again', () => {
            if (this.#isCurrent(life)) this.#end(life, transaction, isCommit, deadlineMs)
          })
          return
        }
        if (error !== undefined) this.event(`cannot end ${transaction.id}: ${errorName(error)}`)
        this.#giveUp(life, transaction, isCommit ? 'unknown' : 'aborted')
      })
    })
  }

  /** Begins a new life, which ends what the old one left open. */
  #giveUp(life: number, transaction: SimTransaction, outcome: 'aborted' | 'unknown'): void {
    if (!this.#isCurrent(life)) return
    transaction.outcome = outcome
    this.event(`gives ${transaction.id} up, ${outcome}`)
    this.start()
  }
}

function isRetriable(error: ErrorCode): boolean {
  return errorInfo(error).isRetriable
}
