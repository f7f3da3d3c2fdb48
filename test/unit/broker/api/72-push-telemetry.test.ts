import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { getTelemetrySubscriptions } from '../../../../broker/api/71-get-telemetry-subscriptions.ts'
import { pushTelemetry } from '../../../../broker/api/72-push-telemetry.ts'
import { ConfigResourceType } from '../../../../broker/metadata/image.ts'
import { ZERO_UUID } from '../../../../common/protocol/schema.ts'
import { brokerHarness } from './broker-harness.ts'

const INTERVAL_MS = 1000
const OTHER_ID = 'q83vEjRWeJCrze8SNFZ4kA'

interface Push {
  readonly clientInstanceId?: string
  readonly subscriptionId?: number
  readonly terminating?: boolean
  readonly compressionType?: number
  readonly metrics?: Buffer
}

/** A client that has asked what to push. */
function client() {
  const harness = brokerHarness()
  harness.setConfig(ConfigResourceType.CLIENT_METRICS, 'a', {
    metrics: '*',
    'interval.ms': String(INTERVAL_MS),
  })
  const ask = (clientInstanceId: string) => harness.call(getTelemetrySubscriptions, 0, { clientInstanceId })
  const { clientInstanceId, subscriptionId } = ask(ZERO_UUID)
  const ready = {
    clientInstanceId,
    subscriptionId,
    terminating: false,
    compressionType: 0,
    metrics: Buffer.alloc(0),
  }
  const push = (options: Push = {}) => harness.call(pushTelemetry, 0, { ...ready, ...options }).errorCode
  return { harness, push, clientInstanceId, askAgain: () => ask(clientInstanceId).errorCode }
}

describe('PushTelemetry', () => {
  it('takes one push at once and then one an interval', () => {
    const { harness, push } = client()
    expect(push()).toBe(0)
    harness.advance(INTERVAL_MS - 1)
    expect(push()).toBe(89)
    harness.advance(1)
    expect(push()).toBe(0)
  })

  it('keeps the last metrics of the client, decompressed', () => {
    const { harness, push, clientInstanceId } = client()
    push({ metrics: Buffer.from('old') })
    harness.advance(INTERVAL_MS)
    expect(push({ compressionType: 1, metrics: gzipSync('new') })).toBe(0)
    expect(harness.broker.telemetry.pushes).toMatchObject([
      { clientInstanceId, isTerminating: false, metrics: Buffer.from('new'), client: { client_id: 'test' } },
    ])
  })

  it('takes the last push early, and nothing after it', () => {
    const { push } = client()
    expect(push()).toBe(0)
    expect(push({ terminating: true })).toBe(0)
    expect(push({ terminating: true })).toBe(42)
    expect(push()).toBe(42)
  })

  it('sends a client that pushes for another subscription to ask again', () => {
    const { push, askAgain } = client()
    expect(push({ subscriptionId: 5 })).toBe(117)
    expect(askAgain()).toBe(0)
    expect(push({ clientInstanceId: OTHER_ID })).toBe(117)
  })

  it('lets a client ask again only when it was told to', () => {
    const { push, askAgain } = client()
    push({ subscriptionId: 5 })
    expect(push()).toBe(89)
    expect(askAgain()).toBe(89)
  })

  it.each([ZERO_UUID, 'AAAAAAAAAAAAAAAAAAAAAQ'])(
    'refuses a reserved instance id (%s)',
    (clientInstanceId) => {
      expect(client().push({ clientInstanceId })).toBe(42)
    },
  )

  it.each([-1, 5, 9])('refuses a compression that does not exist (%i)', (compressionType) => {
    const { push, askAgain } = client()
    expect(push({ compressionType, metrics: Buffer.alloc(1_048_577) })).toBe(76)
    expect(askAgain()).toBe(0)
  })

  it('refuses what is larger than telemetry.max.bytes', () => {
    expect(client().push({ metrics: Buffer.alloc(1_048_577) })).toBe(118)
    expect(client().push({ metrics: Buffer.alloc(1_048_576) })).toBe(0)
  })

  it.each([1, 2, 3, 4])('refuses what cannot be decompressed (%i)', (compressionType) => {
    expect(client().push({ compressionType, metrics: Buffer.from('garbage') })).toBe(87)
  })

  it('refuses what grows beyond the limit when decompressed', () => {
    const { harness, push } = client()
    expect(push({ compressionType: 1, metrics: gzipSync(Buffer.alloc(3_000_000)) })).toBe(87)
    expect(harness.broker.telemetry.pushes).toEqual([])
  })

  it('keeps no more than its budget of pushes', () => {
    const { harness } = client()
    for (let count = 0; count < 20; count++) {
      const { clientInstanceId, subscriptionId } = harness.call(getTelemetrySubscriptions, 0, {
        clientInstanceId: ZERO_UUID,
      })
      const metrics = Buffer.alloc(1_000_000)
      harness.call(pushTelemetry, 0, {
        clientInstanceId,
        subscriptionId,
        terminating: false,
        compressionType: 0,
        metrics,
      })
    }
    expect(harness.broker.telemetry.pushes).toHaveLength(16)
  })
})
