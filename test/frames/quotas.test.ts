/**
 * Client quotas as clients meet them: throttle times in answers, and connections that are not heard meanwhile (KIP-13, 124, 219, 599).
 */
import { afterEach, describe, expect, it } from 'vitest'
import { startCluster, type TestCluster } from '../../broker/index.ts'
import { Produce } from '../../common/protocol/apis/00-produce.ts'
import { Fetch } from '../../common/protocol/apis/01-fetch.ts'
import { Metadata } from '../../common/protocol/apis/03-metadata.ts'
import { CreateTopics } from '../../common/protocol/apis/19-create-topics.ts'
import { DeleteTopics } from '../../common/protocol/apis/20-delete-topics.ts'
import { CreatePartitions } from '../../common/protocol/apis/37-create-partitions.ts'
import { DescribeClientQuotas } from '../../common/protocol/apis/48-describe-client-quotas.ts'
import { AlterClientQuotas } from '../../common/protocol/apis/49-alter-client-quotas.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { joinFrame } from '../../common/protocol/frame.ts'
import { encodeRequestFrame } from '../../common/protocol/header.ts'
import type { RequestInputOf } from '../../common/protocol/schema.ts'
import { RawConnection } from '../differential/raw-client.ts'
import { type RawClient, rawClient } from '../support/raw-client.ts'
import { batchOf } from '../support/records.ts'

/** Bytes per second that the quotas of these tests allow; a rate is taken over ten seconds at first. */
const LIMIT = 1_000
const NOTHING = { topics: [], allowAutoTopicCreation: false }

let cluster: TestCluster
let topicId: string
const clients: RawClient[] = []
const connections: RawConnection[] = []

async function start(options: { readonly clock?: 'real' | 'virtual'; readonly brokers?: number } = {}) {
  cluster = await startCluster({ clock: 'virtual', ...options })
  const created = await client('admin').call(CreateTopics, {
    topics: [
      {
        name: 'orders',
        numPartitions: 1,
        replicationFactor: 1,
        assignments: [],
        // The brokers' clock stands long before that of the records.
        configs: [{ name: 'message.timestamp.type', value: 'LogAppendTime' }],
      },
    ],
    timeoutMs: 5_000,
  })
  topicId = created.topics[0]?.topicId as string
}

afterEach(async () => {
  for (const each of [...clients.splice(0), ...connections.splice(0)]) each.close()
  await cluster.stop()
})

function addressOf(nodeId: number): string {
  return cluster.bootstrapServers.split(',')[nodeId - 1] as string
}

function client(clientId: string, nodeId = 1): RawClient {
  const connected = rawClient(addressOf(nodeId), clientId)
  clients.push(connected)
  return connected
}

type Entity = Readonly<Record<string, string | null>>

/** Sets a quota, or removes it with null, and waits until every broker knows. */
async function setQuota(named: Entity, key: string, value: number | null): Promise<void> {
  const entity = Object.entries(named).map(([entityType, entityName]) => ({ entityType, entityName }))
  const ops = [{ key, value: value ?? 0, remove: value === null }]
  const { entries } = await client('admin').call(AlterClientQuotas, {
    entries: [{ entity, ops }],
    validateOnly: false,
  })
  expect(entries[0]?.errorCode).toBe(ErrorCode.NONE)
  const components = Object.entries(named).map(([entityType, match]) => ({
    entityType,
    matchType: match === null ? 1 : 0,
    match,
  }))
  for (const address of cluster.bootstrapServers.split(',')) {
    const asking = rawClient(address)
    clients.push(asking)
    await cluster.waitFor.condition(`quota ${key}`, async () => {
      const described = await asking.call(DescribeClientQuotas, { components, strict: true })
      return described.entries?.[0]?.values.find((each) => each.key === key)?.value === (value ?? undefined)
    })
  }
}

function records(sizeBytes: number, acks = -1): RequestInputOf<typeof Produce> {
  return {
    acks,
    timeoutMs: 5_000,
    topicData: [{ topicId, partitionData: [{ index: 0, records: batchOf(['x'.repeat(sizeBytes)]) }] }],
  }
}

function produceFrame(clientId: string, request: RequestInputOf<typeof Produce>) {
  return encodeRequestFrame(Produce, { version: 13, correlationId: 1, clientId }, request)
}

/** The time that a request of so many bytes costs a client that was silent before. */
function throttleOf(sizeBytes: number): number {
  return Math.round(((sizeBytes / 10 - LIMIT) / LIMIT) * 10_000)
}

