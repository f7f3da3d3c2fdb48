/**
 * What clients were told, and whether it holds. A workload sends requests and notes every answer here; after a crash `check` reads
 * everything back and compares.
 */
import { Produce } from '../../common/protocol/apis/00-produce.ts'
import { Fetch } from '../../common/protocol/apis/01-fetch.ts'
import { Metadata } from '../../common/protocol/apis/03-metadata.ts'
import { OffsetCommit } from '../../common/protocol/apis/08-offset-commit.ts'
import { OffsetFetch } from '../../common/protocol/apis/09-offset-fetch.ts'
import { FindCoordinator } from '../../common/protocol/apis/10-find-coordinator.ts'
import { CreateTopics } from '../../common/protocol/apis/19-create-topics.ts'
import { InitProducerId } from '../../common/protocol/apis/22-init-producer-id.ts'
import { EndTxn } from '../../common/protocol/apis/26-end-txn.ts'
import { ErrorCode, errorName } from '../../common/protocol/errors.ts'
import { BatchCursor } from '../../common/record/batch.ts'
import { crc32c } from '../../common/record/crc32c.ts'
import type { RawClient } from '../support/raw-client.ts'
import { batchOf, type ReadRecord, recordsIn } from '../support/records.ts'

export type Caller = Pick<RawClient, 'call'>

const MAX_COORDINATOR_TRIES = 20

interface Batch {
  readonly values: readonly string[]
  readonly sequence: number
}

/** One idempotent producer of one partition; it sends again what was not acknowledged, as clients do. */
export class IdempotentProducer {
  readonly name: string
  readonly topic: string
  readonly partition: number
  readonly acks: number
  producerId = -1
  producerEpoch = -1
  /** Values that were acknowledged, in order. */
  readonly acknowledged: string[] = []
  #pending: Batch[] = []
  #nextSequence = 0
  #nextValue = 0

  constructor(name: string, place: { topic: string; partition: number; acks: number }) {
    this.name = name
    this.topic = place.topic
    this.partition = place.partition
    this.acks = place.acks
  }

  /** Sends `count` batches at once behind those that are not acknowledged yet. */
  async send(client: Caller, topicId: string, batches: readonly number[]): Promise<void> {
    if (this.producerId < 0) {
      const answer = await client.call(
        InitProducerId,
        {
          transactionalId: null,
          transactionTimeoutMs: 60_000,
        },
        5,
      )
      if (answer.errorCode !== ErrorCode.NONE) return
      this.producerId = answer.producerId
      this.producerEpoch = answer.producerEpoch
    }
    for (const size of batches) {
      const values = Array.from({ length: size }, () => `${this.name}:${this.#nextValue++}`)
      this.#pending.push({ values, sequence: this.#nextSequence })
      this.#nextSequence += size
    }
    const inFlight = this.#pending.slice(0, 5)
    const answers = await Promise.allSettled(inFlight.map((batch) => this.#produce(client, topicId, batch)))
    for (const [index, answer] of answers.entries()) {
      if (answer.status === 'rejected') {
        this.#pending = this.#pending.slice(index)
        throw answer.reason
      }
      const errorCode = answer.value
      if (errorCode !== ErrorCode.NONE && errorCode !== ErrorCode.DUPLICATE_SEQUENCE_NUMBER) {
        if (errorCode === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER && index === 0)
          throw new Error(`${this.name}: a hole before sequence ${inFlight[0]?.sequence}`)
        this.#pending = this.#pending.slice(index)
        const isLaterTaken = answers
          .slice(index)
          .some((other) => other.status === 'fulfilled' && other.value === ErrorCode.NONE)
        if (isLaterTaken) throw new Error(`${this.name}: a later batch was taken before an earlier one`)
        return
      }
      this.acknowledged.push(...(inFlight[index] as Batch).values)
    }
    this.#pending = this.#pending.slice(inFlight.length)
  }

  async #produce(client: Caller, topicId: string, batch: Batch): Promise<number> {
    const records = batchOf(batch.values, {
      producerId: this.producerId,
      producerEpoch: this.producerEpoch,
      baseSequence: batch.sequence,
    })
    const answer = await client.call(Produce, {
      acks: this.acks,
      timeoutMs: 5_000,
      topicData: [{ topicId, partitionData: [{ index: this.partition, records }] }],
    })
    return answer.responses[0]?.partitionResponses[0]?.errorCode as number
  }
}

interface Transaction {
  readonly values: readonly string[]
  outcome: 'committed' | 'aborted' | 'unknown'
}

export interface CheckOptions {
  /** Nothing that was written is lost: only the process died. false: the power was cut, only what was synced is sure. */
  readonly isWrittenKept: boolean
  /** Topics of which every acknowledged record is synced. */
  readonly syncedTopics?: ReadonlySet<string>
}

export class Ledger {
  readonly topicIds = new Map<string, string>()
  readonly producers: IdempotentProducer[] = []
  /** Plainly produced: `topic-partition` to what was acknowledged at which offset. */
  readonly plain = new Map<string, { offset: number; value: string }[]>()
  readonly transactions: Transaction[] = []
  readonly commits = { group: 'ledger', topic: '', acknowledged: -1, attempted: -1 }
  /** Answers other than NONE, by name. */
  readonly refusals = new Map<string, number>()
  #nextValue = 0
  #nextTransaction = 0
  readonly #transactionalIds = new Set<string>()

