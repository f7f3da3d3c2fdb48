/** A scripted cluster that can be read from: Fetch, ListOffsets, epochs and the group's offsets, over the simulated network. */
import { afterEach } from 'vitest'
import { type ClientConfig, Consumer, type Message, TopicPartition } from '../../../../client/index.ts'
import { Fetch, type FetchRequest } from '../../../../common/protocol/apis/01-fetch.ts'
import { ListOffsets, type ListOffsetsRequest } from '../../../../common/protocol/apis/02-list-offsets.ts'
import { Metadata } from '../../../../common/protocol/apis/03-metadata.ts'
import { OffsetFetch } from '../../../../common/protocol/apis/09-offset-fetch.ts'
import { FindCoordinator } from '../../../../common/protocol/apis/10-find-coordinator.ts'
import { ApiVersions } from '../../../../common/protocol/apis/18-api-versions.ts'
import {
  OffsetForLeaderEpoch,
  type OffsetForLeaderEpochRequest,
} from '../../../../common/protocol/apis/23-offset-for-leader-epoch.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import type { ApiSchema } from '../../../../common/protocol/schema.ts'
import { BatchBuilder } from '../../../../common/record/batch-builder.ts'
import {
  coordinatorOfG,
  type PartitionLog,
  type Reaction,
  ScriptedCluster,
  type SeenRequest,
} from '../support/scripted-broker.ts'

const readable = [
  Fetch,
  ListOffsets,
  Metadata,
  OffsetFetch,
  FindCoordinator,
  ApiVersions,
  OffsetForLeaderEpoch,
]

export type Override = (request: SeenRequest) => Reaction
export type EpochEnd = { leaderEpoch: number; endOffset: number }

export class ReadableWorld {
  readonly cluster = new ScriptedCluster(5)
  readonly consumer: Consumer
  readonly log: PartitionLog
  /** Takes precedence over what the scripted brokers do. */
  override: Override = () => undefined
  /** What OffsetForLeaderEpoch answers. */
  epochEnd: EpochEnd = { leaderEpoch: 0, endOffset: 1_000_000 }
  /** Records of the partition t-0, by offset. */
  values: string[] = []
  startOffset = 0

  static async make(conf: ClientConfig = {}, brokers: readonly number[] = [1]): Promise<ReadableWorld> {
    const cluster = new ScriptedCluster(5)
    for (const nodeId of brokers) await cluster.start(nodeId)
    return new ReadableWorld(cluster, conf)
  }

  private constructor(cluster: ScriptedCluster, conf: ClientConfig) {
    this.cluster = cluster
    this.log = cluster.topic('t', [1])[0] as PartitionLog
    cluster.onRequest = (request) => this.override(request) ?? this.#answer(request)
    const base = { 'bootstrap.servers': cluster.bootstrap, 'group.id': 'g', log_level: 0 }
    const quick = {
      'auto.offset.reset': 'earliest',
      'fetch.wait.max.ms': 10,
      'enable.auto.commit': false,
    } as const
    this.consumer = new Consumer({ ...base, ...quick }, conf, { runtime: cluster.sim.machine('client') })
    open.push(this)
  }

  poll(timeoutMs = 5000): Promise<Message | null> {
    return this.cluster.settle(this.consumer.poll({ timeoutMs }))
  }

  async pollValues(count: number): Promise<string[]> {
    const seen: string[] = []
    while (seen.length < count) {
      const message = await this.poll()
      if (message === null) break
      seen.push(message.error()?.name() ?? `${message.value()}`)
    }
    return seen
  }

  assign(offset: number, leaderEpoch: number | null = null): void {
    this.consumer.assign([new TopicPartition('t', 0, offset, { leaderEpoch })])
  }

  #answer({ api, nodeId, body }: SeenRequest): Reaction {
    const apis: readonly ApiSchema[] = readable
    switch (api) {
      case 'ApiVersions': {
        const apiKeys = apis.map(({ key, versions }) => ({
          apiKey: key,
          minVersion: versions.lowest,
          maxVersion: versions.highest,
        }))
        return { answer: { errorCode: 0, apiKeys } }
      }
      case 'Fetch':
        return this.#fetch(nodeId, body as FetchRequest)
      case 'ListOffsets': {
        const timestamp = (body as ListOffsetsRequest).topics[0]?.partitions[0]?.timestamp
        const offset = timestamp === -2 ? this.startOffset : this.values.length
        const partitions = [{ partitionIndex: 0, errorCode: 0, timestamp: -1, offset, leaderEpoch: -1 }]
        return { answer: { topics: [{ name: 't', partitions }] } }
      }
      case 'OffsetForLeaderEpoch': {
        const { topics } = body as OffsetForLeaderEpochRequest
        const partitions = [{ errorCode: 0, partition: 0, ...this.epochEnd }]
        return { answer: { topics: topics.map(({ topic }) => ({ topic, partitions })) } }
      }
      case 'FindCoordinator':
        return coordinatorOfG
      case 'OffsetFetch': {
        const partitions = [
          { partitionIndex: 0, committedOffset: -1, committedLeaderEpoch: -1, metadata: null, errorCode: 0 },
        ]
        return { answer: { groups: [{ groupId: 'g', topics: [{ name: 't', partitions }], errorCode: 0 }] } }
      }
      default:
        return undefined
    }
  }

  #fetch(nodeId: number, request: FetchRequest): Reaction {
    const asked = request.topics[0]?.partitions[0]
    if (asked === undefined) return { answer: { sessionId: 0, responses: [] }, delayMs: request.maxWaitMs }
    const { fetchOffset, currentLeaderEpoch } = asked
    const isLeader = this.log.leaderId === nodeId && currentLeaderEpoch === this.log.leaderEpoch
    const isInRange = fetchOffset >= this.startOffset && fetchOffset <= this.values.length
    const errorCode = !isLeader
      ? ErrorCode.NOT_LEADER_OR_FOLLOWER
      : isInRange
        ? ErrorCode.NONE
        : ErrorCode.OFFSET_OUT_OF_RANGE
    const records = errorCode === ErrorCode.NONE ? this.records(fetchOffset) : Buffer.alloc(0)
    const answer = fetchAnswer(request, { errorCode, records, highWatermark: this.values.length })
    const isEmpty = errorCode === ErrorCode.NONE && records.length === 0
    return { answer, delayMs: isEmpty ? request.maxWaitMs : 0 }
  }

  records(fetchOffset: number): Buffer {
    const { leaderEpoch: partitionLeaderEpoch } = this.log
    const builder = new BatchBuilder({ baseOffset: fetchOffset, partitionLeaderEpoch })
    const values = this.values.slice(fetchOffset)
    for (const value of values) builder.append(1000, null, Buffer.from(value))
    return values.length === 0 ? Buffer.alloc(0) : builder.build()
  }
}

/** An answer for the one partition that was asked for. */
export function fetchAnswer(request: FetchRequest, partition: object): object {
  const topic = request.topics[0]
  const base = { partitionIndex: 0, errorCode: 0, highWatermark: 0, abortedTransactions: null, records: null }
  const partitions = [{ ...base, ...partition }]
  return { sessionId: 0, responses: [{ topic: topic?.topic ?? '', topicId: topic?.topicId, partitions }] }
}

let open: ReadableWorld[] = []

afterEach(async () => {
  for (const { cluster, consumer } of open) await cluster.settle(consumer.close({ timeoutMs: 0 }))
  open = []
})
