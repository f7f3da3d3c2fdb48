/**
 * What the end-to-end tests of the client stand on: a cluster given by BOOTSTRAP (any Kafka), and records read back with raw
 * Fetch requests, so that the client's own consumer proves nothing about its producer.
 */
import { Fetch } from '../../common/protocol/apis/01-fetch.ts'
import { Metadata } from '../../common/protocol/apis/03-metadata.ts'
import { OffsetFetch } from '../../common/protocol/apis/09-offset-fetch.ts'
import { FindCoordinator } from '../../common/protocol/apis/10-find-coordinator.ts'
import { CreateTopics } from '../../common/protocol/apis/19-create-topics.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { BatchCursor, BatchView, CURRENT_MAGIC } from '../../common/record/batch.ts'
import type { DecodedRecord } from '../../common/record/record.ts'
import { RecordReader } from '../../common/record/record-reader.ts'
import { SystemRandom } from '../../common/runtime/node/entropy.ts'
import { negotiatedClient } from '../support/raw-client.ts'

/** Nobody else has a topic or group of this name. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${new SystemRandom().uuid()}`
}

export interface ReadBatch {
  readonly compressionType: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly isControl: boolean
  readonly recordCount: number
}

/** Many tests give their records timestamps of the past, which retention looks for half a minute after a broker's start. */
export const lasting = { 'retention.ms': '-1' } as const

export class RawCluster {
  readonly #address: string

  constructor(address: string) {
    this.#address = address
  }

