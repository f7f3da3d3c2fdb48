/** What becomes of a message for each answer to a Produce request: the documented table, row by row, through the producer. */
import { afterEach, describe, expect, it } from 'vitest'
import { type ClientConfig, KafkaError, PersistenceStatus, Producer } from '../../../../client/index.ts'
import type { ProduceRequest } from '../../../../common/protocol/apis/00-produce.ts'
import { Delivered } from '../support/delivered.ts'
import { type Reaction, ScriptedCluster, type SeenRequest } from '../support/scripted-broker.ts'

let open: { cluster: ScriptedCluster; producer: Producer }[] = []

afterEach(async () => {
  for (const { cluster, producer } of open) await cluster.settle(producer.close({ timeoutMs: 0 }))
  open = []
})

async function world(conf: ClientConfig) {
  const cluster = new ScriptedCluster(11)
  for (const nodeId of [1, 2]) await cluster.start(nodeId)
  const base = { 'bootstrap.servers': cluster.bootstrap, log_level: 0 }
  const producer = new Producer(base, conf, { runtime: cluster.sim.machine('client') })
  open.push({ cluster, producer })
  cluster.topic('t', [1])
  return { cluster, producer, delivered: new Delivered() }
}

function refusal({ body }: SeenRequest, code: number, logStartOffset = -1): Reaction {
  const responses = (body as ProduceRequest).topicData.map(({ name, topicId, partitionData }) => ({
    name,
    topicId,
    partitionResponses: partitionData.map(({ index }) => ({
      index,
      errorCode: code,
      baseOffset: -1,
      logStartOffset,
    })),
  }))
  return { answer: { responses } }
}

interface Outcome {
  readonly error: string | null
  readonly persistence: number | undefined
  readonly sent: number
  readonly metadataAsked: number
}

/** One message, whose first Produce request is answered so, and the following ones as a broker does. */
async function produced(
  react: (request: SeenRequest) => Reaction,
  conf: ClientConfig = {},
): Promise<Outcome> {
  const { cluster, producer, delivered } = await world({ 'linger.ms': 0, ...conf })
  await cluster.settle(producer.listTopics('t'))
  const before = cluster.seen('Metadata').length
  cluster.onRequest = (request) => {
    if (request.api !== 'Produce' || cluster.seen('Produce').length > 1) return undefined
    return react(request)
  }
  producer.produce('t', { value: 'x', onDelivery: delivered.callback })
  await cluster.settle(producer.flush())
  expect(delivered.reports).toHaveLength(1)
  return {
    error: delivered.errors[0] ?? null,
    persistence: delivered.reports[0]?.message.persistence(),
    sent: cluster.seen('Produce').length,
    metadataAsked: cluster.seen('Metadata').length - before,
  }
}

const answered =
  (name: keyof typeof KafkaError) =>
  (request: SeenRequest): Reaction =>
    refusal(request, Number(KafkaError[name]))
const { NOT_PERSISTED, PERSISTED, POSSIBLY_PERSISTED } = PersistenceStatus