const consumed = (session: { readonly id: number; readonly epoch: number }) => ({
  maxWaitMs: 0,
  minBytes: 1,
  sessionId: session.id,
  sessionEpoch: session.epoch,
  topics:
    session.epoch > 0
      ? []
      : [{ topicId, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }] }],
})

const SESSIONLESS = { id: 0, epoch: -1 }

describe('producer_byte_rate', () => {
  it('answers what is above it at once, and does not hear that connection for the time it tells', async () => {
    await start()
    await setQuota({ 'client-id': 'app' }, 'producer_byte_rate', LIMIT)
    const producer = client('app')
    expect((await producer.call(Produce, records(1_000))).throttleTimeMs).toBe(0)
    await cluster.clock.advance('1m')
    const request = records(40_000)
    const answer = await producer.call(Produce, request)
    expect(answer.responses[0]?.partitionResponses[0]).toMatchObject({ errorCode: 0, baseOffset: 1 })
    expect(answer.throttleTimeMs).toBe(throttleOf(produceFrame('app', request).sizeBytes))

    let isHeard = false
    const next = producer.call(Metadata, NOTHING).then(() => {
      isHeard = true
    })
    // The same client on another connection is told the same, but only once it asks.
    expect((await client('app').call(Metadata, NOTHING)).throttleTimeMs).toBe(0)
    expect((await client('other').call(Produce, records(40_000))).throttleTimeMs).toBe(0)
    await cluster.clock.advance(answer.throttleTimeMs - 1)
    await client('other').call(Metadata, NOTHING)
    expect(isHeard).toBe(false)
    await cluster.clock.advance(1)
    await next
    expect((await producer.call(Produce, records(10))).throttleTimeMs).toBeLessThan(100)
  })

  it('holds back the one who wants no answers too', async () => {
    await start()
    await setQuota({ 'client-id': 'app' }, 'producer_byte_rate', LIMIT)
    const [host = '', port = ''] = addressOf(1).split(':')
    const connection = await RawConnection.open(host, Number(port))
    connections.push(connection)
    const silent = produceFrame('app', records(40_000, 0))
    connection.send(joinFrame(silent))
    const header = { version: 12, correlationId: 2, clientId: 'app' }
    connection.send(joinFrame(encodeRequestFrame(Metadata, header, NOTHING)))
    await cluster.waitFor.condition('the records', async () => {
      const { responses } = await client('other').call(Fetch, consumed(SESSIONLESS))
      return (responses[0]?.partitions[0]?.highWatermark ?? 0) > 0
    })
    await cluster.clock.advance(throttleOf(silent.sizeBytes) - 1)
    expect(await connection.next(50)).toBe('timeout')
    await cluster.clock.advance(1)
    expect(await connection.next()).toBeInstanceOf(Buffer)
  })

  it('of all users counts each user for itself, and all clients of a user together', async () => {
    await start()
    await setQuota({ user: null }, 'producer_byte_rate', LIMIT)
    expect((await client('one').call(Produce, records(9_000))).throttleTimeMs).toBe(0)
    expect((await client('two').call(Produce, records(9_000))).throttleTimeMs).toBeGreaterThan(0)
  })

  it('of all clients counts each client id for itself, on all of its connections together', async () => {
    await start()
    await setQuota({ 'client-id': null }, 'producer_byte_rate', LIMIT)
    expect((await client('one').call(Produce, records(9_000))).throttleTimeMs).toBe(0)
    expect((await client('two').call(Produce, records(9_000))).throttleTimeMs).toBe(0)
    expect((await client('two').call(Produce, records(9_000))).throttleTimeMs).toBeGreaterThan(0)
  })

  it('holds nobody back any more once it is removed', async () => {
    await start()
    const entity = { user: 'ANONYMOUS', 'client-id': 'app' }
    await setQuota(entity, 'producer_byte_rate', LIMIT)
    expect((await client('app').call(Produce, records(40_000))).throttleTimeMs).toBeGreaterThan(0)
    await setQuota(entity, 'producer_byte_rate', null)
    expect((await client('app').call(Produce, records(40_000))).throttleTimeMs).toBe(0)
  })

  it('leaves no timer behind for a connection that ends while it is held back', async () => {
    await start()
    await setQuota({ 'client-id': 'app' }, 'producer_byte_rate', LIMIT)
    const { broker } = cluster.node(1)
    const muted = () =>
      broker?.services.scheduler.pending().filter(({ label }) => label.startsWith('mute of'))
    expect((await client('app').call(Produce, records(40_000))).throttleTimeMs).toBeGreaterThan(0)
    expect(muted()).toHaveLength(1)
    for (const listener of broker?.listeners.forClients ?? []) {
      for (const connection of [...listener.connections]) connection.destroy()
    }
    expect(muted()).toHaveLength(0)
  })
})

