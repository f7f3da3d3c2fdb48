/**
 * A topic as a test handles it, without a client: create, produce, read, clear, delete. Works on any cluster, over the wire.
 */
import { Produce } from '../../common/protocol/apis/00-produce.ts'
import { Fetch } from '../../common/protocol/apis/01-fetch.ts'
import { CreateTopics } from '../../common/protocol/apis/19-create-topics.ts'
import { DeleteTopics } from '../../common/protocol/apis/20-delete-topics.ts'
import { DeleteRecords } from '../../common/protocol/apis/21-delete-records.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { KafkaError } from './kafka-error.ts'
import { refuseUnknownKeys } from './known-names.ts'
import {
  batchOf,
  type Decode,
  partitionOf,
  type RecordInput,
  type RecordValue,
  recordsIn,
  type TopicRecord,
  toRecord,
} from './records.ts'
import { isTransient, type Wire } from './wire.ts'

export interface TopicOptions {
  /** Default: the cluster's `num.partitions`. */
  readonly partitions?: number
  /** Default: the cluster's `default.replication.factor`. */
  readonly replicas?: number
  /** Replicas of each partition, leader first; in place of the two above. */
  readonly assignments?: readonly (readonly number[])[]
  readonly configs?: Readonly<Record<string, string | number | boolean>>
}

const TOPIC_OPTIONS = {
  partitions: true,
  replicas: true,
  assignments: true,
  configs: true,
} as const satisfies Record<keyof TopicOptions, true>

export interface ReadOptions<Value> {
  readonly decode?: Decode<Value>
  /** Default: all. */
  readonly partition?: number
  /** Leaves out what was aborted or is not committed yet. Default false. */
  readonly committed?: boolean
}

/** What the handle needs of its cluster. */
export interface TopicHost {
  readonly wire: Wire
  nowMs(): number
  /** Resolves when every broker can serve the topic. */
  whenUsable(topic: string): Promise<void>
}

const TIMEOUT_MS = 15_000
const FETCH_BYTES = 50 << 20

export class TopicHandle {
  readonly name: string
  readonly #host: TopicHost

  constructor(host: TopicHost, name: string) {
    this.#host = host
    this.name = name
  }

