import { describe, expect, it } from 'vitest'
import { decodeSubscription, encodeAssignment } from '../../../../client/consumer/classic-protocol.ts'
import { Consumer } from '../../../../client/index.ts'
import { FindCoordinator } from '../../../../common/protocol/apis/10-find-coordinator.ts'
import { JoinGroup, type JoinGroupRequest } from '../../../../common/protocol/apis/11-join-group.ts'
import { Heartbeat } from '../../../../common/protocol/apis/12-heartbeat.ts'
import { LeaveGroup } from '../../../../common/protocol/apis/13-leave-group.ts'
import { SyncGroup } from '../../../../common/protocol/apis/14-sync-group.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import { coordinatorOfG, ScriptedCluster } from '../support/scripted-broker.ts'

describe('a static member', () => {
  it('is told that a broker before Kafka 2.3 has no static members, and does not join as a dynamic one', async () => {
    const cluster = new ScriptedCluster(7)
    await cluster.start(1)
    cluster.otherApis = [FindCoordinator, JoinGroup]
    cluster.maxVersions = { JoinGroup: 4 }
    cluster.onRequest = ({ api }) => (api === 'FindCoordinator' ? coordinatorOfG : undefined)
    cluster.topic('t', [1])
    const conf = {
      'bootstrap.servers': cluster.bootstrap,
      'group.id': 'g',
      'group.instance.id': 'i',
      log_level: 0,
    }
    const consumer = new Consumer(conf, undefined, { runtime: cluster.sim.machine('client') })
    consumer.subscribe(['t'])
    const event = await cluster.settle(consumer.poll(20))
    expect(event?.error()?.name()).toBe('_UNSUPPORTED_FEATURE')
    expect(await cluster.settle(consumer.poll(5))).toBeNull()
    expect(cluster.seen('JoinGroup')).toEqual([])
    await cluster.settle(consumer.close())
  })
})

describe('a member that subscribes by names and by expressions', () => {
  it('joins once, with all of its topics', async () => {
    const { cluster, consumer } = await groupOfOne()
    for (const topic of ['u-1', 'u-2', 'v']) cluster.topic(topic, [1])
    consumer.subscribe(['t', '^u'])
    await cluster.settle(consumer.poll(2))
    const topics = cluster.seen('JoinGroup').map(({ body }) => {
      const { protocols } = body as JoinGroupRequest
      return decodeSubscription('m', null, protocols[0]?.metadata as Buffer).topics
    })
    expect(topics).toEqual([['t', 'u-1', 'u-2']])
    await cluster.settle(consumer.close())
  })
})

describe('a member that leaves while its group rebalances', () => {
  it('is assigned nothing more while its callback gives back what it has', async () => {
    const cluster = new ScriptedCluster(7)
    await cluster.start(1)
    cluster.otherApis = [FindCoordinator, JoinGroup, SyncGroup, Heartbeat, LeaveGroup]
    const member = { errorCode: 0, memberId: 'm', leader: 'other', members: [] }
    cluster.onRequest = ({ api }) => {
      const round = cluster.seen('JoinGroup').length
      switch (api) {
        case 'FindCoordinator':
          return coordinatorOfG
        case 'JoinGroup':
          return { answer: { ...member, generationId: round, protocolName: 'cooperative-sticky' } }
        case 'SyncGroup': {
          const partitions = Array.from({ length: round }, (_, id) => id)
          const assignment = encodeAssignment(new Map([['t', partitions]]))
          return { answer: { errorCode: 0, assignment }, delayMs: round === 1 ? 0 : 300 }
        }
        case 'Heartbeat':
          return { answer: { errorCode: round === 1 ? ErrorCode.REBALANCE_IN_PROGRESS : 0 } }
        case 'LeaveGroup':
          return { answer: { errorCode: 0, members: [] } }
      }
      return undefined
    }
    cluster.topic('t', [1, 1])
    const consumer = new Consumer(
      {
        'bootstrap.servers': cluster.bootstrap,
        'group.id': 'g',
        'partition.assignment.strategy': 'cooperative-sticky',
        'heartbeat.interval.ms': 100,
        log_level: 0,
      },
      undefined,
      { runtime: cluster.sim.machine('client') },
    )
    const told: string[] = []
    const { scheduler } = cluster.sim
    consumer.subscribe(['t'], {
      onAssign: (_, partitions) => void told.push(`assign ${partitions.map(({ partition }) => partition)}`),
      onRevoke: async (_, partitions) => {
        told.push(`revoke ${partitions.map(({ partition }) => partition)}`)
        await new Promise<void>((resolve) => scheduler.schedule('a slow callback', 1_000, resolve))
      },
    })
    while (cluster.seen('SyncGroup').length < 2) await cluster.settle(consumer.poll({ timeoutMs: 20 }))
    await cluster.settle(consumer.close())
    expect(told).toEqual(['assign 0', 'revoke 0'])
    expect(cluster.seen('LeaveGroup')).toHaveLength(1)
  })
})