describe('consumer_byte_rate', () => {
  it('answers a fetch above it empty, and gives the records when they are asked for later', async () => {
    await start()
    await setQuota({ 'client-id': 'app' }, 'consumer_byte_rate', LIMIT)
    await client('producer').call(Produce, records(8_000))
    const consumer = client('app')
    const first = await consumer.call(Fetch, consumed({ id: 0, epoch: 0 }))
    expect(first.throttleTimeMs).toBe(0)
    expect(first.responses[0]?.partitions[0]?.records?.length).toBeGreaterThan(8_000)

    const second = await consumer.call(Fetch, consumed({ id: first.sessionId, epoch: 1 }))
    expect(second).toMatchObject({ errorCode: 0, sessionId: first.sessionId, responses: [] })
    expect(second.throttleTimeMs).toBeGreaterThan(6_000)
    expect(second.throttleTimeMs).toBeLessThan(7_000)

    // What was not given does not count: after the time told, the same goes through.
    await cluster.clock.advance(second.throttleTimeMs + 5_000)
    const third = await consumer.call(Fetch, consumed({ id: first.sessionId, epoch: 2 }))
    expect(third.throttleTimeMs).toBe(0)
    expect(third.responses[0]?.partitions[0]?.records?.length).toBeGreaterThan(8_000)
  })

  it('gives no session to a fetch that is answered empty', async () => {
    await start()
    await setQuota({ 'client-id': 'app' }, 'consumer_byte_rate', LIMIT)
    await client('producer').call(Produce, records(20_000))
    const answer = await client('app').call(Fetch, consumed({ id: 0, epoch: 0 }))
    expect(answer).toMatchObject({ errorCode: 0, sessionId: 0, responses: [] })
    expect(answer.throttleTimeMs).toBeGreaterThan(10_000)
  })

  it('does not let a fetch wait for more than it would give', async () => {
    await start()
    await setQuota({ 'client-id': 'app' }, 'consumer_byte_rate', LIMIT)
    await client('producer').call(Produce, records(9_000))
    await client('producer').call(Produce, records(9_000))
    const answer = await client('app').call(Fetch, {
      ...consumed(SESSIONLESS),
      minBytes: 1 << 20,
      maxWaitMs: 600_000,
    })
    expect(answer.throttleTimeMs).toBe(0)
    expect(answer.responses[0]?.partitions[0]?.records?.length).toBeLessThan(10_000)
  })
})

describe('request_percentage', () => {
  it('holds back for one window at most, whatever is asked', async () => {
    await start({ clock: 'real' })
    await setQuota({ 'client-id': 'app' }, 'request_percentage', 1e-6)
    expect((await client('app').call(Metadata, NOTHING)).throttleTimeMs).toBe(1_000)
    expect((await client('app').call(Produce, records(10))).throttleTimeMs).toBe(1_000)
    const fetched = await client('app').call(Fetch, consumed(SESSIONLESS))
    expect(fetched).toMatchObject({ throttleTimeMs: 1_000, responses: [] })
    expect((await client('other').call(Metadata, NOTHING)).throttleTimeMs).toBe(0)
  })
})

