import { describe, expect, it } from 'vitest'
import { Consumer } from '../../../../client/index.ts'
import { FindCoordinator } from '../../../../common/protocol/apis/10-find-coordinator.ts'
import { JoinGroup } from '../../../../common/protocol/apis/11-join-group.ts'
import { ScriptedCluster } from '../support/scripted-broker.ts'

describe('a static member', () => {
  it('is told that a broker before Kafka 2.3 has no static members, and does not join as a dynamic one', async () => {
    const cluster = new ScriptedCluster(7)
    await cluster.start(1)
    cluster.otherApis = [FindCoordinator, JoinGroup]
    cluster.maxVersions = { JoinGroup: 4 }
    cluster.onRequest = ({ api }) => {
      const place = { key: 'g', nodeId: 1, host: 'broker-1', port: 9092, errorCode: 0, errorMessage: null }
      return api === 'FindCoordinator' ? { answer: { coordinators: [place] } } : undefined
    }
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
