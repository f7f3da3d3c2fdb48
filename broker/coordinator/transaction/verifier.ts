/**
 * Asks transaction coordinators whether partitions of this broker belong to a producer's transaction, or has them added, before
 * transactional batches are appended (KIP-890).
 *
 * Owner: the broker. A partition whose log has the transaction open needs no question. Questions of one turn go in one request to
 * each coordinator. Limits: a question is answered when its request is, at the latest by the request's time limit.
 */
import type {
  AddPartitionsToTxn,
  AddPartitionsToTxnRequest,
  AddPartitionsToTxnResponse,
} from '../../../common/protocol/apis/24-add-partitions-to-txn.ts'
import { ErrorCode, errorName } from '../../../common/protocol/errors.ts'
import type { RequestInputOf } from '../../../common/protocol/schema.ts'
import { BatchCursor } from '../../../common/record/batch.ts'
import type { CallResult } from '../../../common/rpc/channel.ts'
import type { Clock } from '../../../common/runtime/clock.ts'
import { Deferred } from '../../../common/runtime/deferred.ts'
import type { Reactor } from '../../../common/runtime/reactor.ts'
import type { Scheduler } from '../../../common/runtime/scheduler.ts'
import type { MetadataImage } from '../../metadata/image.ts'
import type { Partition } from '../../replica/partition.ts'
import { TRANSACTION_TOPIC } from '../../topic-names.ts'
import type {
  TransactionVerifier,
  VerifiableAppend,
  VerifiableWrite,
  VerifiedAppend,
} from '../../transaction-verifier.ts'
import { partitionForKey } from '../coordinator-service.ts'
import type { TransactionConfig } from './transaction-config.ts'
import { EPOCH_BUMP_VERSION } from './transaction-metadata.ts'

/** Sends to a broker, this one too, in the highest version. */
export type SendAddPartitions = (
  brokerId: number,
  request: RequestInputOf<typeof AddPartitionsToTxn>,
) => Deferred<CallResult<AddPartitionsToTxnResponse>>

export interface TransactionPartitionVerifierOptions {
  readonly clock: Clock
  readonly reactor: Reactor
  readonly scheduler: Scheduler
  readonly config: TransactionConfig
  readonly requestTimeoutMs: () => number
  readonly metadata: () => MetadataImage
  readonly send: SendAddPartitions
}

interface Question {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
  readonly verifyOnly: boolean
  readonly partitions: readonly Partition[]
  readonly answer: Deferred<readonly ErrorCode[]>
}

type TransactionResult = AddPartitionsToTxnResponse['resultsByTransaction'][number]
/** One entry of a request and the questions it answers. */
interface Entry {
  readonly first: Question
  readonly questions: Question[]
}

const KNOWS_ABORTABLE_VERSION = 1
const NO_SEQUENCE = -1
/** How often a marker may come between a question and its answer. */
const MAX_ATTEMPTS = 3

export class TransactionPartitionVerifier implements TransactionVerifier {
  readonly #options: TransactionPartitionVerifierOptions
  #queued: Question[] = []
  #isFlushPosted = false

  constructor(options: TransactionPartitionVerifierOptions) {
    this.#options = options
  }

  verify(
    transactionalId: string | null,
    appends: readonly VerifiableAppend[],
    transactionVersion: number,
  ): Deferred<readonly VerifiedAppend[]> | undefined {
    const batches = appends.map(({ records }) => firstTransactionalBatch(records))
    const producer = batches.find((batch) => batch !== undefined)
    if (producer === undefined) return undefined
    if (transactionalId === null) return refuseAll(appends, ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    if (batches.some((batch) => batch !== undefined && !isSameProducer(batch, producer))) {
      return refuseAll(appends, ErrorCode.INVALID_PRODUCER_ID_MAPPING)
    }
    if (!this.#isNeeded(transactionVersion)) return undefined
    const writes = appends.map(({ partition }, index) => ({ partition, batch: batches[index] }))
    const input = { transactionalId, ...producer, writes, transactionVersion }
    const first = begin(input)
    if (first.every(isVerified)) return undefined
    const limitMs = transactionVersion >= EPOCH_BUMP_VERSION ? this.#patienceMs() : 0
    return this.#pursue(input, first, limitMs).map((results) =>
      results.map((result) => ({
        ...produceResultOf(result.error, transactionVersion),
        guard: result.guard,
      })),
    )
  }

  verifyPartition(write: VerifiableWrite, transactionVersion: number): Deferred<VerifiedAppend> {
    const { transactionalId, producerId, producerEpoch, partition } = write
    if (!this.#isNeeded(transactionVersion)) return Deferred.of(VERIFIED)
    const batch = { producerId, producerEpoch, baseSequence: NO_SEQUENCE }
    const input = {
      transactionalId,
      producerId,
      producerEpoch,
      writes: [{ partition, batch }],
      transactionVersion,
    }
    return this.#pursue(input, begin(input), 0).map(([result]) => {
      const { error, guard } = result ?? VERIFIED
      return { error: knownError(error, transactionVersion), guard }
    })
  }

