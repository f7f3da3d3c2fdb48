import { afterEach, describe, expect, it } from 'vitest'
import { startCluster, type TestCluster } from '../../broker/index.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { reassign, replicaOn } from './support.ts'

const BATCH_BYTES = 1_000
const BATCHES = 20
/** Bytes per second: a batch takes a second. */
const RATE = BATCH_BYTES

let cluster: TestCluster

afterEach(async () => {
  await cluster.stop()
})

/** Twenty batches of about a second each on broker 1, under a clock that only the test moves. */
async function filledCluster(throttles: Readonly<Record<string, string>>): Promise<void> {
  cluster = await startCluster({
    brokers: 3,
    clock: 'virtual',
    // One batch an answer: what is sent at once cannot be held back any more.
    config: { 'replica.fetch.max.bytes': BATCH_BYTES, 'replica.fetch.response.max.bytes': BATCH_BYTES },
  })
  await cluster.topic('orders').create({ assignments: [[1, 2]], configs: throttles })
  for (let count = 0; count < BATCHES; count++)
    await cluster.topic('orders').produce({ partition: 0, value: 'x'.repeat(BATCH_BYTES - 75) })
}

const endOn = (nodeId: number): number => replicaOn(cluster, nodeId, 'orders')?.log?.logEndOffset ?? -1

/** Moves the clock until it holds. @returns the milliseconds that took */
async function advanceUntil(condition: () => boolean, limitMs: number): Promise<number> {
  const startMs = cluster.clock.now()
  while (!condition()) {
    if (cluster.clock.now() - startMs > limitMs) throw new Error(`broker 3 has ${endOn(3)} records`)
    await cluster.clock.advance(100)
  }
  return cluster.clock.now() - startMs
}

describe.each([
  ['leaders', 'leader', 1, '0:1'],
  ['followers', 'follower', 3, '0:3'],
  ['all replicas of a topic', 'leader', 1, '*'],
] as const)('a throttle of %s', (_, side, nodeId, replicas) => {
  it('holds back a new replica, which gets its share each second', async () => {
    await filledCluster({ [`${side}.replication.throttled.replicas`]: replicas })
    await cluster.alterConfigs('broker', String(nodeId), { [`${side}.replication.throttled.rate`]: RATE })
    expect(await reassign(cluster, 'orders', [1, 2, 3])).toBe(ErrorCode.NONE)
    await advanceUntil(() => endOn(3) > 0, 10_000)
    const tookMs = await advanceUntil(() => endOn(3) === BATCHES, 120_000)
    // Twenty seconds' worth; the first window passes before anything is above its rate.
    expect(tookMs).toBeGreaterThan(10_000)
  })
})

describe('a throttle', () => {
  it('is lifted by deleting its rate', async () => {
    await filledCluster({ 'leader.replication.throttled.replicas': '0:1' })
    await cluster.alterConfigs('broker', '1', { 'leader.replication.throttled.rate': 1 })
    expect(await reassign(cluster, 'orders', [1, 2, 3])).toBe(ErrorCode.NONE)
    await advanceUntil(() => endOn(3) > 0, 10_000)
    await cluster.clock.advance('5s')
    expect(endOn(3)).toBeLessThan(5)
    await cluster.alterConfigs('broker', '1', { 'leader.replication.throttled.rate': null })
    await advanceUntil(() => endOn(3) === BATCHES, 10_000)
  })

  it('does not hold back a replica in the ISR, though what that one copies counts', async () => {
    await filledCluster({
      'leader.replication.throttled.replicas': '*',
      'follower.replication.throttled.replicas': '*',
    })
    for (const nodeId of ['1', '2', '3'])
      await cluster.alterConfigs('broker', nodeId, {
        'leader.replication.throttled.rate': 1,
        'follower.replication.throttled.rate': 1,
      })
    // No time passes: whoever had to wait would wait for ever.
    for (let count = 0; count < 5; count++)
      await cluster.topic('orders').produce({ partition: 0, value: 'in sync' })
    expect(endOn(2)).toBe(BATCHES + 5)
    expect(await reassign(cluster, 'orders', [1, 2, 3])).toBe(ErrorCode.NONE)
    await cluster.clock.advance('1s')
    expect(endOn(3)).toBeLessThan(BATCHES)
  })

  it('is not felt by topics that do not name their replicas', async () => {
    await filledCluster({})
    await cluster.alterConfigs('broker', '1', { 'leader.replication.throttled.rate': 1 })
    await cluster.alterConfigs('broker', '3', { 'follower.replication.throttled.rate': 1 })
    expect(await reassign(cluster, 'orders', [1, 2, 3])).toBe(ErrorCode.NONE)
    await advanceUntil(() => endOn(3) === BATCHES, 10_000)
  })
})
