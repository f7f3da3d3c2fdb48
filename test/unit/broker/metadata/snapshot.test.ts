import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { MetadataDelta, MetadataImage } from '../../../../broker/metadata/image.ts'
import { ConfigResourceType } from '../../../../broker/metadata/image.ts'
import { MutableMetadataImage } from '../../../../broker/metadata/image-builder.ts'
import { imageRecords } from '../../../../broker/metadata/image-records.ts'
import { MetadataLoader } from '../../../../broker/metadata/loader.ts'
import {
  decodeMetadataRecord,
  encodeMetadataRecord,
  metadataRecord,
} from '../../../../broker/metadata/metadata-record.ts'
import {
  decodeSnapshot,
  encodeImageSnapshot,
  imageOfSnapshot,
  listSnapshots,
  parseSnapshotFileName,
  readSnapshotFile,
  snapshotFileName,
  writeSnapshotFile,
} from '../../../../broker/metadata/snapshot.ts'
import { SeededRandom } from '../../../../common/runtime/seeded-random.ts'
import { MemoryDisk } from '../../../../common/runtime/sim/files.ts'
import { TraceBus } from '../../../../common/runtime/trace-bus.ts'
import { VirtualClock } from '../../../../common/runtime/virtual-clock.ts'
import { randomHistory } from './records.ts'

const KAFKA_SNAPSHOT = readFileSync(new URL('./data/kafka-4.4.0-bootstrap.checkpoint', import.meta.url))

function imageOf(seed: number, steps = 200): MutableMetadataImage {
  const image = new MutableMetadataImage()
  for (const record of randomHistory(new SeededRandom(seed), steps)) image.replay(record)
  image.takeDelta()
  image.advanceTo({ offset: 4711, epoch: 3, timestampMs: 1000 })
  return image
}

/** The whole content, order of arrival left aside. */
function contentOf(image: MetadataImage) {
  const { offset, epoch, nextProducerId } = image
  return {
    ...{ offset, epoch, nextProducerId },
    brokers: new Map(image.brokers),
    controllers: new Map(image.controllers),
    topics: new Map(image.topicsById),
    names: new Set(image.topicsByName.keys()),
    features: new Map(image.features),
    acls: new Map(image.acls),
    scram: new Map(image.scramCredentials),
    quotas: new Map(image.quotas),
    tokens: new Map(image.delegationTokens),
    configs: Object.values(ConfigResourceType).map(
      (type) => new Map(image.configuredResources(type).map((name) => [name, image.configsOf(type, name)])),
    ),
  }
}

