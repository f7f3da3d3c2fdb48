/** `listOffsets`: offsets by what is to be found, asked of the leaders. */
import { ListOffsets } from '../../../common/protocol/apis/02-list-offsets.ts'
import type { Broker } from '../../connections/broker.ts'
import { IsolationLevel, OFFSET_SPEC_MAX_TIMESTAMP } from '../../constants.ts'
import { KafkaException } from '../../errors.ts'
import type { TopicPartition } from '../../values/topic-partition.ts'
import type { AdminCall } from '../admin-call.ts'
import type { AdminEngine } from '../admin-engine.ts'
import { type AdminOptions, OptionReader } from '../admin-options.ts'
import { byTopic, checkPartition } from '../arguments.ts'
import { KeyedMap, type ResultMap } from '../keyed-map.ts'
import { askLeaders, type LeaderAnswer } from '../leader-calls.ts'
import { mayTryAgain } from '../may-try-again.ts'
import { OffsetSpec } from './offset-spec.ts'

/** KIP-734 */
const maxTimestampVersion = 7

export interface ListOffsetsResultInfo {
  /** -1 when no record is late enough. */
  readonly offset: number
  /** Milliseconds; -1 for the earliest and the latest. */
  readonly timestamp: number
  /** null when the broker does not tell. */
  readonly leaderEpoch: number | null
}

export interface ListOffsetsOptions extends AdminOptions {
  /** With READ_COMMITTED, the latest is the last stable offset. Default READ_UNCOMMITTED. */
  readonly isolationLevel?: IsolationLevel
}

export type OffsetSpecs =
  | ReadonlyMap<TopicPartition, OffsetSpec>
  | readonly (readonly [TopicPartition, OffsetSpec])[]

export function listOffsets(
  engine: AdminEngine,
  specs: OffsetSpecs,
  options?: ListOffsetsOptions,
): ResultMap<TopicPartition, ListOffsetsResultInfo> {
  const wanted = specsOf(specs)
  const reader = new OptionReader(options)
  const isolationLevel = isolationOf(reader.raw('isolationLevel'))
  const limits = reader.limits()
  const entries = [...wanted.keys()]
  const timestampOf = (entry: TopicPartition): number => (wanted.get(entry) as OffsetSpec).timestamp
  const isNewest = (entry: TopicPartition): boolean => timestampOf(entry) === OFFSET_SPEC_MAX_TIMESTAMP
  return engine.keyed<TopicPartition, ListOffsetsResultInfo>(entries, limits, async (call, results) => {
    const ask = (own: readonly TopicPartition[], minVersion: number): Promise<void> =>
      askLeaders(call, results, own, (broker, partitions) =>
        request(call, broker, { partitions, timestampOf, isolationLevel, minVersion }),
      )
    const plainVersion = isolationLevel === IsolationLevel.READ_COMMITTED ? 2 : 1
    // Apart, so that an old broker refuses only these.
    const newest = entries.filter(isNewest)
    const others = entries.filter((entry) => !isNewest(entry))
    await Promise.all([
      newest.length === 0 ? undefined : ask(newest, maxTimestampVersion),
      others.length === 0 ? undefined : ask(others, plainVersion),
    ])
  })
}

interface Lookup {
  readonly partitions: readonly TopicPartition[]
  readonly timestampOf: (entry: TopicPartition) => number
  readonly isolationLevel: IsolationLevel
  readonly minVersion: number
}

async function request(
  call: AdminCall,
  broker: Broker,
  { partitions, timestampOf, isolationLevel, minVersion }: Lookup,
): Promise<readonly LeaderAnswer<ListOffsetsResultInfo>[] | undefined> {
  const topics = byTopic(partitions).map(([name, list]) => ({
    name,
    partitions: list.map((entry) => ({
      partitionIndex: entry.partition,
      timestamp: timestampOf(entry),
    })),
  }))
  const result = await call.tryRequest(broker, {
    api: ListOffsets,
    minVersion,
    body: (version) => ({
      replicaId: -1,
      topics,
      timeoutMs: Math.round(call.leftMs),
      ...(version >= 2 ? { isolationLevel } : {}),
    }),
  })
  if (!result.ok) {
    if (mayTryAgain(result, true)) return undefined
    throw new KafkaException(result.error)
  }
  return result.response.topics.flatMap(({ name, partitions: answers }) =>
    answers.map(({ partitionIndex, errorCode, offset, timestamp, leaderEpoch }) => ({
      topic: name,
      partition: partitionIndex,
      errorCode,
      value: { offset, timestamp, leaderEpoch: leaderEpoch < 0 ? null : leaderEpoch },
    })),
  )
}

function specsOf(specs: unknown): KeyedMap<TopicPartition, OffsetSpec> {
  if (!(specs instanceof Map) && !Array.isArray(specs)) {
    throw new TypeError('the offsets to list must be a Map or a list of pairs')
  }
  const wanted = new KeyedMap<TopicPartition, OffsetSpec>()
  for (const pair of specs as Iterable<unknown>) {
    if (!Array.isArray(pair) || pair.length !== 2) throw new TypeError('each entry must be a pair')
    const [entry, spec] = pair as [unknown, unknown]
    checkPartition(entry, 'the offsets to list')
    if (!(spec instanceof OffsetSpec)) throw new TypeError('each partition needs an OffsetSpec')
    wanted.set(entry, spec)
  }
  return wanted
}

function isolationOf(value: unknown): IsolationLevel {
  if (value === undefined) return IsolationLevel.READ_UNCOMMITTED
  if (value !== IsolationLevel.READ_UNCOMMITTED && value !== IsolationLevel.READ_COMMITTED) {
    throw new TypeError('isolationLevel must be a member of IsolationLevel')
  }
  return value
}