describe('controller_mutation_rate', () => {
  const topic = (name: string, numPartitions: number) => ({
    name,
    numPartitions,
    replicationFactor: 1,
    assignments: [],
    configs: [],
  })

  it('refuses a topic while more partitions were created than it allows', async () => {
    await start()
    await setQuota({ 'client-id': 'app' }, 'controller_mutation_rate', 1)
    const first = await client('app').call(CreateTopics, { topics: [topic('large', 40)], timeoutMs: 5_000 })
    expect(first).toMatchObject({ throttleTimeMs: 0, topics: [{ errorCode: 0 }] })
    const impatient = client('app')
    const second = await impatient.call(CreateTopics, { topics: [topic('small', 1)], timeoutMs: 5_000 })
    expect(second.topics[0]).toMatchObject({
      errorCode: ErrorCode.THROTTLING_QUOTA_EXCEEDED,
      errorMessage: null,
    })
    expect(second.throttleTimeMs).toBe(29_000)
    await cluster.clock.advance(29_000)
    const third = await impatient.call(CreateTopics, { topics: [topic('small', 1)], timeoutMs: 5_000 })
    expect(third).toMatchObject({ throttleTimeMs: 0, topics: [{ errorCode: 0 }] })
  })

  it('refuses to delete topics and to add partitions too, and only holds back those who do not know that error', async () => {
    await start()
    await client('admin').call(CreateTopics, { topics: [topic('old', 20)], timeoutMs: 5_000 })
    await setQuota({ 'client-id': 'app' }, 'controller_mutation_rate', 1)
    const remove = { topicNames: ['old'], timeoutMs: 5_000 }
    const grow = (count: number) => ({
      topics: [{ name: 'orders', count, assignments: null }],
      timeoutMs: 5_000,
      validateOnly: false,
    })
    const created = await client('app').call(CreateTopics, { topics: [topic('a', 12)], timeoutMs: 5_000 }, 5)
    expect(created).toMatchObject({ throttleTimeMs: 1_000, topics: [{ errorCode: 0 }] })
    const refused = { throttleTimeMs: 1_000, errorCode: ErrorCode.THROTTLING_QUOTA_EXCEEDED }
    const { throttleTimeMs: deleteMs, responses } = await client('app').call(DeleteTopics, remove, 5)
    expect({ throttleTimeMs: deleteMs, errorCode: responses[0]?.errorCode }).toEqual(refused)
    const { throttleTimeMs: growMs, results } = await client('app').call(CreatePartitions, grow(3), 3)
    expect({ throttleTimeMs: growMs, errorCode: results[0]?.errorCode }).toEqual(refused)
    const grown = await client('app').call(CreatePartitions, grow(3), 2)
    expect(grown).toMatchObject({ throttleTimeMs: 3_000, results: [{ errorCode: 0 }] })
    const deleted = await client('app').call(DeleteTopics, remove, 4)
    expect(deleted).toMatchObject({ throttleTimeMs: 23_000, responses: [{ errorCode: 0 }] })
  })

  it('is counted by the controller, and the broker that was asked does not hear its client', async () => {
    await start({ brokers: 2 })
    await setQuota({ 'client-id': null }, 'controller_mutation_rate', 1)
    for (const nodeId of [1, 2]) {
      const app = client(`app-${nodeId}`, nodeId)
      await app.call(CreateTopics, { topics: [topic(`large-${nodeId}`, 15)], timeoutMs: 5_000 })
      const refused = await app.call(CreateTopics, { topics: [topic('small', 1)], timeoutMs: 5_000 })
      expect(refused.topics[0]?.errorCode).toBe(ErrorCode.THROTTLING_QUOTA_EXCEEDED)
      expect(refused.throttleTimeMs).toBe(4_000)
      let isHeard = false
      const next = app.call(Metadata, NOTHING).then(() => {
        isHeard = true
      })
      await client('other', nodeId).call(Metadata, NOTHING)
      expect(isHeard).toBe(false)
      await cluster.clock.advance(4_000)
      await next
    }
  })
})

describe('connection_creation_rate', () => {
  async function asked(): Promise<RawConnection> {
    const [host = '', port = ''] = addressOf(1).split(':')
    const connection = await RawConnection.open(host, Number(port))
    connections.push(connection)
    const header = { version: 12, correlationId: 1, clientId: 'app' }
    connection.send(joinFrame(encodeRequestFrame(Metadata, header, NOTHING)))
    return connection
  }

  it('leaves connections that are too many unserved, and closes them after a while', async () => {
    await start()
    await setQuota({ ip: null }, 'connection_creation_rate', 1)
    const opened: RawConnection[] = []
    for (let count = 0; count < 14; count += 1) opened.push(await asked())
    await cluster.clock.advance(999)
    const unserved = opened.at(-1) as RawConnection
    expect(await unserved.next(50)).toBe('timeout')
    expect(unserved.isClosed).toBe(false)
    await cluster.clock.advance(1)
    expect(await unserved.next()).toBe('closed')
    const answers = await Promise.all(opened.slice(0, -1).map((connection) => connection.next()))
    const served = answers.filter((answer) => answer !== 'closed')
    expect(served.length).toBeGreaterThanOrEqual(8)
    expect(served.length).toBeLessThanOrEqual(10)
    await cluster.clock.advance('12s')
    expect(await (await asked()).next()).toBeInstanceOf(Buffer)
  })
})