  note(errorCode: number): boolean {
    if (errorCode === ErrorCode.NONE) return true
    const name = errorName(errorCode as ErrorCode) ?? String(errorCode)
    this.refusals.set(name, (this.refusals.get(name) ?? 0) + 1)
    return false
  }

  async createTopic(
    client: Caller,
    name: string,
    options: { partitions?: number; configs?: Record<string, string> } = {},
  ): Promise<boolean> {
    const configs = Object.entries(options.configs ?? {}).map(([key, value]) => ({ name: key, value }))
    const answer = await client.call(CreateTopics, {
      topics: [
        { name, numPartitions: options.partitions ?? 1, replicationFactor: 1, assignments: [], configs },
      ],
      timeoutMs: 5_000,
    })
    const topic = answer.topics[0]
    if (topic === undefined || !this.note(topic.errorCode)) return false
    this.topicIds.set(name, topic.topicId)
    return true
  }

  /** A batch without producer id; it is not sent again. */
  async producePlain(
    client: Caller,
    topic: string,
    partition: number,
    acks: number,
    count = 1,
  ): Promise<boolean> {
    const topicId = this.topicIds.get(topic)
    if (topicId === undefined) return false
    const values = Array.from({ length: count }, () => `plain:${this.#nextValue++}`)
    const answer = await client.call(Produce, {
      acks,
      timeoutMs: 5_000,
      topicData: [{ topicId, partitionData: [{ index: partition, records: batchOf(values) }] }],
    })
    const result = answer.responses[0]?.partitionResponses[0]
    if (result === undefined || !this.note(result.errorCode)) return false
    const key = `${topic}-${partition}`
    const known = this.plain.get(key) ?? []
    this.plain.set(key, known)
    for (const [index, value] of values.entries()) known.push({ offset: result.baseOffset + index, value })
    return true
  }