describe('a callback', () => {
  it('that takes longer than max.poll.interval.ms loses its member what it was given, which joins again with the next poll', async () => {
    const { cluster, consumer } = await groupOfOne()
    const told: string[] = []
    consumer.subscribe(['t'], {
      onAssign: async () => {
        told.push('assign')
        if (told.length > 1) return
        const { scheduler } = cluster.sim
        await new Promise<void>((resolve) => scheduler.schedule('a slow callback', 3_000, resolve))
      },
      onLost: () => void told.push('lost'),
    })
    const event = await cluster.settle(consumer.poll(20))
    expect(event?.error()?.name()).toBe('_MAX_POLL_EXCEEDED')
    expect(cluster.seen('LeaveGroup')).toHaveLength(1)
    await cluster.settle(consumer.poll(2))
    expect(told).toEqual(['assign', 'lost', 'assign'])
    await cluster.settle(consumer.close())
  })

  it('may close its consumer and wait for that', async () => {
    for (const name of ['onAssign', 'onRevoke']) {
      const { cluster, consumer } = await groupOfOne()
      let closedAfterMs = -1
      const { clock } = cluster.sim
      consumer.subscribe(['t'], {
        [name]: async () => {
          const startedMs = clock.monotonicMs()
          await consumer.close()
          closedAfterMs = clock.monotonicMs() - startedMs
        },
      })
      await cluster.settle(consumer.poll(2))
      if (name === 'onRevoke') {
        consumer.unsubscribe()
        await cluster.settle(consumer.poll(2))
      }
      expect(closedAfterMs).toBeGreaterThanOrEqual(0)
      expect(closedAfterMs).toBeLessThan(1000)
      expect(cluster.seen('LeaveGroup')).toHaveLength(1)
    }
  })
})

/** A group whose coordinator takes every request, with a consumer that is given its only partition. */
async function groupOfOne(): Promise<{ cluster: ScriptedCluster; consumer: Consumer }> {
  const cluster = new ScriptedCluster(7)
  await cluster.start(1)
  cluster.otherApis = [FindCoordinator, JoinGroup, SyncGroup, Heartbeat, LeaveGroup]
  const assignment = encodeAssignment(new Map([['t', [0]]]))
  const joined = { errorCode: 0, memberId: 'm', leader: 'other', members: [], generationId: 1 }
  const answers: Record<string, object> = {
    JoinGroup: { ...joined, protocolName: 'range' },
    SyncGroup: { errorCode: 0, assignment },
    Heartbeat: { errorCode: 0 },
    LeaveGroup: { errorCode: 0, members: [] },
  }
  cluster.onRequest = ({ api }) => {
    const answer = answers[api]
    return api === 'FindCoordinator' ? coordinatorOfG : answer && { answer }
  }
  cluster.topic('t', [1])
  const conf = {
    'bootstrap.servers': cluster.bootstrap,
    'group.id': 'g',
    'session.timeout.ms': 1000,
    'heartbeat.interval.ms': 100,
    'max.poll.interval.ms': 1000,
    log_level: 0,
  } as const
  const consumer = new Consumer(conf, undefined, { runtime: cluster.sim.machine('client') })
  return { cluster, consumer }
}
