import { describe, expect, it } from 'vitest'
import {
  extractTraceContext,
  injectTraceContext,
  type ProcessContext,
  Producer,
  type Propagation,
  prometheusText,
} from '../../../client/index.ts'
import { ScriptedCluster } from './support/scripted-broker.ts'

/** Contexts are texts; they travel as W3C's header. */
const propagation: Propagation<string> = {
  inject: (context, carrier, setter) => setter.set(carrier, 'traceparent', context),
  extract: (context, carrier, getter) => `${getter.get(carrier, 'traceparent') ?? context}`,
}

describe('trace context', () => {
  it('goes into the headers of a message and comes out of them', () => {
    const headers = injectTraceContext(propagation, '00-abc', [
      ['a', '1'],
      ['traceparent', 'older'],
    ])
    expect(headers).toEqual([
      ['a', Buffer.from('1')],
      ['traceparent', Buffer.from('00-abc')],
    ])
    expect(extractTraceContext(propagation, 'none', headers)).toBe('00-abc')
    expect(extractTraceContext(propagation, 'none', null)).toBe('none')
  })

  it('comes out of the headers that a subscriber of the process channel is shown, as they are', () => {
    const shown: ProcessContext['headers'] = [['traceparent', Uint8Array.from(Buffer.from('00-abc'))]]
    expect(extractTraceContext(propagation, 'none', shown)).toBe('00-abc')
  })
})

describe('metrics', () => {
  it('a producer tells what it has delivered and what waits, as Prometheus reads it', async () => {
    const cluster = new ScriptedCluster(4)
    await cluster.start(1)
    cluster.topic('t', [1])
    const conf = { 'bootstrap.servers': cluster.bootstrap, log_level: 0 }
    const producer = new Producer(conf, undefined, { runtime: cluster.sim.machine('client') })
    await cluster.settle(producer.send('t', { value: 'v' }))
    producer.produce('t', { value: 'w', onDelivery: () => {} })
    const text = prometheusText(producer.metrics(), { client: 'a"b' })
    expect(text).toContain('# TYPE kafka_producer_delivered_total counter')
    expect(text).toContain('kafka_producer_delivered_total{client="a\\"b"} 1\n')
    expect(text).toContain('kafka_producer_queue_messages{client="a\\"b"} 1\n')
    expect(text).toContain('kafka_client_connections{client="a\\"b"} 1\n')
    await cluster.settle(producer.close({ force: true }))
  })
})
