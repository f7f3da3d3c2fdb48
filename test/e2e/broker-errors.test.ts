/**
 * What a healthy cluster does not answer: brokers in this process do, over their sockets, and the client says so, or gets over it.
 * Apache Kafka cannot be asked for it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCluster, type TestCluster } from '../../broker/index.ts'
import {
  AdminClient,
  type ClientConfig,
  KafkaError,
  KafkaException,
  PersistenceStatus,
  Producer,
} from '../../client/index.ts'
import { brokerCodes } from '../support/client-api/codes.ts'
import { RawCluster, uniqueName } from './support.ts'

let cluster: TestCluster
beforeAll(async () => {
  cluster = await startCluster({ strict: false })
})
afterAll(async () => {
  await cluster.stop()
})

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
}

const quick = { 'linger.ms': 0, 'retry.backoff.ms': 1, 'retry.backoff.max.ms': 10, log_level: 0 } as const

interface Produced {
  readonly topic: string
  /** Of the message and of another one after it. */
  readonly errors: readonly (string | null)[]
  readonly persistence: number
  readonly offset: number | null
  readonly flushed: unknown
  readonly epochs: readonly number[]
  readonly producerIds: ReadonlySet<number>
}

/** One message to a topic of its own that is known already, whose first request meets the fault, and then another one. */
async function produced(
  fault: (fault: ReturnType<TestCluster['faults']['on']>) => unknown,
  conf: ClientConfig = {},
): Promise<Produced> {
  const topic = uniqueName('errors')
  const raw = new RawCluster(cluster.bootstrapServers)
  await raw.createTopic(topic, 1)
  await using producer = new Producer(
    { 'bootstrap.servers': cluster.bootstrapServers, ...quick },
    { 'max.in.flight.requests.per.connection': 1, ...conf },
  )
  await producer.listTopics(topic)
  const rule = cluster.faults.on('Produce', { topic }).once()
  fault(rule)
  const errors: (string | null)[] = []
  let persistence = -1
  let offset: number | null = null
  producer.produce(topic, {
    value: 'met',
    onDelivery: (error, message) => {
      errors.push(error?.name() ?? null)
      persistence = message.persistence()
      offset = message.offset()
    },
  })
  let flushed: unknown = await rejection(producer.flush(30))
  expect(rule.hits).toBe(1)
  rule.remove()
  if (flushed === undefined) {
    producer.produce(topic, { value: 'next', onDelivery: (error) => errors.push(error?.name() ?? null) })
    flushed = await rejection(producer.flush(30))
  }
  const { batches } = await raw.read(topic, 0)
  const producerIds = new Set(batches.map(({ producerId }) => producerId))
  const epochs = batches.map(({ producerEpoch }) => producerEpoch)
  return { topic, errors, persistence, offset, flushed, epochs, producerIds }
}

const { NOT_PERSISTED, PERSISTED, POSSIBLY_PERSISTED } = PersistenceStatus

it('a broker answers with every error there is, and the client gives its number and name', async () => {
  await using admin = new AdminClient({ 'bootstrap.servers': cluster.bootstrapServers, log_level: 0 })
  const told: [number, string][] = []
  for (const [code] of brokerCodes) {
    if (code === KafkaError.NO_ERROR) continue
    const fault = cluster.faults.on('DescribeClientQuotas').once().error(code)
    const failure = await rejection(admin.describeClientQuotas())
    fault.remove()
    expect(failure).toBeInstanceOf(KafkaException)
    const { error } = failure as KafkaException
    told.push([error.code(), error.name()])
  }
  expect(told).toEqual(brokerCodes.filter(([code]) => code !== KafkaError.NO_ERROR))
  expect((await admin.describeClientQuotas()).size).toBe(0)
}, 30_000)

