/**
 * Error codes that a healthy cluster gives to requests which deserve them, sent as frames because a client does not send such:
 * BOOTSTRAP=host:port, or a kafkito of its own. What partitions, controllers and brokers answer.
 */
import { describe, expect, it } from 'vitest'
import { AdminClient, ClientQuotaEntity, type KafkaError, NewTopic, Producer } from '../../client/index.ts'
import { Produce } from '../../common/protocol/apis/00-produce.ts'
import { Fetch } from '../../common/protocol/apis/01-fetch.ts'
import { ListOffsets } from '../../common/protocol/apis/02-list-offsets.ts'
import { Metadata } from '../../common/protocol/apis/03-metadata.ts'
import { ApiVersions } from '../../common/protocol/apis/18-api-versions.ts'
import { CreateTopics } from '../../common/protocol/apis/19-create-topics.ts'
import { InitProducerId } from '../../common/protocol/apis/22-init-producer-id.ts'
import { AlterReplicaLogDirs } from '../../common/protocol/apis/34-alter-replica-log-dirs.ts'
import { DescribeCluster } from '../../common/protocol/apis/60-describe-cluster.ts'
import { UnregisterBroker } from '../../common/protocol/apis/64-unregister-broker.ts'
import type { RequestInputOf } from '../../common/protocol/schema.ts'
import { CompressionType } from '../../common/record/codecs.ts'
import { batch, produceRequest } from '../differential/support.ts'
import { type NegotiatedClient, rawClient } from '../support/raw-client.ts'
import { ConsumerWorld } from './consumer-support.ts'
import { named, toBroker } from './raw-errors.ts'
import { RawCluster, uniqueName } from './support.ts'

const world = ConsumerWorld.use()

async function toLeader<T>(topic: string, call: (client: NegotiatedClient) => Promise<T>): Promise<T> {
  return toBroker(await new RawCluster(world.bootstrap).leaderOf(topic, 0), call)
}

/** The name of the error that the partition answers to a batch. */
async function produced(topic: string, records: Buffer, version = 9): Promise<string> {
  const answer = await toLeader(topic, (client) =>
    client.call(Produce, produceRequest(topic, records), version),
  )
  return named(answer.responses[0]?.partitionResponses[0]?.errorCode)
}

async function topicIdOf(topic: string): Promise<string> {
  const request = { topics: [{ name: topic }], allowAutoTopicCreation: false }
  const { topics } = await toBroker(world.bootstrap, (client) => client.call(Metadata, request, 12))
  return topics[0]?.topicId ?? ''
}

type FetchRequest = RequestInputOf<typeof Fetch>

function reading(topic: string, more: Partial<FetchRequest> = {}, topicId?: string): FetchRequest {
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 }]
  const at = topicId === undefined ? { topic } : { topicId }
  return { maxWaitMs: 0, minBytes: 0, maxBytes: 1_000_000, topics: [{ ...at, partitions }], ...more }
}

