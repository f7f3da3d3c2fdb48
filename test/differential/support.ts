/** What many scenarios begin with. */

import { Produce } from '../../common/protocol/apis/00-produce.ts'
import { ListOffsets } from '../../common/protocol/apis/02-list-offsets.ts'
import { Metadata } from '../../common/protocol/apis/03-metadata.ts'
import { OffsetFetch } from '../../common/protocol/apis/09-offset-fetch.ts'
import { FindCoordinator } from '../../common/protocol/apis/10-find-coordinator.ts'
import { CreateTopics } from '../../common/protocol/apis/19-create-topics.ts'
import { InitProducerId } from '../../common/protocol/apis/22-init-producer-id.ts'
import type { ShareFetch } from '../../common/protocol/apis/78-share-fetch.ts'
import type { RequestInputOf } from '../../common/protocol/schema.ts'
import { BatchBuilder, type BatchBuilderOptions } from '../../common/record/batch-builder.ts'
import { type Step, step } from './scenario.ts'

/** A fixed time in the past, which no broker's clock gives. */
export const T0 = 1_500_000_000_000

export interface TopicOptions {
  readonly partitions?: number
  readonly configs?: Readonly<Record<string, string>>
  /** Under which the topic id is saved. */
  readonly saveAs?: string
}

/** Creates a topic and waits until every partition answers; the topic id is saved as `id`, or `saveAs`. */
export function topic(
  name: string,
  { partitions = 1, configs = {}, saveAs = 'id' }: TopicOptions = {},
): Step[] {
  return [
    step(
      `create ${saveAs}`,
      CreateTopics,
      7,
      {
        topics: [
          {
            name,
            numPartitions: partitions,
            replicationFactor: 1,
            assignments: [],
            configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
          },
        ],
        timeoutMs: 10_000,
      },
      { setup: true },
    ),
    step(
      `learn ${saveAs}`,
      Metadata,
      12,
      { topics: [{ name }], allowAutoTopicCreation: false },
      {
        setup: true,
        until: ({ topics }) => topics[0]?.errorCode === 0 && topics[0].partitions.length === partitions,
        save: ({ topics }) => ({ [saveAs]: topics[0]?.topicId }),
      },
    ),
    step(
      `open ${saveAs}`,
      ListOffsets,
      7,
      {
        replicaId: -1,
        topics: [
          {
            name,
            partitions: Array.from({ length: partitions }, (_, partitionIndex) => ({
              partitionIndex,
              timestamp: -1,
            })),
          },
        ],
      },
      {
        setup: true,
        until: ({ topics }) => topics[0]?.partitions.every((one) => one.errorCode === 0) === true,
      },
    ),
  ]
}

/** Waits for the coordinator of groups. */
export function groupCoordinator(group: string): Step[] {
  return [
    step(
      `coordinator of ${group.split('-').slice(1).join('-')}`,
      FindCoordinator,
      2,
      { key: group, keyType: 0 },
      { setup: true, until: ({ errorCode }) => errorCode === 0 },
    ),
    step(
      `loaded ${group.split('-').slice(1).join('-')}`,
      OffsetFetch,
      7,
      { groupId: group, topics: null },
      { setup: true, until: ({ errorCode }) => errorCode === 0 },
    ),
  ]
}

/** Waits for the coordinator and saves `pid` and `epoch`, with the prefix given. */
export function producer(transactionalId: string | null, prefix = '', version = 4): Step[] {
  const steps: Step[] = []
  if (transactionalId !== null) {
    steps.push(
      step(
        `coordinator for ${prefix}producer`,
        FindCoordinator,
        2,
        { key: transactionalId, keyType: 1 },
        { setup: true, until: ({ errorCode }) => errorCode === 0 },
      ),
    )
  }
  steps.push(
    step(
      `init ${prefix}producer`,
      InitProducerId,
      version,
      { transactionalId, transactionTimeoutMs: 60_000 },
      {
        setup: true,
        until: ({ errorCode }) => errorCode === 0,
        save: (answer) => ({ [`${prefix}pid`]: answer.producerId, [`${prefix}epoch`]: answer.producerEpoch }),
      },
    ),
  )
  return steps
}

export interface RecordOptions extends BatchBuilderOptions {
  readonly count?: number
  readonly timestamp?: number
  readonly valueBytes?: number
  readonly withoutKey?: boolean
}

/** A batch as a producer sends it. */
export function batch({
  count = 1,
  timestamp = T0,
  valueBytes = 0,
  withoutKey = false,
  ...options
}: RecordOptions = {}): Buffer {
  const builder = new BatchBuilder(options)
  for (let index = 0; index < count; index++) {
    const value =
      valueBytes > 0 ? Buffer.alloc(valueBytes, 0x61 + (index % 26)) : Buffer.from(`value-${index}`)
    builder.append(timestamp + index, withoutKey ? null : Buffer.from(`key-${index}`), value)
  }
  return builder.build()
}

export interface ProduceOptions {
  readonly acks?: number
  readonly partition?: number
  readonly topicId?: string
  readonly transactionalId?: string | null
}

export function produceRequest(
  name: string,
  records: Buffer | null,
  { acks = -1, partition = 0, topicId, transactionalId = null }: ProduceOptions = {},
): RequestInputOf<typeof Produce> {
  return {
    transactionalId,
    acks,
    timeoutMs: 10_000,
    topicData: [
      { name, ...(topicId === undefined ? {} : { topicId }), partitionData: [{ index: partition, records }] },
    ],
  }
}

/** Fills a partition; not compared. */
export function filled(name: string, records: Buffer, partition = 0, label = ''): Step {
  return step(`fill${label}`, Produce, 9, produceRequest(name, records, { partition }), { setup: true })
}

/** Records of partition 0 for a member of a share group. */
export function shareFetchRequest(
  topicId: string,
  session: { readonly groupId: string; readonly memberId: string; readonly shareSessionEpoch: number },
): RequestInputOf<typeof ShareFetch> {
  return {
    ...session,
    maxWaitMs: 500,
    minBytes: 1,
    maxBytes: 1_000_000,
    maxRecords: 100,
    batchSize: 100,
    topics: [{ topicId, partitions: [{ partitionIndex: 0, acknowledgementBatches: [] }] }],
    forgottenTopicsData: [],
  }
}