  async createTopic(
    name: string,
    partitionCount: number,
    configs: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const client = await negotiatedClient(this.#address)
    try {
      const entries = Object.entries({ ...lasting, ...configs }).map(([key, value]) => ({ name: key, value }))
      const topic = {
        name,
        numPartitions: partitionCount,
        replicationFactor: 1,
        assignments: [],
        configs: entries,
      }
      let errorCode: number | undefined
      do {
        const { topics } = await client.call(CreateTopics, {
          topics: [topic],
          timeoutMs: 20_000,
          validateOnly: false,
        })
        errorCode = topics[0]?.errorCode
        // With ZooKeeper, a topic of this name that was deleted may still be there: no test has it twice.
      } while (errorCode === ErrorCode.TOPIC_ALREADY_EXISTS)
      if (errorCode !== ErrorCode.NONE) throw new Error(`creating ${name}: ${errorCode}`)
    } finally {
      client.close()
    }
    await this.known(name, partitionCount)
  }

  /** Resolves when every broker tells the leader of every partition: they hear of a new topic one after the other. */
  async known(name: string, partitionCount: number): Promise<void> {
    for (const address of await this.#brokers()) {
      const client = await negotiatedClient(address)
      try {
        for (;;) {
          const request = { topics: [{ name }], allowAutoTopicCreation: false }
          const { topics } = await client.call(Metadata, request)
          const partitions = topics[0]?.partitions ?? []
          if (partitions.length === partitionCount && partitions.every(({ leaderId }) => leaderId >= 0)) break
          await new Promise((resolve) => setImmediate(resolve))
        }
      } finally {
        client.close()
      }
    }
  }

  /** Everything in a partition. */
  async read(topic: string, partition: number): Promise<{ records: DecodedRecord[]; batches: ReadBatch[] }> {
    const client = await negotiatedClient(await this.leaderOf(topic, partition))
    const records: DecodedRecord[] = []
    const batches: ReadBatch[] = []
    try {
      const fetchOffset = (): number => (records.at(-1)?.offset ?? -1) + 1
      for (;;) {
        const topics = [
          { topic, partitions: [{ partition, fetchOffset: fetchOffset(), partitionMaxBytes: 50_000_000 }] },
        ]
        const response = await client.call(
          Fetch,
          { maxWaitMs: 100, minBytes: 1, maxBytes: 50_000_000, topics },
          12,
        )
        const answer = response.responses[0]?.partitions[0]
        if (answer === undefined || answer.errorCode !== ErrorCode.NONE)
          throw new Error(`fetch: ${answer?.errorCode}`)
        readBatches(answer.records ?? Buffer.alloc(0), records, batches)
        if (fetchOffset() >= answer.highWatermark) return { records, batches }
      }
    } finally {
      client.close()
    }
  }

  /** Values that a reader with `read_committed` sees, once every transaction has ended: its marker comes after the answer to the client. */
  async readCommitted(topic: string, partition: number): Promise<(string | undefined)[]> {
    const client = await negotiatedClient(await this.leaderOf(topic, partition))
    try {
      const topics = [{ topic, partitions: [{ partition, fetchOffset: 0, partitionMaxBytes: 50_000_000 }] }]
      const request = { maxWaitMs: 100, minBytes: 1, maxBytes: 50_000_000, isolationLevel: 1, topics }
      const fetch = async () => (await client.call(Fetch, request, 12)).responses[0]?.partitions[0]
      let answer = await fetch()
      for (let attempt = 0; attempt < 200; attempt++) {
        if (answer !== undefined && answer.lastStableOffset === answer.highWatermark) break
        answer = await fetch()
      }
      const aborted = new Map<number, number[]>()
      for (const { producerId, firstOffset } of answer?.abortedTransactions ?? []) {
        aborted.set(producerId, [...(aborted.get(producerId) ?? []), firstOffset])
      }
      return committedValues(answer?.records ?? Buffer.alloc(0), aborted)
    } finally {
      client.close()
    }
  }

  /** The offset that a group has committed, once no transaction holds one back; -1 without one. */
  async committedOffset(groupId: string, topic: string, partition: number): Promise<number | undefined> {
    const client = await negotiatedClient(await this.coordinatorOf(groupId))
    try {
      const request = {
        groupId,
        topics: [{ name: topic, partitionIndexes: [partition] }],
        requireStable: client.versionOf(OffsetFetch, 7) >= 7,
      }
      for (let attempt = 0; ; attempt++) {
        const response = await client.call(OffsetFetch, request, 7)
        const found = response.topics[0]?.partitions[0]
        if (found?.errorCode !== ErrorCode.UNSTABLE_OFFSET_COMMIT || attempt === 2000)
          return found?.committedOffset
      }
    } finally {
      client.close()
    }
  }

  /** The address of the broker that coordinates the group, or the producer with the transactional id. */
  async coordinatorOf(key: string, kind: 'group' | 'transaction' = 'group'): Promise<string> {
    const client = await negotiatedClient(this.#address)
    try {
      for (;;) {
        const found = await client.call(FindCoordinator, { keyType: kind === 'group' ? 0 : 1, key }, 2)
        if (found.errorCode === ErrorCode.NONE) return `${found.host}:${found.port}`
      }
    } finally {
      client.close()
    }
  }

  /** The address of the broker that leads the partition. */
  async leaderOf(topic: string, partition: number): Promise<string> {
    const client = await negotiatedClient(this.#address)
    try {
      for (;;) {
        const request = { topics: [{ name: topic }], allowAutoTopicCreation: false }
        const { topics, brokers } = await client.call(Metadata, request)
        const found = topics[0]?.partitions.find(({ partitionIndex }) => partitionIndex === partition)
        const leader = brokers.find(({ nodeId }) => nodeId === found?.leaderId)
        if (leader !== undefined) return `${leader.host}:${leader.port}`
      }
    } finally {
      client.close()
    }
  }

  async #brokers(): Promise<string[]> {
    const client = await negotiatedClient(this.#address)
    try {
      const { brokers } = await client.call(Metadata, { topics: [], allowAutoTopicCreation: false })
      return brokers.map(({ host, port }) => `${host}:${port}`)
    } finally {
      client.close()
    }
  }
}

function committedValues(bytes: Buffer, aborted: Map<number, number[]>): (string | undefined)[] {
  const values: (string | undefined)[] = []
  const cursor = new BatchCursor(bytes)
  while (cursor.next()) {
    const { batch } = cursor
    const firsts = aborted.get(batch.producerId) ?? []
    const isAborted = firsts[0] !== undefined && batch.baseOffset >= firsts[0]
    if (batch.isControl) {
      // The marker ends the transaction.
      if (isAborted) firsts.shift()
      continue
    }
    if (isAborted) continue
    const reader = new RecordReader(batch)
    while (reader.next()) values.push(reader.value?.toString())
  }
  return values
}

function readBatches(bytes: Buffer, records: DecodedRecord[], batches: ReadBatch[]): void {
  for (let position = 0; position + 61 <= bytes.length; ) {
    const batch = new BatchView(bytes, position)
    if (position + batch.sizeBytes > bytes.length) return
    if (batch.magic !== CURRENT_MAGIC) throw new Error(`magic ${batch.magic}`)
    batches.push({
      compressionType: batch.attributes & 7,
      producerId: batch.producerId,
      producerEpoch: batch.producerEpoch,
      isControl: batch.isControl,
      recordCount: batch.recordCount,
    })
    const reader = new RecordReader(batch)
    while (reader.next()) {
      const { offset, timestamp, key, value } = reader
      if (offset > (records.at(-1)?.offset ?? -1)) {
        records.push({ offset, timestamp, key, value, headers: reader.headers() })
      }
    }
    if (reader.error !== ErrorCode.NONE) throw new Error(reader.errorMessage)
    position += batch.sizeBytes
  }
}
