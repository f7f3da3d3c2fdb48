import { describe, expect, it } from 'vitest'
import { getTelemetrySubscriptions } from '../../../../broker/api/71-get-telemetry-subscriptions.ts'
import { ConfigResourceType } from '../../../../broker/metadata/image.ts'
import { ZERO_UUID } from '../../../../common/protocol/schema.ts'
import { type BrokerHarness, brokerHarness, type CallOptions } from './broker-harness.ts'

function ask(harness: BrokerHarness, clientInstanceId: string = ZERO_UUID, options: CallOptions = {}) {
  return harness.call(getTelemetrySubscriptions, 0, { clientInstanceId }, options)
}

function subscribe(harness: BrokerHarness, name: string, configs: Record<string, string>): void {
  harness.setConfig(ConfigResourceType.CLIENT_METRICS, name, configs)
}

describe('GetTelemetrySubscriptions', () => {
  it('gives an id to a client that has none and asks it for nothing', () => {
    const response = ask(brokerHarness())
    expect(response).toMatchObject({
      errorCode: 0,
      acceptedCompressionTypes: [4, 3, 1, 2],
      pushIntervalMs: 300_000,
      telemetryMaxBytes: 1_048_576,
      deltaTemporality: true,
      requestedMetrics: [],
    })
    expect(response.clientInstanceId).not.toBe(ZERO_UUID)
  })

  it('unites what matches the client, at the shortest interval', () => {
    const harness = brokerHarness()
    subscribe(harness, 'a', { metrics: 'org.a.,org.b.', 'interval.ms': '3000' })
    subscribe(harness, 'b', { metrics: 'org.a.,org.c.', 'interval.ms': '2000', match: 'client_id=te.*' })
    subscribe(harness, 'c', { metrics: '*', 'interval.ms': '1000', match: 'client_id=other' })
    expect(ask(harness)).toMatchObject({
      pushIntervalMs: 2000,
      requestedMetrics: ['org.a.', 'org.b.', 'org.c.'],
    })
    expect(ask(harness, ZERO_UUID, { clientId: 'other' })).toMatchObject({
      pushIntervalMs: 1000,
      requestedMetrics: ['*'],
    })
  })

  it.each([
    ['client_source_address=127.0.0.1', true],
    ['client_source_port=[0-9]+', true],
    ['client_software_name=unknown', true],
    ['client_instance_id=.*', true],
    ['client_id=te', false],
    ['client_id=test,client_software_name=other', false],
  ])('matches a selector against the whole value, all of them (%s)', (match, isMatching) => {
    const harness = brokerHarness()
    subscribe(harness, 'a', { metrics: 'org.', match })
    expect(ask(harness).requestedMetrics).toEqual(isMatching ? ['org.'] : [])
  })

  it('answers a client once an interval', () => {
    const harness = brokerHarness()
    subscribe(harness, 'a', { 'interval.ms': '1000' })
    const { clientInstanceId, subscriptionId } = ask(harness)
    harness.advance(999)
    expect(ask(harness, clientInstanceId)).toMatchObject({
      errorCode: 89,
      clientInstanceId: ZERO_UUID,
      subscriptionId: 0,
      pushIntervalMs: 0,
    })
    harness.advance(1)
    expect(ask(harness, clientInstanceId)).toMatchObject({ errorCode: 0, clientInstanceId, subscriptionId })
  })

  it('answers at once, with another subscription id, when what is asked for has changed', () => {
    const harness = brokerHarness()
    const { clientInstanceId, subscriptionId } = ask(harness)
    subscribe(harness, 'a', { metrics: 'org.' })
    const response = ask(harness, clientInstanceId)
    expect(response).toMatchObject({ errorCode: 0, requestedMetrics: ['org.'] })
    expect(response.subscriptionId).not.toBe(subscriptionId)
  })
})
