import { describe, expect, it } from 'vitest'
import { ReplicationThrottle } from '../../../../broker/replica/replication-throttle.ts'

function throttle(rate: number | null, replicas: readonly string[] = ['0:1', '2:1']) {
  const clock = { nowMs: 1000 }
  const made = new ReplicationThrottle({
    nodeId: 1,
    clock: { monotonicMs: () => clock.nowMs, wallMs: () => clock.nowMs },
    rate: () => rate,
    replicasOf: (topic) => (topic === 'orders' ? replicas : []),
    windowCount: 11,
    windowMs: 1000,
  })
  return { made, clock }
}

describe('a replication throttle', () => {
  it('is about the replicas of this broker that the topic names', () => {
    const { made } = throttle(100, ['0:1', ' 2:1', '1:2'])
    expect([0, 1, 2].map((partition) => made.isThrottled('orders', partition))).toEqual([true, false, true])
    expect(made.isThrottled('payments', 0)).toBe(false)
  })

  it('is about all replicas of a topic with the wildcard', () => {
    expect(throttle(100, ['*']).made.isThrottled('orders', 7)).toBe(true)
  })

  it('is about nothing while the broker has no rate', () => {
    const { made } = throttle(null)
    made.record(1_000_000)
    expect(made.isThrottled('orders', 0)).toBe(false)
    expect(made.isExceeded).toBe(false)
  })

  it('is exceeded until the time that its bytes should have taken has passed', () => {
    const { made, clock } = throttle(100)
    made.record(100)
    expect(made.isExceeded).toBe(false)
    made.record(400)
    expect(made.isExceeded).toBe(true)
    clock.nowMs += 4_900
    expect(made.isExceeded).toBe(true)
    clock.nowMs += 100
    expect(made.isExceeded).toBe(false)
  })

  it('forgets a window when eleven have passed since the last bytes that moved in it', () => {
    const { made, clock } = throttle(100)
    made.record(1_000_000)
    clock.nowMs += 900
    made.record(1)
    clock.nowMs += 10_999
    expect(made.isExceeded).toBe(true)
    clock.nowMs += 1
    expect(made.bytesPerSecond).toBe(0)
  })

  it('forgets what is older than its windows', () => {
    const { made, clock } = throttle(100)
    made.record(1_000_000)
    clock.nowMs += 10_999
    expect(made.isExceeded).toBe(true)
    clock.nowMs += 1
    expect(made.isExceeded).toBe(false)
    expect(made.bytesPerSecond).toBe(0)
  })
})
