import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../broker/cluster.ts'
import { decodeSnapshot } from '../../broker/metadata/snapshot.ts'
import { Metadata } from '../../common/protocol/apis/03-metadata.ts'
import { CreateTopics } from '../../common/protocol/apis/19-create-topics.ts'
import { DeleteTopics } from '../../common/protocol/apis/20-delete-topics.ts'
import { DescribeQuorum } from '../../common/protocol/apis/55-describe-quorum.ts'
import { ZERO_UUID } from '../../common/protocol/schema.ts'
import { rawClient } from '../support/raw-client.ts'

const TOPICS = 30
const BOOTSTRAP = '00000000000000000000-0000000000.checkpoint'
const SMALL = {
  'metadata.log.max.record.bytes.between.snapshots': 2_000,
  'internal.metadata.log.segment.bytes': 4_096,
  'metadata.max.retention.bytes': 8_000,
  'metadata.log.max.snapshot.interval.ms': 0,
}

let dataDir: string

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'kafkito-metadata-'))
})

afterEach(() => {
  rmSync(dataDir, { recursive: true, force: true })
})

const metadataDirectory = () => join(dataDir, 'broker-1', '__cluster_metadata-0')
const filesEndingWith = (ending: string) =>
  readdirSync(metadataDirectory()).filter((name) => name.endsWith(ending))

async function withCluster(
  config: Readonly<Record<string, number>>,
  use: (client: ReturnType<typeof rawClient>, cluster: Cluster) => Promise<void>,
): Promise<void> {
  const cluster = await startCluster({ dataDir, config })
  const client = rawClient(cluster.bootstrapServers)
  try {
    await use(client, cluster)
  } finally {
    client.close()
    await cluster.stop()
  }
}

function createTopic(client: ReturnType<typeof rawClient>, name: string) {
  return client.call(CreateTopics, {
    topics: [{ name, numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] }],
    timeoutMs: 5_000,
  })
}

async function topicNames(client: ReturnType<typeof rawClient>): Promise<(string | null)[]> {
  const { topics } = await client.call(Metadata, { topics: null, allowAutoTopicCreation: false })
  return topics.map(({ name }) => name).sort()
}

describe('the metadata of a cluster', () => {
  it('begins with a checkpoint of what formatting decided', async () => {
    await withCluster({}, async () => {})
    expect(filesEndingWith('.checkpoint')).toEqual([BOOTSTRAP])
    const content = decodeSnapshot(readFileSync(join(metadataDirectory(), BOOTSTRAP)))
    expect(content?.records.map(({ value }) => value)).toMatchObject([
      { name: 'metadata.version', featureLevel: 33 },
      { name: 'eligible.leader.replicas.version', featureLevel: 1 },
      { name: 'group.version', featureLevel: 1 },
      { name: 'share.version', featureLevel: 2 },
      { name: 'streams.version', featureLevel: 1 },
      { name: 'transaction.version', featureLevel: 2 },
    ])
  })

  it('is kept in snapshots, so that the beginning of its log may go', async () => {
    const names = Array.from({ length: TOPICS }, (_, index) => `topic-${String(index).padStart(2, '0')}`)
    await withCluster(SMALL, async (client) => {
      for (const name of names) await createTopic(client, name)
      await client.call(DeleteTopics, {
        topics: [{ name: 'topic-00', topicId: ZERO_UUID }],
        timeoutMs: 5_000,
      })
    })
    expect(filesEndingWith('.checkpoint')).not.toContain(BOOTSTRAP)
    expect(filesEndingWith('.log')).not.toContain('00000000000000000000.log')
    await withCluster(SMALL, async (client) => {
      expect(await topicNames(client)).toEqual(names.slice(1))
      const { topics } = await createTopic(client, 'one-more')
      expect(topics[0]?.errorCode).toBe(0)
    })
    await withCluster({}, async (client) => {
      expect(await topicNames(client)).toEqual(['one-more', ...names.slice(1)])
    })
  })

  it('knows where its controller listens', async () => {
    await withCluster({}, async (client, cluster) => {
      const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }]
      const { nodes } = await client.call(DescribeQuorum, { topics }, 2)
      const { host, port } = cluster.brokers[0]?.controllerAddress ?? {}
      expect(nodes).toMatchObject([{ nodeId: 1, listeners: [{ name: 'CONTROLLER', host, port }] }])
    })
  })
})