describe('an answer that passes', () => {
  it.each([
    ['KAFKA_STORAGE_ERROR', POSSIBLY_PERSISTED],
    ['NOT_ENOUGH_REPLICAS', NOT_PERSISTED],
    ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', POSSIBLY_PERSISTED],
    ['REQUEST_TIMED_OUT', POSSIBLY_PERSISTED],
    ['THROTTLING_QUOTA_EXCEEDED', NOT_PERSISTED],
    ['INVALID_MSG', NOT_PERSISTED],
  ] as const)('%s is tried again, as often as retries say', async (name, persistence) => {
    const retried = await produced(answered(name))
    expect(retried).toMatchObject({ error: null, persistence: PERSISTED, sent: 2 })
    expect(await produced(answered(name), { retries: 0 })).toMatchObject({
      error: name,
      persistence,
      sent: 1,
    })
  })

  it.each([
    'NOT_LEADER_FOR_PARTITION',
    'LEADER_NOT_AVAILABLE',
    'UNKNOWN_TOPIC_OR_PART',
    'BROKER_NOT_AVAILABLE',
    'REPLICA_NOT_AVAILABLE',
    'FENCED_LEADER_EPOCH',
  ] as const)('%s asks for metadata and counts as no attempt', async (name) => {
    const { metadataAsked, ...outcome } = await produced(answered(name), { retries: 0 })
    expect(outcome).toEqual({ error: null, persistence: PERSISTED, sent: 2 })
    expect(metadataAsked).toBeGreaterThan(0)
  })

  it('UNKNOWN_TOPIC_OR_PART is final when the propagation time is over', async () => {
    const { cluster, producer, delivered } = await world({ 'topic.metadata.propagation.max.ms': 5000 })
    cluster.onRequest = (request) =>
      request.api === 'Produce' ? answered('UNKNOWN_TOPIC_OR_PART')(request) : undefined
    const startMs = cluster.sim.clock.monotonicMs()
    producer.produce('t', { value: 'x', onDelivery: delivered.callback })
    await cluster.settle(producer.flush())
    expect(delivered.errors).toEqual(['UNKNOWN_TOPIC_OR_PART'])
    expect(delivered.reports[0]?.message.persistence()).toBe(NOT_PERSISTED)
    expect(cluster.sim.clock.monotonicMs() - startMs).toBeGreaterThanOrEqual(5000)
  })

  it.each([
    [
      'NOT_LEADER_FOR_PARTITION',
      -1,
      POSSIBLY_PERSISTED,
      'its leader was deposed while it waited for replicas',
    ],
    ['NOT_LEADER_FOR_PARTITION', 1, NOT_PERSISTED, 'nothing waits for replicas'],
    ['KAFKA_STORAGE_ERROR', -1, POSSIBLY_PERSISTED, 'its directory failed while it waited for replicas'],
    ['KAFKA_STORAGE_ERROR', 1, POSSIBLY_PERSISTED, 'its directory failed after it was written'],
  ] as const)('%s with acks=%i ends with the persistence %i: %s', async (name, acks, persistence, _why) => {
    const { cluster, producer, delivered } = await world({ acks, 'delivery.timeout.ms': 1_000 })
    cluster.onRequest = (request) => (request.api === 'Produce' ? answered(name)(request) : undefined)
    producer.produce('t', { value: 'x', onDelivery: delivered.callback })
    await cluster.settle(producer.flush())
    expect(delivered.errors).toEqual(['_MSG_TIMED_OUT'])
    expect(delivered.reports[0]?.message.persistence()).toBe(persistence)
  })

  it('a connection that breaks with the request out may have stored the message', async () => {
    expect(await produced(() => 'disconnect')).toMatchObject({ error: null, sent: 2 })
    const last = await produced(() => 'apply-and-disconnect', { retries: 0 })
    expect(last).toMatchObject({ error: '_TRANSPORT', persistence: POSSIBLY_PERSISTED, sent: 1 })
    expect(last.metadataAsked).toBeGreaterThan(0)
  })

  it('no answer at all ends as _MSG_TIMED_OUT, of a message that may be stored', async () => {
    const { cluster, producer, delivered } = await world({
      'delivery.timeout.ms': 10_000,
      'socket.timeout.ms': 3000,
    })
    cluster.onRequest = ({ api }) => (api === 'Produce' ? 'silence' : undefined)
    producer.produce('t', { value: 'x', onDelivery: delivered.callback })
    await cluster.settle(producer.flush())
    expect(delivered.errors).toEqual(['_MSG_TIMED_OUT'])
    expect(delivered.reports[0]?.message.persistence()).toBe(POSSIBLY_PERSISTED)
    expect(cluster.seen('Produce').length).toBeGreaterThan(1)
  })

  it('what was never sent ends as _MSG_TIMED_OUT, of a message that is not stored', async () => {
    const { cluster, producer, delivered } = await world({ 'delivery.timeout.ms': 2000 })
    cluster.topic('leaderless', [-1])
    producer.produce('leaderless', { value: 'x', onDelivery: delivered.callback })
    await cluster.settle(producer.flush())
    expect(delivered.errors).toEqual(['_MSG_TIMED_OUT'])
    expect(delivered.reports[0]?.message.persistence()).toBe(NOT_PERSISTED)
    expect(cluster.seen('Produce')).toHaveLength(0)
  })
})