describe('metadata snapshots', () => {
  it('hold the whole image: records, bytes and back give the same image', () => {
    for (let seed = 1; seed <= 30; seed++) {
      const image = imageOf(seed)
      const { id, buffers } = encodeImageSnapshot(image, { nowMs: 2000 })
      const decoded = decodeSnapshot(Buffer.concat(buffers))
      if (decoded === undefined) throw new Error(`seed ${seed}: not a snapshot`)
      expect(decoded.unknown).toEqual([])
      expect(contentOf(imageOfSnapshot(decoded, id)), `seed ${seed}`).toEqual(contentOf(image))
    }
  })

  it('of Kafka are read: the features that formatting a node decides', () => {
    const snapshot = decodeSnapshot(KAFKA_SNAPSHOT)
    expect(snapshot?.records.map(({ value }) => value)).toEqual([
      { name: 'metadata.version', featureLevel: 33 },
      { name: 'eligible.leader.replicas.version', featureLevel: 1 },
      { name: 'group.version', featureLevel: 1 },
      { name: 'share.version', featureLevel: 2 },
      { name: 'streams.version', featureLevel: 1 },
      { name: 'transaction.version', featureLevel: 2 },
    ])
  })

  it('that are torn or damaged are refused', () => {
    expect(decodeSnapshot(KAFKA_SNAPSHOT.subarray(0, KAFKA_SNAPSHOT.length - 75))).toBeUndefined()
    expect(decodeSnapshot(KAFKA_SNAPSHOT.subarray(83))).toBeUndefined()
    const damaged = Buffer.from(KAFKA_SNAPSHOT)
    damaged[200] = (damaged[200] as number) ^ 1
    expect(decodeSnapshot(damaged)).toBeUndefined()
  })

  it('are files named by end offset and epoch', () => {
    expect(snapshotFileName({ endOffset: 42, epoch: 7 })).toBe('00000000000000000042-0000000007.checkpoint')
    expect(parseSnapshotFileName('00000000000000000042-0000000007.checkpoint')).toEqual({
      endOffset: 42,
      epoch: 7,
    })
    expect(parseSnapshotFileName('00000000000000000042-0000000007.checkpoint.part')).toBeUndefined()
    const files = new MemoryDisk({ clock: new VirtualClock(), post: (task) => task() })
    files.makeDirectory('/metadata')
    const { id, buffers } = encodeImageSnapshot(imageOf(1), { nowMs: 2000 })
    writeSnapshotFile(files, '/metadata', id, buffers)
    writeSnapshotFile(files, '/metadata', { endOffset: 0, epoch: 0 }, [KAFKA_SNAPSHOT])
    expect(listSnapshots(files, '/metadata')).toEqual([{ endOffset: 0, epoch: 0 }, id])
    expect(readSnapshotFile(files, '/metadata', id)?.records.length).toBeGreaterThan(0)
  })

  it('replace what a broker knew and tell it what is gone and what is new', () => {
    const loader = new MetadataLoader({ trace: new TraceBus(), name: 'metadata of broker 1' })
    const first = encodeImageSnapshot(imageOf(1), { nowMs: 1 })
    const second = encodeImageSnapshot(imageOf(2), { nowMs: 1 })
    const decoded = [first, second].map(({ buffers }) => decodeSnapshot(Buffer.concat(buffers)))
    const [one, two] = decoded
    if (one === undefined || two === undefined) throw new Error('not a snapshot')
    loader.loadSnapshot(one, first.id)
    const known = new Set(loader.image.topicsById.keys())
    let delta: MetadataDelta | undefined
    const stop = loader.listen({
      onMetadata: (_, change) => {
        delta = change
      },
    })
    loader.loadSnapshot(two, second.id)
    stop()
    expect(new Set(delta?.deletedTopics.keys())).toEqual(known)
    expect(new Set(delta?.changedTopics.keys())).toEqual(new Set(loader.image.topicsById.keys()))
    expect(contentOf(loader.image)).toEqual(contentOf(imageOf(2)))
  })
})

describe('metadata records', () => {
  it('are framed and read back', () => {
    for (const record of randomHistory(new SeededRandom(9), 300)) {
      expect(decodeMetadataRecord(encodeMetadataRecord(record))).toEqual(record)
    }
  })
})

describe('the metadata image', () => {
  it('takes 10,000 new partitions in well under a second, and leaves published topics as they were', () => {
    const image = new MutableMetadataImage()
    for (const record of imageRecords(imageOf(3))) image.replay(record)
    image.replay(metadataRecord('TopicRecord', 0, { name: 'orders', topicId: 'AAAAAAAAAAAAAAAAAAAAZA' }))
    image.takeDelta()
    const topic = image.topicsByName.get('orders')
    if (topic === undefined) throw new Error('no topic')
    const [template] = topic.partitions
    const before = topic.partitions.length
    for (let index = before; index < 10_000; index++) {
      image.replay({
        type: 'PartitionRecord',
        version: 2,
        value: {
          partitionId: index,
          topicId: topic.id,
          replicas: [1],
          isr: [1],
          removingReplicas: [],
          addingReplicas: [],
          leader: 1,
          leaderRecoveryState: 0,
          leaderEpoch: 0,
          partitionEpoch: 0,
          directories: template?.directories.slice(0, 1) ?? [],
          eligibleLeaderReplicas: null,
          lastKnownElr: null,
        },
      })
    }
    const delta = image.takeDelta()
    expect(topic.partitions).toHaveLength(before)
    expect(delta.changedTopics.get(topic.id)).toBe(topic)
    expect(image.topicsById.get(topic.id)?.partitions).toHaveLength(10_000)
  })
})
