/**
 * Puts a seed into a cluster, by the requests that any client would send: topics, then records, then offsets of groups, then scripts.
 *
 * Invariant: done twice it is as done once, whatever point it was broken off at. Topics and committed offsets that are there stay as they
 * are, and the nth record of a partition is its offset n, so what the partition has already is not written again. Scripts run every time.
 */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { OffsetCommit } from '../../common/protocol/apis/08-offset-commit.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { importModule } from '../../common/runtime/node/import-module.ts'
import { StartError } from '../start-error.ts'
import { KafkaError } from './kafka-error.ts'
import { partitionOf } from './records.ts'
import { RemoteView } from './remote-view.ts'
import type { Seed, SeedOffset, SeedRecord } from './seed-folder.ts'
import { type Place, seedError } from './seed-line.ts'
import { TopicHandle, type TopicHost, type TopicOptions } from './topic-handle.ts'

/** What a script is given. */
export interface SeededCluster {
  readonly bootstrapServers: string
  /** `create`, `produce`, `exists` and the other words of the fixture. */
  topic(name: string): TopicHandle
}

/** Records of a request: few enough for the limits of a log, many enough to be quick. */
const CHUNK_RECORDS = 1_000
const CHUNK_LENGTH = 256 << 10

/** @throws StartError for what the cluster refuses, with file and line */
export async function plantSeed(
  seed: Seed,
  { host, bootstrapServers }: { readonly host: TopicHost; readonly bootstrapServers: string },
): Promise<void> {
  const topic = (name: string): TopicHandle => new TopicHandle(host, name)
  for (const { name, options, place } of seed.topics)
    await told(place, () => ensureTopic(host, topic(name), options))
  for (const [name, records] of seed.records) {
    const [first] = records
    if (first === undefined) continue
    await told(first.place, () => ensureTopic(host, topic(name), {}))
    await plantRecords(host, topic(name), records)
  }
  await plantOffsets(host, seed.offsets)
  for (const path of seed.scripts) await runScript(path, { bootstrapServers, topic })
}

async function ensureTopic(host: TopicHost, topic: TopicHandle, options: TopicOptions): Promise<void> {
  try {
    if (!(await topic.exists())) await topic.create(options)
  } catch (error) {
    if (!(error instanceof KafkaError) || error.code !== 'TOPIC_ALREADY_EXISTS') throw error
  }
  await host.whenUsable(topic.name)
}

async function plantRecords(
  { wire }: TopicHost,
  topic: TopicHandle,
  records: readonly SeedRecord[],
): Promise<void> {
  const { length: partitionCount } = await wire.partitions(topic.name)
  const byPartition = new Map<number, SeedRecord[]>()
  for (const { record, place, length } of records) {
    const partition = partitionOf(record, partitionCount)
    if (partition >= partitionCount)
      throw seedError(place, `${topic.name} has no partition ${partition}, it has ${partitionCount}.`)
    const own = byPartition.get(partition) ?? []
    own.push({ place, length, record: { ...record, partition } })
    byPartition.set(partition, own)
  }
  const ends = await topic.end()
  for (const [partition, own] of byPartition)
    for (const chunk of chunksOf(own.slice(ends[partition] ?? 0))) await produce(topic, chunk)
}

/** A topic may take less at once than others do: then in halves, as Kafka's own producer does it. */
async function produce(topic: TopicHandle, chunk: readonly SeedRecord[]): Promise<void> {
  const [first] = chunk
  if (first === undefined) return
  try {
    await topic.produce(chunk.map(({ record }) => record))
  } catch (error) {
    const isTooMuch = error instanceof KafkaError && error.code === 'MESSAGE_TOO_LARGE'
    if (!isTooMuch || chunk.length === 1) throw refusal(first.place, error)
    const half = chunk.length >> 1
    await produce(topic, chunk.slice(0, half))
    await produce(topic, chunk.slice(half))
  }
}

function* chunksOf(records: readonly SeedRecord[]): Generator<readonly SeedRecord[]> {
  let chunk: SeedRecord[] = []
  let length = 0
  for (const entry of records) {
    if (chunk.length === CHUNK_RECORDS || (chunk.length > 0 && length + entry.length > CHUNK_LENGTH)) {
      yield chunk
      chunk = []
      length = 0
    }
    chunk.push(entry)
    length += entry.length
  }
  yield chunk
}

async function plantOffsets(host: TopicHost, offsets: readonly SeedOffset[]): Promise<void> {
  const view = new RemoteView(host.wire, host.nowMs)
  const committed = new Map<string, ReadonlyMap<string, number>>()
  for (const entry of offsets)
    await told(entry.place, async () => {
      const { group, topic, partition } = entry
      const own = committed.get(group) ?? (await view.committed(group))
      committed.set(group, own)
      if (!own.has(`${topic}-${partition}`)) await commit(host, entry)
    })
}

/** As a consumer without a group of members commits. @throws KafkaError */
async function commit({ wire }: TopicHost, entry: SeedOffset): Promise<void> {
  const { group, topic, partition, offset, metadata } = entry
  const { topics: known } = await wire.metadata([topic])
  const { topicId, errorCode } = known?.[0] ?? { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }
  if (topicId === undefined || errorCode !== ErrorCode.NONE)
    throw new KafkaError(`topic "${topic}"`, errorCode)
  const answer = await wire.coordinator(
    group,
    OffsetCommit,
    {
      groupId: group,
      memberId: '',
      topics: [
        {
          name: topic,
          topicId,
          partitions: [
            { partitionIndex: partition, committedOffset: offset, committedMetadata: metadata ?? '' },
          ],
        },
      ],
    },
    ({ topics }) => topics[0]?.partitions[0]?.errorCode ?? 0,
  )
  const refused = answer.topics[0]?.partitions[0]?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
  if (refused !== ErrorCode.NONE)
    throw new KafkaError(`committing ${topic}-${partition} for group "${group}"`, refused)
}

async function runScript(path: string, cluster: SeededCluster): Promise<void> {
  try {
    const url = pathToFileURL(resolve(path)).href
    const { seed } = await importModule(url)
    if (typeof seed !== 'function') throw new Error('it has no "export async function seed(cluster)"')
    await (seed as (cluster: SeededCluster) => unknown)(cluster)
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error)
    throw new StartError('FAILED', `The seed script ${path} failed: ${problem}.`, '', { cause: error })
  }
}

async function told(place: Place, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    throw refusal(place, error)
  }
}

/** What a cluster has refused, with the line that asked for it. */
function refusal({ file, line }: Place, error: unknown): unknown {
  if (!(error instanceof KafkaError)) return error
  return new StartError('FAILED', `${file}:${line}: ${error.message}`, 'Correct that line.', { cause: error })
}