describe('an answer that is final', () => {
  it.each([
    'TOPIC_AUTHORIZATION_FAILED',
    'CLUSTER_AUTHORIZATION_FAILED',
    'TOPIC_EXCEPTION',
    'INVALID_REQUIRED_ACKS',
    'INVALID_TIMESTAMP',
    'UNSUPPORTED_FOR_MESSAGE_FORMAT',
    'POLICY_VIOLATION',
    'UNSUPPORTED_COMPRESSION_TYPE',
    'UNSUPPORTED_VERSION',
    'INVALID_RECORD',
  ] as const)('%s fails the message at once', async (name) => {
    expect(await produced(answered(name))).toMatchObject({
      error: name,
      persistence: NOT_PERSISTED,
      sent: 1,
    })
  })

  it.each(['MSG_SIZE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'] as const)(
    '%s fails a single message and halves a batch',
    async (name) => {
      expect(await produced(answered(name))).toMatchObject({ error: name, sent: 1 })
      const { cluster, producer, delivered } = await world({})
      cluster.onRequest = (request) =>
        request.api === 'Produce' && cluster.seen('Produce').length === 1
          ? answered(name)(request)
          : undefined
      for (const value of ['a', 'b', 'c', 'd'])
        producer.produce('t', { value, onDelivery: delivered.callback })
      await cluster.settle(producer.flush())
      expect([delivered.values, delivered.errors]).toEqual([
        ['a', 'b', 'c', 'd'],
        [null, null, null, null],
      ])
      expect(cluster.topics.get('t')?.partitions[0]?.batches.map(({ count }) => count)).toEqual([2, 2])
    },
  )

  it('a code that nobody knows fails the message with its number', async () => {
    const { cluster, producer, delivered } = await world({})
    cluster.onRequest = (request) => (request.api === 'Produce' ? refusal(request, 4711) : undefined)
    producer.produce('t', { onDelivery: delivered.callback })
    await cluster.settle(producer.flush())
    expect(delivered.reports[0]?.error?.code()).toBe(4711)
  })
})

describe('answers to an idempotent producer', () => {
  const idempotent = { 'enable.idempotence': true } as const

  it('DUPLICATE_SEQUENCE_NUMBER is a success whose offset is not known', async () => {
    const { cluster, producer, delivered } = await world(idempotent)
    cluster.onRequest = (request) =>
      request.api === 'Produce' ? answered('DUPLICATE_SEQUENCE_NUMBER')(request) : undefined
    producer.produce('t', { value: 'x', onDelivery: delivered.callback })
    await cluster.settle(producer.flush())
    expect(delivered.errors).toEqual([null])
    expect(delivered.reports[0]?.message.offset()).toBeNull()
    expect(delivered.reports[0]?.message.persistence()).toBe(PERSISTED)
  })

  it('UNKNOWN_PRODUCER_ID after retention has deleted everything goes on in a new epoch', async () => {
    const { cluster, producer, delivered } = await world(idempotent)
    producer.produce('t', { value: 'old', onDelivery: delivered.callback })
    await cluster.settle(producer.flush())
    cluster.onRequest = (request) =>
      request.api === 'Produce' && cluster.seen('Produce').length === 2
        ? refusal(request, KafkaError.UNKNOWN_PRODUCER_ID, 1)
        : undefined
    producer.produce('t', { value: 'new', onDelivery: delivered.callback })
    await cluster.settle(producer.flush())
    expect(delivered.errors).toEqual([null, null])
    expect(cluster.topics.get('t')?.partitions[0]?.batches.at(-1)).toMatchObject({
      producerEpoch: 1,
      baseSequence: 0,
    })
  })

  it('UNKNOWN_PRODUCER_ID of a log that still has what was acknowledged is fatal', async () => {
    const { cluster, producer, delivered } = await world(idempotent)
    producer.produce('t', { value: 'old', onDelivery: delivered.callback })
    await cluster.settle(producer.flush())
    cluster.onRequest = (request) =>
      request.api === 'Produce' ? refusal(request, KafkaError.UNKNOWN_PRODUCER_ID, 0) : undefined
    producer.produce('t', { value: 'new', onDelivery: delivered.callback })
    await expect(cluster.settle(producer.flush())).rejects.toMatchObject({ error: expect.anything() })
    expect(delivered.errors).toEqual([null, 'UNKNOWN_PRODUCER_ID'])
    expect(() => producer.produce('t')).toThrow()
  })

  it.each(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED'] as const)(
    '%s gets a new producer id, without transactions',
    async (name) => {
      expect(await produced(answered(name), idempotent)).toMatchObject({
        error: null,
        persistence: PERSISTED,
        sent: 2,
      })
      expect(open.at(-1)?.cluster.seen('InitProducerId')).toHaveLength(2)
    },
  )

  it('a batch that fails for good is fatal with enable.gapless.guarantee', async () => {
    const { cluster, producer, delivered } = await world({ ...idempotent, 'enable.gapless.guarantee': true })
    cluster.onRequest = (request) =>
      request.api === 'Produce' ? answered('POLICY_VIOLATION')(request) : undefined
    producer.produce('t', { value: 'x', onDelivery: delivered.callback })
    const failure = await cluster.settle(producer.flush().catch((error: unknown) => error))
    expect(failure).toMatchObject({ error: expect.anything() })
    expect((failure as { error: KafkaError }).error.name()).toBe('_GAPLESS_GUARANTEE')
    expect(delivered.errors).toEqual(['POLICY_VIOLATION'])
  })
})
