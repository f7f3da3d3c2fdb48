import { describe, expect, it } from 'vitest'
import { MetadataCache } from '../../../../client/metadata/metadata-cache.ts'
import type { MetadataResponse } from '../../../../common/protocol/apis/03-metadata.ts'

const maxAgeMs = 1000

function answer(partitions: readonly (readonly [id: number, leaderId: number, leaderEpoch: number])[]) {
  return {
    brokers: [],
    clusterId: 'c',
    controllerId: 1,
    topics: [
      {
        errorCode: 0,
        name: 't',
        topicId: 'AAAAAAAAAAAAAAAAAAAAAQ',
        isInternal: false,
        partitions: partitions.map(([partitionIndex, leaderId, leaderEpoch]) => ({
          errorCode: 0,
          partitionIndex,
          leaderId,
          leaderEpoch,
          replicaNodes: [leaderId],
          isrNodes: [leaderId],
          offlineReplicas: [],
        })),
      },
    ],
  } as unknown as MetadataResponse
}

function cacheOf(...answers: readonly (readonly [nowMs: number, MetadataResponse])[]): MetadataCache {
  const cache = new MetadataCache(maxAgeMs)
  for (const [nowMs, response] of answers) cache.apply(response, nowMs)
  return cache
}

describe('the metadata of a topic', () => {
  it.each([-1, -0x80000000, 2, 0x7fffffff])('has no partition %i beside two others', (id) => {
    const cache = cacheOf([
      0,
      answer([
        [0, 1, 0],
        [id, 9, 0],
      ]),
    ])
    const partitions = cache.topic('t')?.partitions ?? []
    expect(partitions.map(({ leaderId }) => leaderId)).toEqual([1])
  })

  it('keeps a leader that an answer with an older epoch contradicts', () => {
    const cache = cacheOf([0, answer([[0, 1, 5]])], [maxAgeMs - 1, answer([[0, 2, 4]])])
    expect(cache.partition('t', 0)).toMatchObject({ leaderId: 1, leaderEpoch: 5 })
  })

  it('gives up a leader of whose epoch nobody has spoken for metadata.max.age.ms', () => {
    const contradicted = answer([[0, 2, 4]])
    const cache = cacheOf([0, answer([[0, 1, 0x7fffffff]])], [500, contradicted], [maxAgeMs, contradicted])
    expect(cache.partition('t', 0)).toMatchObject({ leaderId: 2, leaderEpoch: 4 })
  })
})