  /** `transaction.partition.verification.enable` does not spare clients whose partitions are added here. */
  #isNeeded(transactionVersion: number): boolean {
    return (
      transactionVersion >= EPOCH_BUMP_VERSION ||
      this.#options.config.get('transaction.partition.verification.enable')
    )
  }

  /** `add.partitions.to.txn.retry.backoff.max.ms` */
  #patienceMs(): number {
    const { config, requestTimeoutMs } = this.#options
    return Math.min(config.get('add.partitions.to.txn.retry.backoff.max.ms'), requestTimeoutMs())
  }

  /**
   * Asks until there is an answer that still holds. The transaction before may be ending: where partitions are added it is worth to wait
   * a little. And its marker may arrive meanwhile, which takes the guards back: then it is asked again.
   */
  #pursue(
    input: VerificationInput,
    first: readonly VerifiedAppend[],
    limitMs: number,
  ): Deferred<readonly VerifiedAppend[]> {
    const { clock, scheduler, config } = this.#options
    const deadlineMs = clock.monotonicMs() + limitMs
    const done = new Deferred<readonly VerifiedAppend[]>()
    const attempt = (started: readonly VerifiedAppend[], attemptsLeft: number): void => {
      this.#ask(input, started).whenDone((results) => {
        const isBlocked = results.some(({ error }) => error === ErrorCode.CONCURRENT_TRANSACTIONS)
        if (isBlocked && clock.monotonicMs() < deadlineMs) {
          const delayMs = config.get('add.partitions.to.txn.retry.backoff.ms')
          const label = `retry of adding partitions to ${input.transactionalId}`
          scheduler.schedule(label, delayMs, () => attempt(begin(input), attemptsLeft))
          return
        }
        if (attemptsLeft > 1 && results.some(({ error }) => error === ErrorCode.NONE)) {
          const again = begin(input)
          if (hasNewGuard(results, again)) {
            attempt(again, attemptsLeft - 1)
            return
          }
        }
        done.complete(results)
      })
    }
    attempt(first, MAX_ATTEMPTS)
    return done
  }

  /** Asks for the partitions that have a guard; the others keep their result. */
  #ask(input: VerificationInput, started: readonly VerifiedAppend[]): Deferred<readonly VerifiedAppend[]> {
    const { transactionalId, producerId, producerEpoch, writes, transactionVersion } = input
    const asked = started.flatMap(({ guard }, index) => (guard === undefined ? [] : [index]))
    if (asked.length === 0) return Deferred.of(started)
    const answer = new Deferred<readonly ErrorCode[]>()
    const partitions = asked.map((index) => (writes[index] as Write).partition)
    const verifyOnly = transactionVersion < EPOCH_BUMP_VERSION
    this.#queued.push({ transactionalId, producerId, producerEpoch, verifyOnly, partitions, answer })
    if (!this.#isFlushPosted) {
      this.#isFlushPosted = true
      this.#options.reactor.post(() => this.#flush())
    }
    return answer.map((errors) => {
      const results = [...started]
      asked.forEach((index, position) => {
        const error = errors[position] ?? ErrorCode.NETWORK_EXCEPTION
        results[index] = { error, guard: started[index]?.guard }
      })
      return results
    })
  }

  #flush(): void {
    this.#isFlushPosted = false
    const questions = this.#queued
    this.#queued = []
    const byCoordinator = new Map<number, Question[]>()
    for (const question of questions) {
      const brokerId = this.#coordinatorOf(question.transactionalId)
      if (brokerId === undefined) {
        question.answer.complete(question.partitions.map(() => ErrorCode.COORDINATOR_NOT_AVAILABLE))
        continue
      }
      const known = byCoordinator.get(brokerId)
      if (known === undefined) byCoordinator.set(brokerId, [question])
      else known.push(question)
    }
    for (const [brokerId, ofBroker] of byCoordinator) {
      for (const entries of requestsOf(ofBroker)) this.#send(brokerId, entries)
    }
  }

  #send(brokerId: number, entries: readonly Entry[]): void {
    const transactions = entries.map(({ first, questions }) => ({
      transactionalId: first.transactionalId,
      producerId: first.producerId,
      producerEpoch: first.producerEpoch,
      verifyOnly: first.verifyOnly,
      topics: topicsOf(questions),
    }))
    this.#options.send(brokerId, { transactions }).whenDone((result) => {
      const whole = wholeErrorOf(result)
      const results = result.ok ? result.response.resultsByTransaction : []
      for (const { first, questions } of entries) {
        const found = results.find(({ transactionalId }) => transactionalId === first.transactionalId)
        for (const { partitions, answer } of questions) {
          answer.complete(
            partitions.map((partition) =>
              whole === ErrorCode.NONE ? partitionErrorOf(found, partition) : whole,
            ),
          )
        }
      }
    })
  }

  #coordinatorOf(transactionalId: string): number | undefined {
    const topic = this.#options.metadata().topicsByName.get(TRANSACTION_TOPIC)
    if (topic === undefined || topic.partitions.length === 0) return undefined
    const leaderId =
      topic.partitions[partitionForKey(transactionalId, topic.partitions.length)]?.leaderId ?? -1
    return leaderId < 0 ? undefined : leaderId
  }
}

