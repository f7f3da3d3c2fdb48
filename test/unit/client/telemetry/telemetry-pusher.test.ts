import { gunzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import {
  AdminClient,
  type ClientConfig,
  Consumer,
  Producer,
  ShareConsumer,
} from '../../../../client/index.ts'
import { encodeMetrics } from '../../../../client/telemetry/otlp.ts'
import { GetTelemetrySubscriptions } from '../../../../common/protocol/apis/71-get-telemetry-subscriptions.ts'
import {
  PushTelemetry,
  type PushTelemetryRequest,
} from '../../../../common/protocol/apis/72-push-telemetry.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import type { ApiSchema } from '../../../../common/protocol/schema.ts'
import { ScriptedCluster } from '../support/scripted-broker.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const instanceId = 'AAAAAAAAAAAAAAAAAAAABw'

/** A producer whose brokers want these metrics every minute. */
async function world(requestedMetrics: readonly string[], conf: ClientConfig = {}) {
  const cluster = new ScriptedCluster(1)
  cluster.otherApis = [GetTelemetrySubscriptions, PushTelemetry] as readonly unknown[] as ApiSchema[]
  const answers = { push: ErrorCode.NONE as ErrorCode, subscriptionId: 5, isSilent: false }
  cluster.onRequest = ({ api }) => {
    if (api === 'PushTelemetry') return answers.isSilent ? 'silence' : { answer: { errorCode: answers.push } }
    if (api !== 'GetTelemetrySubscriptions') return undefined
    return {
      answer: {
        errorCode: ErrorCode.NONE,
        clientInstanceId: instanceId,
        subscriptionId: answers.subscriptionId,
        acceptedCompressionTypes: [4, 1],
        pushIntervalMs: 60_000,
        telemetryMaxBytes: 1_000_000,
        deltaTemporality: true,
        requestedMetrics,
      },
    }
  }
  await cluster.start(1)
  cluster.topic('t', [1])
  const base = { 'bootstrap.servers': cluster.bootstrap }
  const producer = new Producer({ ...base, ...conf }, undefined, { runtime: cluster.sim })
  cleanups.push(() => cluster.settle(producer.close()))
  producer.produce('t', { value: 'x' })
  await cluster.settle(producer.flush())
  const pushes = (): PushTelemetryRequest[] =>
    cluster.seen('PushTelemetry').map(({ body }) => body as PushTelemetryRequest)
  return { cluster, producer, pushes, answers }
}

describe('client metrics (KIP-714)', () => {
  it('are pushed at the interval that the broker names, the first after a share of it', async () => {
    const { cluster, pushes } = await world(['*'])
    expect(pushes()).toHaveLength(0)
    await cluster.advance(91_000)
    const first = pushes().length
    expect(first).toBeGreaterThan(0)
    for (let minute = 0; minute < 10; minute++) await cluster.advance(60_000)
    expect(pushes()).toHaveLength(first + 10)
    expect(pushes()[0]).toMatchObject({ clientInstanceId: instanceId, subscriptionId: 5, compressionType: 1 })
    const text = gunzipSync(pushes()[0]?.metrics as Buffer).toString('latin1')
    expect(text).toContain('org.apache.kafka.producer.connection.creation.total')
    expect(text).toContain('org.apache.kafka.producer.node.request.latency.avg')
    expect(cluster.seen('GetTelemetrySubscriptions')).toHaveLength(1)
  })

  it('are those whose names begin as the broker asks', async () => {
    const { cluster, pushes } = await world(['org.apache.kafka.producer.record.queue'])
    await cluster.advance(91_000)
    const text = gunzipSync(pushes()[0]?.metrics as Buffer).toString('latin1')
    expect(text).toContain('record.queue.time.max')
    expect(text).not.toContain('connection.creation')
  })

  it('are asked about again when the subscription is another one', async () => {
    const { cluster, pushes, answers } = await world(['*'])
    answers.push = ErrorCode.UNKNOWN_SUBSCRIPTION_ID
    answers.subscriptionId = 6
    await cluster.advance(91_000)
    answers.push = ErrorCode.NONE
    await cluster.advance(91_000)
    expect(cluster.seen('GetTelemetrySubscriptions')).toHaveLength(2)
    expect(pushes().at(-1)?.subscriptionId).toBe(6)
  })

  it('stay at home where the broker wants none, or the application says so', async () => {
    const { cluster, pushes } = await world([])
    await cluster.advance(61_000)
    expect(cluster.seen('GetTelemetrySubscriptions')).toHaveLength(2)
    expect(pushes()).toEqual([])
    const silent = await world(['*'], { 'enable.metrics.push': false })
    await silent.cluster.advance(200_000)
    expect(silent.cluster.seen('GetTelemetrySubscriptions')).toEqual([])
  })

  it('are pushed once more when the producer closes, and that is said to be the last time', async () => {
    const { cluster, producer, pushes } = await world(['*'])
    producer.produce('t', { value: 'last' })
    await cluster.settle(producer.close())
    expect(pushes().map(({ terminating, subscriptionId }) => ({ terminating, subscriptionId }))).toEqual([
      { terminating: true, subscriptionId: 5 },
    ])
    const text = gunzipSync(pushes()[0]?.metrics as Buffer).toString('latin1')
    expect(text).toContain('org.apache.kafka.producer.record.queue.time.max')
    // After every message that was to be delivered.
    expect(cluster.requests.at(-1)?.api).toBe('PushTelemetry')
    await cluster.advance(200_000)
    expect(pushes()).toHaveLength(1)
  })

  it('are pushed once more by consumers and share consumers that close, and never by admin clients', async () => {
    const { cluster, pushes } = await world(['*'])
    const conf = { 'bootstrap.servers': cluster.bootstrap, 'group.id': 'g' }
    const hooks = { runtime: cluster.sim }
    const handles = [Consumer, ShareConsumer, AdminClient].map((Handle) => new Handle(conf, undefined, hooks))
    for (const handle of handles) {
      await cluster.settle(handle.listTopics())
      await cluster.advance(10)
      await cluster.settle(Promise.resolve(handle.close()))
    }
    expect(pushes().map(({ terminating }) => terminating)).toEqual([true, true])
  })

  it('hold up a closing producer for a second at most, or for as long as it may take', async () => {
    for (const [timeoutMs, expectedMs] of [
      [undefined, 1000],
      [300, 300],
      [0, 0],
    ] as const) {
      const { cluster, producer, pushes, answers } = await world(['*'])
      answers.isSilent = true
      const beginMs = cluster.sim.clock.monotonicMs()
      await cluster.settle(producer.close(timeoutMs === undefined ? {} : { timeoutMs }))
      expect(Math.round(cluster.sim.clock.monotonicMs() - beginMs)).toBeLessThanOrEqual(expectedMs + 1)
      expect(pushes()).toHaveLength(expectedMs === 0 ? 0 : 1)
    }
  })

  it('are not pushed at the end where the broker wants none', async () => {
    const { cluster, producer, pushes } = await world([])
    const beginMs = cluster.sim.clock.monotonicMs()
    await cluster.settle(producer.close())
    expect(pushes()).toEqual([])
    expect(cluster.sim.clock.monotonicMs() - beginMs).toBeLessThan(1)
  })

  it('are written as OpenTelemetry metrics', () => {
    const point = { value: 2.5, attributes: { a: 'b' } }
    const bytes = encodeMetrics([{ name: 'm', isSum: true, points: [point] }], {
      resource: { group_id: 'g' },
      startWallMs: 1,
      wallMs: 2,
      isDelta: true,
    })
    const attribute = '0a0161' + '1203' + '0a0162'
    const times = '1140420f0000000000' + '1980841e0000000000'
    const dataPoint = `${times}2100000000000004403a08${attribute}`
    const hex = bytes.toString('hex')
    expect(hex).toContain(dataPoint)
    // Delta, monotonic.
    expect(hex).toContain(`${dataPoint}10011801`)
    expect(hex.startsWith('0a')).toBe(true)
    expect(bytes[1]).toBe(bytes.length - 2)
    expect(hex).toContain(Buffer.from('group_id').toString('hex'))
  })
})
