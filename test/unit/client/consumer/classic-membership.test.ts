import { describe, expect, it } from 'vitest'
import { encodeAssignment } from '../../../../client/consumer/classic-protocol.ts'
import { Consumer } from '../../../../client/index.ts'
import { FindCoordinator } from '../../../../common/protocol/apis/10-find-coordinator.ts'
import { JoinGroup } from '../../../../common/protocol/apis/11-join-group.ts'
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