interface Write {
  readonly partition: Partition
  /** undefined: nothing in it needs to be verified. */
  readonly batch: TransactionalBatch | undefined
}

interface VerificationInput {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
  readonly writes: readonly Write[]
  readonly transactionVersion: number
}

interface TransactionalBatch {
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
}

const VERIFIED: VerifiedAppend = { error: ErrorCode.NONE, guard: undefined }

function refuseAll(
  appends: readonly VerifiableAppend[],
  error: Exclude<ErrorCode, 0>,
): Deferred<readonly VerifiedAppend[]> {
  return Deferred.of<readonly VerifiedAppend[]>(appends.map(() => ({ error, guard: undefined })))
}

function firstTransactionalBatch(records: Buffer): TransactionalBatch | undefined {
  const cursor = new BatchCursor(records)
  while (cursor.next()) {
    const { batch } = cursor
    if (!batch.isTransactional || !batch.hasProducerId) continue
    const { producerId, producerEpoch, baseSequence } = batch
    return { producerId, producerEpoch, baseSequence }
  }
  return undefined
}

function isSameProducer(left: TransactionalBatch, right: TransactionalBatch): boolean {
  return left.producerId === right.producerId && left.producerEpoch === right.producerEpoch
}

/** Looks at each log; a guard means that the coordinator must be asked. */
function begin({ writes, transactionVersion }: VerificationInput): readonly VerifiedAppend[] {
  return writes.map(({ partition, batch }) =>
    batch === undefined ? VERIFIED : start(partition, batch, transactionVersion),
  )
}

function isVerified({ error, guard }: VerifiedAppend): boolean {
  return error === ErrorCode.NONE && guard === undefined
}

/** Whether a log has taken back the guard of a write that was verified with it. */
function hasNewGuard(results: readonly VerifiedAppend[], again: readonly VerifiedAppend[]): boolean {
  return results.some(({ error, guard }, index) => {
    const current = again[index]?.guard
    return error === ErrorCode.NONE && guard !== undefined && current !== undefined && current !== guard
  })
}

function start(partition: Partition, batch: TransactionalBatch, transactionVersion: number): VerifiedAppend {
  const { log } = partition
  if (!partition.isLeader || log === undefined) {
    return { error: ErrorCode.NOT_LEADER_OR_FOLLOWER, guard: undefined }
  }
  const { producerId, producerEpoch, baseSequence: sequence } = batch
  const supportsEpochBump = transactionVersion >= EPOCH_BUMP_VERSION
  const started = log.startVerification({ producerId, sequence, producerEpoch, supportsEpochBump })
  return started.error === ErrorCode.NONE ? started : { error: started.error, guard: undefined }
}