  /** Creates it; resolves when clients can use it. @throws KafkaError */
  async create(options: TopicOptions = {}): Promise<this> {
    refuseUnknownKeys('option of topics', options, TOPIC_OPTIONS)
    const { partitions = -1, replicas = -1, assignments, configs = {} } = options
    const answer = await this.#host.wire.retrying(
      `creating topic "${this.name}"`,
      () =>
        this.#host.wire.any(CreateTopics, {
          topics: [
            {
              name: this.name,
              numPartitions: assignments === undefined ? partitions : -1,
              replicationFactor: assignments === undefined ? replicas : -1,
              assignments: (assignments ?? []).map((brokerIds, partitionIndex) => ({
                partitionIndex,
                brokerIds,
              })),
              configs: Object.entries(configs).map(([name, value]) => ({ name, value: String(value) })),
            },
          ],
          timeoutMs: TIMEOUT_MS,
        }),
      ({ topics }) => topics[0]?.errorCode ?? 0,
    )
    const created = answer.topics[0]
    if (created !== undefined && created.errorCode !== ErrorCode.NONE)
      throw new KafkaError(`creating topic "${this.name}"`, created.errorCode, created.errorMessage)
    await this.#host.whenUsable(this.name)
    return this
  }

  async exists(): Promise<boolean> {
    const { topics } = await this.#host.wire.metadata([this.name])
    return topics?.[0]?.errorCode === ErrorCode.NONE
  }

  /** Writes with acks=all. @returns where each record went, in the order given */
  async produce(
    ...values: readonly (RecordValue | readonly RecordValue[])[]
  ): Promise<readonly { readonly partition: number; readonly offset: number }[]> {
    const { wire } = this.#host
    const records = values.flat().map((value) => toRecord(value as RecordValue))
    const { length: count } = await wire.partitions(this.name)
    const byPartition = new Map<number, { record: RecordInput; position: number }[]>()
    records.forEach((record, position) => {
      const partition = partitionOf(record, count)
      const entries = byPartition.get(partition) ?? []
      entries.push({ record, position })
      byPartition.set(partition, entries)
    })
    const places = new Array<{ partition: number; offset: number }>(records.length)
    for (const [partition, entries] of byPartition) {
      const batch = batchOf(
        entries.map(({ record }) => record),
        this.#host.nowMs(),
      )
      const baseOffset = await this.#append(partition, batch)
      entries.forEach(({ position }, index) => {
        places[position] = { partition, offset: baseOffset + index }
      })
    }
    return places
  }

  async #append(partition: number, records: Buffer): Promise<number> {
    const { wire } = this.#host
    const topicId = await this.#topicId()
    const answer = await wire.leader(
      this.name,
      partition,
      Produce,
      {
        acks: -1,
        timeoutMs: TIMEOUT_MS,
        topicData: [
          // The log takes the buffer over: each try has its own.
          { name: this.name, topicId, partitionData: [{ index: partition, records: Buffer.from(records) }] },
        ],
      },
      ({ responses }) => responses[0]?.partitionResponses[0]?.errorCode ?? 0,
    )
    const written = answer.responses[0]?.partitionResponses[0]
    if (written === undefined || written.errorCode !== ErrorCode.NONE) {
      const { errorCode = ErrorCode.UNKNOWN_SERVER_ERROR, errorMessage = null } = written ?? {}
      throw new KafkaError(`producing to ${this.name}-${partition}`, errorCode, errorMessage)
    }
    return written.baseOffset
  }

  async #topicId(): Promise<string> {
    const { topics } = await this.#host.wire.metadata([this.name])
    const topic = topics?.[0]
    const errorCode = topic?.errorCode ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    if (topic === undefined || (errorCode !== ErrorCode.NONE && !isTransient(errorCode)))
      throw new KafkaError(`topic "${this.name}"`, errorCode)
    return topic.topicId
  }

  /** Everything that consumers can see now, partition after partition. */
  async records<Value = string | null>(
    options: ReadOptions<Value> = {},
  ): Promise<readonly TopicRecord<Value>[]> {
    const { wire } = this.#host
    const { partition: wanted, committed = false, decode = 'text' } = options
    const topicId = await this.#topicId()
    const found: TopicRecord<Value>[] = []
    for (const { partitionIndex } of await wire.partitions(this.name)) {
      if (wanted !== undefined && wanted !== partitionIndex) continue
      const starts = await wire.offsets(this.name, -2)
      let offset = starts.get(partitionIndex) ?? 0
      for (;;) {
        const read = await this.#read(topicId, partitionIndex, offset, committed)
        const { records, nextOffset } = recordsIn(read.records ?? null, {
          topic: this.name,
          partition: partitionIndex,
          fromOffset: offset,
          decode,
          aborted: read.abortedTransactions ?? [],
        })
        found.push(...records)
        if (nextOffset <= offset) break
        offset = nextOffset
        if (offset >= (committed ? read.lastStableOffset : read.highWatermark)) break
      }
    }
    return found
  }

  async #read(topicId: string, partition: number, fetchOffset: number, committed: boolean) {
    const answer = await this.#host.wire.leader(
      this.name,
      partition,
      Fetch,
      {
        maxWaitMs: 0,
        minBytes: 0,
        maxBytes: FETCH_BYTES,
        isolationLevel: committed ? 1 : 0,
        topics: [
          {
            topic: this.name,
            topicId,
            partitions: [{ partition, fetchOffset, partitionMaxBytes: FETCH_BYTES }],
          },
        ],
        forgottenTopicsData: [],
      },
      ({ responses }) => responses[0]?.partitions[0]?.errorCode ?? 0,
    )
    const read = answer.responses[0]?.partitions[0]
    if (read === undefined || read.errorCode !== ErrorCode.NONE) {
      const errorCode = read?.errorCode ?? (answer.errorCode || ErrorCode.UNKNOWN_SERVER_ERROR)
      throw new KafkaError(`reading ${this.name}-${partition}`, errorCode)
    }
    return read
  }

  /** The next offset of each partition, as consumers see it; index = partition. */
  async end(): Promise<readonly number[]> {
    return [...(await this.#host.wire.offsets(this.name, -1)).values()]
  }

  /**
   * Removes every record, or those of one partition below `before`; offsets go on where they were.
   * @throws KafkaError for compacted topics
   */
  async clear(options: { readonly partition?: number; readonly before?: number } = {}): Promise<void> {
    const { partition: wanted, before = -1 } = options
    const { wire } = this.#host
    for (const { partitionIndex } of await wire.partitions(this.name)) {
      if (wanted !== undefined && wanted !== partitionIndex) continue
      const answer = await wire.leader(
        this.name,
        partitionIndex,
        DeleteRecords,
        {
          topics: [{ name: this.name, partitions: [{ partitionIndex, offset: before }] }],
          timeoutMs: TIMEOUT_MS,
        },
        ({ topics }) => topics[0]?.partitions[0]?.errorCode ?? 0,
      )
      const errorCode = answer.topics[0]?.partitions[0]?.errorCode ?? ErrorCode.NONE
      if (errorCode !== ErrorCode.NONE)
        throw new KafkaError(`clearing ${this.name}-${partitionIndex}`, errorCode)
    }
  }

  /** Does nothing when it is not there. */
  async delete(): Promise<void> {
    await deleteTopics(this.#host.wire, [this.name])
  }
}

/** In one request; those that are not there are passed over. @throws KafkaError */
export async function deleteTopics(wire: Wire, names: readonly string[]): Promise<void> {
  if (names.length === 0) return
  const noId = 'AAAAAAAAAAAAAAAAAAAAAA'
  const answer = await wire.retrying(
    'deleting topics',
    () =>
      wire.any(DeleteTopics, (version) => ({
        ...(version < 6 ? { topicNames: names } : { topics: names.map((name) => ({ name, topicId: noId })) }),
        timeoutMs: TIMEOUT_MS,
      })),
    ({ responses }) => responses.find(({ errorCode }) => isTransient(errorCode))?.errorCode ?? 0,
  )
  for (const { name, errorCode, errorMessage } of answer.responses) {
    if (errorCode !== ErrorCode.NONE && errorCode !== ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
      throw new KafkaError(`deleting topic "${name}"`, errorCode, errorMessage)
  }
}
