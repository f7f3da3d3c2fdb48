import { expect, it } from 'vitest'
import { startCluster } from '../../broker/index.ts'

/** Holds the event loop, as a long computation of the application or a suspended machine does. */
function standStill(durationMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs)
}

it('a process that stood still longer than every time-out of its brokers has the same controller and leaders afterwards', async () => {
  await using cluster = await startCluster({
    brokers: 3,
    config: {
      'controller.quorum.fetch.timeout.ms': 1000,
      'controller.quorum.election.timeout.ms': 500,
      'controller.quorum.request.timeout.ms': 1000,
      'broker.session.timeout.ms': 1250,
      'broker.heartbeat.interval.ms': 250,
      'replica.lag.time.max.ms': 1250,
    },
  })
  await cluster.topic('orders').create({ partitions: 3, replicas: 3 })
  const seen = () => {
    const { metadataLog, metadata } = cluster.node(1).broker?.services ?? {}
    const partitions = metadata?.topicsByName.get('orders')?.partitions
    return {
      epoch: metadataLog?.leaderEpoch,
      leaders: partitions?.map(({ leaderId, leaderEpoch, isr }) => [leaderId, leaderEpoch, isr.length]),
    }
  }
  const before = seen()
  expect(before.leaders?.map(([, , inSync]) => inSync)).toEqual([3, 3, 3])
  for (let count = 0; count < 2; count++) {
    standStill(3000)
    await cluster.topic(`after-${count}`).create({ partitions: 1, replicas: 3 })
  }
  expect(seen()).toEqual(before)
})