describe('a message whose first request', () => {
  it.each([
    ['KAFKA_STORAGE_ERROR', POSSIBLY_PERSISTED],
    ['NOT_ENOUGH_REPLICAS', NOT_PERSISTED],
    ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', POSSIBLY_PERSISTED],
    ['REQUEST_TIMED_OUT', POSSIBLY_PERSISTED],
    ['THROTTLING_QUOTA_EXCEEDED', NOT_PERSISTED],
    ['CORRUPT_MESSAGE', NOT_PERSISTED],
  ] as const)('is answered with %s is sent again, unless retries=0', async (name, persistence) => {
    const again = await produced((fault) => fault.error(name))
    expect(again).toMatchObject({ errors: [null, null], persistence: PERSISTED, offset: 0 })
    const code = KafkaError[name === 'CORRUPT_MESSAGE' ? 'INVALID_MSG' : name]
    const once = await produced((fault) => fault.error(name), { retries: 0 })
    expect(once).toMatchObject({ errors: [new KafkaError(code).name(), null], persistence })
  })

  it.each([
    'NOT_LEADER_OR_FOLLOWER',
    'LEADER_NOT_AVAILABLE',
    'UNKNOWN_TOPIC_OR_PARTITION',
    'UNKNOWN_TOPIC_ID',
    'FENCED_LEADER_EPOCH',
  ] as const)('is answered with %s is sent again, retries=0 or not', async (name) => {
    expect(await produced((fault) => fault.error(name), { retries: 0 })).toMatchObject({
      errors: [null, null],
      persistence: PERSISTED,
    })
  })

  it.each([
    ['INVALID_RECORD', 'INVALID_RECORD'],
    ['TOPIC_AUTHORIZATION_FAILED', 'TOPIC_AUTHORIZATION_FAILED'],
    ['INVALID_TIMESTAMP', 'INVALID_TIMESTAMP'],
    ['UNSUPPORTED_COMPRESSION_TYPE', 'UNSUPPORTED_COMPRESSION_TYPE'],
    ['INVALID_REQUIRED_ACKS', 'INVALID_REQUIRED_ACKS'],
    ['MESSAGE_TOO_LARGE', 'MSG_SIZE_TOO_LARGE'],
  ] as const)('is refused with %s fails at once, and the next one does not', async (name, shown) => {
    expect(await produced((fault) => fault.error(name))).toMatchObject({
      errors: [shown, null],
      persistence: NOT_PERSISTED,
    })
  })

  it('is carried out while its answer gets lost may be stored, and is sent again unless retries=0', async () => {
    expect(await produced((fault) => fault.afterApply().disconnect(), { retries: 0 })).toMatchObject({
      errors: ['_TRANSPORT', null],
      persistence: POSSIBLY_PERSISTED,
    })
    const idempotent = await produced((fault) => fault.afterApply().disconnect(), {
      'enable.idempotence': true,
    })
    expect(idempotent).toMatchObject({ errors: [null, null], offset: 0, epochs: [0, 0] })
  })

  it('is never answered fails with _MSG_TIMED_OUT, and may be stored', async () => {
    const conf = { 'socket.timeout.ms': 1000, 'delivery.timeout.ms': 1000, 'request.timeout.ms': 900 }
    expect(await produced((fault) => fault.drop(), conf)).toMatchObject({
      errors: ['_MSG_TIMED_OUT', null],
      persistence: POSSIBLY_PERSISTED,
    })
  })

  it('is answered with DUPLICATE_SEQUENCE_NUMBER is stored, and nobody knows where', async () => {
    const outcome = await produced((fault) => fault.error('DUPLICATE_SEQUENCE_NUMBER'))
    expect(outcome).toMatchObject({ errors: [null, null], persistence: PERSISTED, offset: null })
  })
})

it('without idempotence, one request in flight keeps the order, whatever is refused on the way', async () => {
  const topic = uniqueName('order')
  const raw = new RawCluster(cluster.bootstrapServers)
  await raw.createTopic(topic, 1)
  await using producer = new Producer(
    { 'bootstrap.servers': cluster.bootstrapServers, ...quick },
    { 'max.in.flight.requests.per.connection': 1, 'batch.num.messages': 1 },
  )
  const refused = cluster.faults.on('Produce', { topic }).every(3).error('NOT_ENOUGH_REPLICAS')
  const moved = cluster.faults.on('Produce', { topic }).every(7).error('NOT_LEADER_OR_FOLLOWER')
  const lost = cluster.faults.on('Produce', { topic }).nth(20).disconnect()
  const sent = Array.from({ length: 50 }, (_, index) => `${index}`)
  await Promise.all(sent.map((value) => producer.send(topic, { value, partition: 0 })))
  expect([refused.hits > 10, moved.hits > 2, lost.hits]).toEqual([true, true, 1])
  for (const fault of [refused, moved, lost]) fault.remove()
  const { records } = await raw.read(topic, 0)
  expect(records.map(({ value }) => `${value}`)).toEqual(sent)
})

describe('an idempotent producer that is answered with', () => {
  const idempotent = { 'enable.idempotence': true }

  it('OUT_OF_ORDER_SEQUENCE_NUMBER for no reason at all has come to its end', async () => {
    const { errors, flushed } = await produced(
      (fault) => fault.error('OUT_OF_ORDER_SEQUENCE_NUMBER'),
      idempotent,
    )
    expect(errors).toEqual(['OUT_OF_ORDER_SEQUENCE_NUMBER'])
    expect((flushed as KafkaException).error.fatal()).toBe(true)
  })

  it('UNKNOWN_PRODUCER_ID goes on in a new epoch', async () => {
    expect(await produced((fault) => fault.error('UNKNOWN_PRODUCER_ID'), idempotent)).toMatchObject({
      errors: [null, null],
      epochs: [1, 1],
    })
  })

  it.each(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED'] as const)(
    '%s gets a new producer id',
    async (name) => {
      const asked = cluster.faults.on('InitProducerId').delay(0)
      const { errors, producerIds } = await produced((fault) => fault.error(name), idempotent)
      expect(errors).toEqual([null, null])
      expect(producerIds.size).toBe(1)
      expect(asked.hits).toBe(2)
      asked.remove()
    },
  )

  it('INVALID_RECORD comes to its end with enable.gapless.guarantee, and begins a new epoch without', async () => {
    const invalid = (fault: ReturnType<TestCluster['faults']['on']>) => fault.error('INVALID_RECORD')
    const gapless = await produced(invalid, { ...idempotent, 'enable.gapless.guarantee': true })
    expect(gapless.errors).toEqual(['INVALID_RECORD'])
    expect((gapless.flushed as KafkaException).error.name()).toBe('_GAPLESS_GUARANTEE')
    expect(await produced(invalid, idempotent)).toMatchObject({
      errors: ['INVALID_RECORD', null],
      epochs: [1],
    })
  })
})