  async commitOffset(client: Caller, topic: string): Promise<boolean> {
    const topicId = this.topicIds.get(topic)
    if (topicId === undefined || !(await this.#findCoordinator(client, this.commits.group, 0))) return false
    this.commits.topic = topic
    const committedOffset = ++this.commits.attempted
    const answer = await client.call(
      OffsetCommit,
      {
        groupId: this.commits.group,
        memberId: '',
        topics: [
          { name: topic, partitions: [{ partitionIndex: 0, committedOffset, committedMetadata: 'm' }] },
        ],
      },
      9,
    )
    if (!this.note(answer.topics[0]?.partitions[0]?.errorCode as number)) return false
    this.commits.acknowledged = Math.max(committedOffset, this.commits.acknowledged)
    return true
  }

  async #findCoordinator(client: Caller, key: string, keyType: number): Promise<boolean> {
    let errorCode: number = ErrorCode.NONE
    // The first to ask makes the internal topic, and is told to come back.
    for (let tries = 0; tries < MAX_COORDINATOR_TRIES; tries++) {
      const answer = await client.call(FindCoordinator, { keyType, coordinatorKeys: [key] })
      errorCode = answer.coordinators[0]?.errorCode as number
      if (errorCode !== ErrorCode.COORDINATOR_NOT_AVAILABLE) break
    }
    return this.note(errorCode)
  }

  /** A whole transaction over several places. Every one has a transactional id of its own. */
  async transact(
    client: Caller,
    places: readonly { topic: string; partition: number }[],
    isCommit: boolean,
    transactionalId = `transaction-${this.#nextTransaction++}`,
  ): Promise<boolean> {
    this.#transactionalIds.add(transactionalId)
    if (!(await this.#findCoordinator(client, transactionalId, 1))) return false
    const initialised = await client.call(
      InitProducerId,
      { transactionalId, transactionTimeoutMs: 60_000 },
      5,
    )
    if (!this.note(initialised.errorCode)) return false
    const { producerId, producerEpoch } = initialised
    const transaction: Transaction = {
      values: places.map(() => `transaction:${this.#nextValue++}`),
      outcome: 'aborted',
    }
    this.transactions.push(transaction)
    for (const [index, { topic, partition }] of places.entries()) {
      const records = batchOf([transaction.values[index] as string], {
        producerId,
        producerEpoch,
        baseSequence: 0,
        isTransactional: true,
      })
      const answer = await client.call(Produce, {
        transactionalId,
        acks: -1,
        timeoutMs: 5_000,
        topicData: [
          { topicId: this.topicIds.get(topic) as string, partitionData: [{ index: partition, records }] },
        ],
      })
      if (!this.note(answer.responses[0]?.partitionResponses[0]?.errorCode as number)) return false
    }
    if (isCommit) transaction.outcome = 'unknown'
    const ended = await client.call(
      EndTxn,
      { transactionalId, producerId, producerEpoch, committed: isCommit },
      5,
    )
    if (!this.note(ended.errorCode)) return false
    if (isCommit) transaction.outcome = 'committed'
    return true
  }

  // --- afterwards ---

  /** Reads everything back. Throws at the first thing that does not hold. */
  async check(client: Caller, options: CheckOptions): Promise<void> {
    const metadata = await client.call(Metadata, { topics: null, allowAutoTopicCreation: false })
    const committed = new Set<string>()
    if (options.isWrittenKept) await this.#endTransactions(client)
    for (const [name, topicId] of this.topicIds) {
      const topic = metadata.topics.find((candidate) => candidate.name === name)
      if (topic?.topicId !== topicId) throw new Error(`acknowledged topic ${name} is gone`)
      const isSure = options.isWrittenKept || options.syncedTopics?.has(name) === true
      for (const { partitionIndex, leaderId } of topic.partitions) {
        if (leaderId < 0) throw new Error(`${name}-${partitionIndex} has no leader`)
        const all = await readAll(client, topicId, partitionIndex, 0)
        this.#checkPartition(`${name}-${partitionIndex}`, all, isSure)
        for (const producer of this.producers) {
          if (producer.topic === name && producer.partition === partitionIndex)
            checkProducer(producer, all, isSure)
        }
        // After a power cut nobody may be left who knows of a transaction, as in Kafka.
        if (!options.isWrittenKept) continue
        for (const { value } of await readAll(client, topicId, partitionIndex, 1)) committed.add(value ?? '')
      }
    }
    if (options.isWrittenKept) {
      for (const transaction of this.transactions) checkTransaction(transaction, committed)
      await this.#checkCommits(client)
    }
  }

  /** As producers do that start anew: what the last one left open is aborted, what it decided is finished. */
  async #endTransactions(client: Caller): Promise<void> {
    for (const transactionalId of this.#transactionalIds) {
      await this.#findCoordinator(client, transactionalId, 1)
      let errorCode: number = ErrorCode.CONCURRENT_TRANSACTIONS
      for (let tries = 0; errorCode !== ErrorCode.NONE; tries++) {
        const answer = await client.call(InitProducerId, { transactionalId, transactionTimeoutMs: 60_000 }, 5)
        errorCode = answer.errorCode
        if (errorCode !== ErrorCode.NONE && tries === MAX_WAITS)
          throw new Error(`${transactionalId} cannot begin anew: ${errorName(errorCode as ErrorCode)}`)
      }
    }
  }

  #checkPartition(name: string, all: readonly ReadRecord[], isSure: boolean): void {
    const byOffset = new Map(all.map(({ offset, value }) => [offset, value]))
    for (const { offset, value } of this.plain.get(name) ?? []) {
      const found = byOffset.get(offset)
      if (found === value) continue
      if (found === undefined && !isSure) continue
      throw new Error(`${name}: offset ${offset} was acknowledged as ${value} and is ${found}`)
    }
    const seen = new Set<string | null>()
    for (const { value } of all) {
      if (seen.has(value)) throw new Error(`${name}: ${value} is there twice`)
      seen.add(value)
    }
  }

  async #checkCommits(client: Caller): Promise<void> {
    const { group, topic, acknowledged, attempted } = this.commits
    if (acknowledged < 0) return
    const answer = await client.call(
      OffsetFetch,
      { groups: [{ groupId: group, topics: [{ name: topic, partitionIndexes: [0] }] }] },
      9,
    )
    const found = answer.groups[0]?.topics[0]?.partitions[0]
    const offset = found?.committedOffset ?? -2
    if (answer.groups[0]?.errorCode !== ErrorCode.NONE || offset < acknowledged || offset > attempted)
      throw new Error(
        `committed offset ${acknowledged} to ${attempted} is ${offset} (${answer.groups[0]?.errorCode})`,
      )
  }
}

function checkProducer(producer: IdempotentProducer, all: readonly ReadRecord[], isSure: boolean): void {
  const own = all.filter(({ value }) => value?.startsWith(`${producer.name}:`)).map(({ value }) => value)
  own.forEach((value, index) => {
    if (value !== `${producer.name}:${index}`)
      throw new Error(`${value} stands where ${producer.name}:${index} belongs`)
  })
  if (isSure && own.length < producer.acknowledged.length)
    throw new Error(`${producer.name}: ${producer.acknowledged.length} acknowledged, ${own.length} there`)
}

function checkTransaction({ values, outcome }: Transaction, committed: ReadonlySet<string>): void {
  const there = values.filter((value) => committed.has(value)).length
  if (outcome === 'aborted' && there > 0) throw new Error(`${values[0]} was not committed and is visible`)
  if (outcome === 'committed' && there < values.length)
    throw new Error(`${values[0]} was committed and is not visible`)
  if (there !== 0 && there !== values.length)
    throw new Error(`half of the transaction of ${values[0]} is visible`)
}

const MAX_WAITS = 200

/** Everything a consumer may see, with every checksum looked at. Waits for the end of open transactions. */
async function readAll(
  client: Caller,
  topicId: string,
  partition: number,
  isolationLevel: 0 | 1,
): Promise<ReadRecord[]> {
  const found: ReadRecord[] = []
  let fetchOffset = 0
  for (let waits = 0; waits < MAX_WAITS; ) {
    const answer = await client.call(Fetch, {
      maxWaitMs: waits > 0 ? 20 : 0,
      minBytes: 1,
      isolationLevel,
      topics: [{ topicId, partitions: [{ partition, fetchOffset, partitionMaxBytes: 1 << 20 }] }],
    })
    const read = answer.responses[0]?.partitions[0]
    if (read === undefined || read.errorCode !== ErrorCode.NONE)
      throw new Error(`fetch of ${partition} at ${fetchOffset}: ${read?.errorCode ?? answer.errorCode}`)
    const toCome = [...(read.abortedTransactions ?? [])].sort(
      (one, other) => one.firstOffset - other.firstOffset,
    )
    const aborted = new Set<number>()
    const cursor = new BatchCursor(read.records ?? Buffer.alloc(0))
    const { batch } = cursor
    while (cursor.next()) {
      const bytes = Buffer.from((read.records as Buffer).subarray(batch.position, batch.end))
      if (crc32c(bytes.subarray(21)) !== bytes.readUInt32BE(17))
        throw new Error(`corrupt batch at ${batch.baseOffset}`)
      if (batch.nextOffset <= fetchOffset) continue
      fetchOffset = batch.nextOffset
      while (toCome.length > 0 && (toCome[0]?.firstOffset as number) <= batch.lastOffset)
        aborted.add(toCome.shift()?.producerId as number)
      if (batch.isControl) aborted.delete(batch.producerId)
      if (batch.isControl || (batch.isTransactional && aborted.has(batch.producerId))) continue
      found.push(...recordsIn(bytes))
    }
    const end = isolationLevel === 0 ? read.highWatermark : read.lastStableOffset
    if (fetchOffset < end) continue
    if (isolationLevel === 0 || end === read.highWatermark) return found
    waits++
  }
  throw new Error(`a transaction of partition ${partition} never ends`)
}