describe('a partition answers', () => {
  it('to batches that it does not take', async () => {
    const damaged = batch()
    damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1
    const recent = await world.topic(1, { 'message.timestamp.before.max.ms': '1000' })
    const small = await world.topic(1, { 'segment.bytes': '1048576', 'max.message.bytes': '4000000' })
    const topic = await world.topic()
    const zstd = batch({ compressionType: CompressionType.zstd })
    expect(await produced(topic, batch())).toBe('NO_ERROR')
    expect(await produced(topic, damaged)).toBe('INVALID_MSG')
    expect(await produced(topic, zstd, 6)).toBe('UNSUPPORTED_COMPRESSION_TYPE')
    expect(await produced(recent, batch())).toBe('INVALID_TIMESTAMP')
    expect(await produced(small, batch({ valueBytes: 2_000_000 }))).toBe('RECORD_LIST_TOO_LARGE')
  })

  it('what the producer tells of its message', async () => {
    const recent = await world.topic(1, { 'message.timestamp.before.max.ms': '1000' })
    const small = await world.topic(1, { 'segment.bytes': '1048576', 'max.message.bytes': '4000000' })
    await using producer = new Producer({
      'bootstrap.servers': world.bootstrap,
      'message.max.bytes': 4_000_000,
      log_level: 0,
    })
    const heard: string[] = []
    const onDelivery = (error: KafkaError | null): void => void heard.push(error?.name() ?? 'none')
    producer.produce(recent, { value: 'x', timestamp: 1, partition: 0, onDelivery })
    await producer.flush(20)
    producer.produce(small, { value: Buffer.alloc(2_000_000), partition: 0, onDelivery })
    await producer.flush(20)
    expect(heard).toEqual(['INVALID_TIMESTAMP', 'RECORD_LIST_TOO_LARGE'])
  })

  it('to sequence numbers and epochs that are not the next ones', async () => {
    const topic = await world.topic()
    const producerId = await toBroker(world.bootstrap, async (client) => {
      const request = { transactionalId: null, transactionTimeoutMs: 1000 }
      let made = await client.call(InitProducerId, request)
      while (named(made.errorCode) !== 'NO_ERROR') made = await client.call(InitProducerId, request)
      return made.producerId
    })
    // What wrote long ago is forgotten.
    const timestamp = Date.now()
    const from = (producerEpoch: number, baseSequence: number): Buffer =>
      batch({ producerId, producerEpoch, baseSequence, timestamp })
    expect(await produced(topic, from(1, 0))).toBe('NO_ERROR')
    expect(await produced(topic, from(1, 5))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(await produced(topic, from(0, 1))).toBe('INVALID_PRODUCER_EPOCH')
  })

  it('to those who ask the wrong broker, for another topic or in another epoch', async () => {
    const topic = await world.topic()
    const first = ({ responses }: { responses: { partitions: { errorCode: number }[] }[] }): string =>
      named(responses[0]?.partitions[0]?.errorCode)
    const asked = async (request: FetchRequest, version: number): Promise<string> =>
      first(await toLeader(topic, (client) => client.call(Fetch, request, version)))
    expect(await asked(reading(topic), 11)).toBe('NO_ERROR')
    expect(await asked(reading(topic, { replicaId: 4711 }), 11)).toBe('NOT_LEADER_FOR_PARTITION')
    expect(await asked(reading('', {}, 'AAAAAAAAAAAAAAAAAAAAEQ'), 13)).toBe('UNKNOWN_TOPIC_ID')
    const partitions = [{ partitionIndex: 0, timestamp: -1, currentLeaderEpoch: 99 }]
    const epochs = await toLeader(topic, (client) =>
      client.call(ListOffsets, { replicaId: -1, topics: [{ name: topic, partitions }] }, 7),
    )
    expect(named(epochs.topics[0]?.partitions[0]?.errorCode)).toBe('UNKNOWN_LEADER_EPOCH')
  })

  it('to fetch sessions that are not there, or were left behind', async () => {
    const topic = await world.topic()
    const topicId = await topicIdOf(topic)
    await toLeader(topic, async (client) => {
      const { sessionId } = await client.call(Fetch, reading('', { sessionEpoch: 0 }, topicId), 13)
      expect(sessionId).toBeGreaterThan(0)
      const session = async (more: Partial<FetchRequest>, version = 13): Promise<string> =>
        named((await client.call(Fetch, { ...reading(''), topics: [], ...more }, version)).errorCode)
      expect(await session({ sessionId, sessionEpoch: 7 })).toBe('INVALID_FETCH_SESSION_EPOCH')
      expect(await session({ sessionId: 123_456_789, sessionEpoch: 1 })).toBe('FETCH_SESSION_ID_NOT_FOUND')
      expect(await session({ sessionId, sessionEpoch: 1 }, 12)).toBe('FETCH_SESSION_TOPIC_ID_ERROR')
    })
  })

  it('to a session that goes on with a topic which was made anew', async () => {
    const name = uniqueName('anew')
    await world.topic(1, {}, name)
    const raw = new RawCluster(world.bootstrap)
    await using admin = new AdminClient({ 'bootstrap.servers': world.bootstrap, log_level: 0 })
    const old = await topicIdOf(name)
    const leader = (await admin.listTopics(name)).topics.get(name)?.partitions.get(0)?.leader ?? 0
    await toLeader(name, async (client) => {
      const { sessionId } = await client.call(Fetch, reading('', { sessionEpoch: 0 }, old), 13)
      await admin.deleteTopics([name]).all()
      while ((await topicIdOf(name)) === old);
      // On the same broker: another one would only say that it does not lead.
      const anew = new NewTopic(name, 1, -1, { replicaAssignment: [[leader]] })
      await admin.createTopics([anew]).all()
      await raw.known(name, 1)
      let told = 'NO_ERROR'
      for (let sessionEpoch = 1; sessionEpoch < 2000 && told !== 'INCONSISTENT_TOPIC_ID'; sessionEpoch++) {
        const next = { ...reading(''), topics: [], sessionId, sessionEpoch }
        const { responses, errorCode } = await client.call(Fetch, next, 13)
        told = named(errorCode === 0 ? responses[0]?.partitions[0]?.errorCode : errorCode)
      }
      expect(told).toBe('INCONSISTENT_TOPIC_ID')
    })
  })
})

describe('a broker answers', () => {
  it('to those who take it for a controller, or for another cluster', async () => {
    await toBroker(world.bootstrap, async (client) => {
      const endpoint = async (endpointType: number): Promise<string> =>
        named(
          (await client.call(DescribeCluster, { includeClusterAuthorizedOperations: false, endpointType }, 1))
            .errorCode,
        )
      expect(await endpoint(1)).toBe('NO_ERROR')
      expect(await endpoint(2)).toBe('MISMATCHED_ENDPOINT_TYPE')
      expect(await endpoint(7)).toBe('UNSUPPORTED_ENDPOINT_TYPE')
      const software = { clientSoftwareName: 'x', clientSoftwareVersion: '1' }
      const elsewhere = { ...software, clusterId: 'elsewhere', nodeId: 1 }
      expect(named((await client.call(ApiVersions, elsewhere, 5)).errorCode)).toBe('REBOOTSTRAP_REQUIRED')
    })
  })

  it('to names of brokers and directories that it does not know', async () => {
    const topic = await world.topic()
    const dirs = [{ path: '/nowhere/at/all', topics: [{ name: topic, partitions: [0] }] }]
    const moved = await toLeader(topic, (client) => client.call(AlterReplicaLogDirs, { dirs }))
    expect(named(moved.results[0]?.partitions[0]?.errorCode)).toBe('LOG_DIR_NOT_FOUND')
    await toBroker(world.bootstrap, async (client) => {
      const gone = await client.call(UnregisterBroker, { brokerId: 4711 })
      expect(named(gone.errorCode)).toBe('BROKER_ID_NOT_REGISTERED')
    })
  })

  it('to those who create more topics than their quota allows', async () => {
    await using admin = new AdminClient({ 'bootstrap.servers': world.bootstrap, log_level: 0 })
    const clientId = uniqueName('eager')
    const entity = new ClientQuotaEntity({ 'client-id': clientId })
    const limit = (value: number | null) =>
      admin.alterClientQuotas([{ entity, operations: [{ key: 'controller_mutation_rate', value }] }]).all()
    await limit(0.01)
    // A debt of forty partitions is paid back in more than an hour.
    const topics = [
      { name: uniqueName('t'), numPartitions: 40, replicationFactor: 1, assignments: [], configs: [] },
    ]
    const client = rawClient(world.bootstrap, clientId)
    let seen = 'NO_ERROR'
    for (let attempt = 0; attempt < 2000 && seen === 'NO_ERROR'; attempt++) {
      const answer = await client.call(CreateTopics, { topics, timeoutMs: 5000, validateOnly: true }, 7)
      seen = named(answer.topics[0]?.errorCode)
    }
    client.close()
    await limit(null)
    expect(seen).toBe('THROTTLING_QUOTA_EXCEEDED')
  })
})