/** A transaction stands once in a request, so questions that differ in producer or purpose go in several. */
function requestsOf(questions: readonly Question[]): Entry[][] {
  const requests: Map<string, Entry>[] = []
  for (const question of questions) {
    const { transactionalId } = question
    const home = requests.find((entries) => {
      const known = entries.get(transactionalId)
      return known === undefined || isSameQuestion(known.first, question)
    })
    const entry = home?.get(transactionalId)
    if (entry !== undefined) entry.questions.push(question)
    else if (home !== undefined) home.set(transactionalId, { first: question, questions: [question] })
    else requests.push(new Map([[transactionalId, { first: question, questions: [question] }]]))
  }
  return requests.map((entries) => [...entries.values()])
}

function isSameQuestion(left: Question, right: Question): boolean {
  return (
    left.producerId === right.producerId &&
    left.producerEpoch === right.producerEpoch &&
    left.verifyOnly === right.verifyOnly
  )
}

function topicsOf(questions: readonly Question[]): AddPartitionsToTxnRequest['v3AndBelowTopics'] {
  const topics = new Map<string, Set<number>>()
  for (const { partitions } of questions) {
    for (const { topic, index } of partitions) {
      const known = topics.get(topic)
      if (known === undefined) topics.set(topic, new Set([index]))
      else known.add(index)
    }
  }
  return [...topics].map(([name, indexes]) => ({ name, partitions: [...indexes] }))
}

function wholeErrorOf(result: CallResult<AddPartitionsToTxnResponse>): ErrorCode {
  if (!result.ok) return ErrorCode.NETWORK_EXCEPTION
  const { errorCode } = result.response
  return errorCode === ErrorCode.CLUSTER_AUTHORIZATION_FAILED ? ErrorCode.INVALID_TXN_STATE : errorCode
}

/** A partition that the coordinator leaves out of its answer is not verified: the client tries again. */
function partitionErrorOf(found: TransactionResult | undefined, partition: Partition): ErrorCode {
  const topic = found?.topicResults.find(({ name }) => name === partition.topic)
  const result = topic?.resultsByPartition.find(({ partitionIndex }) => partitionIndex === partition.index)
  return result?.partitionErrorCode ?? ErrorCode.NETWORK_EXCEPTION
}

/** In the words of the request that is verified. */
function knownError(error: ErrorCode, transactionVersion: number): ErrorCode {
  if (error === ErrorCode.PRODUCER_FENCED) return ErrorCode.INVALID_PRODUCER_EPOCH
  if (error === ErrorCode.TRANSACTION_ABORTABLE && transactionVersion < KNOWS_ABORTABLE_VERSION) {
    return ErrorCode.INVALID_TXN_STATE
  }
  return error
}

/** NOT_ENOUGH_REPLICAS makes producers try again without asking for metadata. */
function produceErrorOf(error: ErrorCode, transactionVersion: number): ErrorCode {
  switch (error) {
    case ErrorCode.NETWORK_EXCEPTION:
    case ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
    case ErrorCode.COORDINATOR_NOT_AVAILABLE:
    case ErrorCode.NOT_COORDINATOR:
      return ErrorCode.NOT_ENOUGH_REPLICAS
    case ErrorCode.CONCURRENT_TRANSACTIONS:
      return transactionVersion >= EPOCH_BUMP_VERSION ? error : ErrorCode.NOT_ENOUGH_REPLICAS
    default:
      return knownError(error, transactionVersion)
  }
}

/** Kafka explains only what it has translated. */
function produceResultOf(
  found: ErrorCode,
  transactionVersion: number,
): { error: ErrorCode; errorMessage?: string } {
  const error = produceErrorOf(found, transactionVersion)
  if (error === ErrorCode.INVALID_TXN_STATE) {
    return { error, errorMessage: 'Partition was not added to the transaction' }
  }
  if (error !== ErrorCode.NOT_ENOUGH_REPLICAS) return { error }
  const errorMessage = `Unable to verify the partition has been added to the transaction. Underlying error: ${errorName(found)}`
  return { error, errorMessage }
}
