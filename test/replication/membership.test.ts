import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { brokerHeartbeat } from '../../broker/controller/brokers.ts'
import { startCluster, type TestCluster } from '../../broker/index.ts'
import { Metadata } from '../../common/protocol/apis/03-metadata.ts'
import { DescribeQuorum } from '../../common/protocol/apis/55-describe-quorum.ts'
import { UnregisterBroker } from '../../common/protocol/apis/64-unregister-broker.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { ask, directoriesOn, PATIENT, reassign, reassignments, replicaOn } from './support.ts'

let cluster: TestCluster

beforeAll(async () => {
  cluster = await startCluster({ brokers: 3, racks: ['a', 'b', 'c'] })
})

afterAll(async () => {
  await cluster.stop()
})

async function brokerIds(): Promise<number[]> {
  const { brokers } = await ask(cluster, Metadata, { topics: [], allowAutoTopicCreation: false })
  return brokers.map(({ nodeId }) => nodeId).sort()
}

async function quorum() {
  const answer = await ask(cluster, DescribeQuorum, {
    topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }],
  })
  const [partition] = answer.topics[0]?.partitions ?? []
  const idsOf = (states: readonly { readonly replicaId: number }[] = []): number[] =>
    states.map(({ replicaId }) => replicaId).sort()
  return {
    leaderId: partition?.leaderId ?? -1,
    voters: idsOf(partition?.currentVoters),
    observers: idsOf(partition?.observers),
    highWatermark: partition?.highWatermark ?? -1,
    states: [...(partition?.currentVoters ?? []), ...(partition?.observers ?? [])],
  }
}

describe('a broker that is added', () => {
  it('is told to clients, follows the metadata without a vote, and gets replicas by a reassignment', async () => {
    await cluster.topic('orders').create({ assignments: [[1, 2]] })
    await cluster.topic('orders').produce(['a', 'b', 'c'])
    expect((await quorum()).observers).toEqual([])
    expect(await cluster.addBroker({ rack: 'd' })).toBe(4)
    expect(cluster.brokers).toHaveLength(4)
    await cluster.waitFor.condition(
      'broker 4 in the metadata',
      async () => (await brokerIds()).includes(4),
      PATIENT,
    )
    expect(await reassign(cluster, 'orders', [4, 1])).toBe(ErrorCode.NONE)
    await cluster.waitFor.condition(
      'the end of the reassignment',
      async () => {
        const [partition] = await cluster.describeTopic('orders')
        return String(partition?.replicas) === '4,1' && (await reassignments(cluster)).length === 0
      },
      PATIENT,
    )
    await cluster.moveLeader('orders', 0, 4)
    await cluster.topic('orders').produce('d')
    expect(replicaOn(cluster, 4, 'orders')?.log?.logEndOffset).toBe(4)
  })

  it('is an observer of the metadata quorum, whose followers report how far they are', async () => {
    const described = await cluster.waitFor.condition(
      'an observer that caught up',
      async () => {
        const now = await quorum()
        const observer = now.states.find(({ replicaId }) => replicaId === 4)
        return (observer?.logEndOffset ?? -1) > 0 ? now : undefined
      },
      PATIENT,
    )
    expect(described?.voters).toEqual([1, 2, 3])
    expect(described?.observers).toEqual([4])
    expect([1, 2, 3]).toContain(described?.leaderId)
  })

  it('comes back after it was killed, with its log and as the same broker', async () => {
    cluster.broker(4).kill()
    await cluster.waitFor.leader({ topic: 'orders', partition: 0 }, 1, PATIENT)
    await cluster.broker(4).start()
    await cluster.waitFor.isr('orders-0', [1, 4], PATIENT)
    expect(replicaOn(cluster, 4, 'orders')?.log?.logEndOffset).toBe(4)
  })

  it('is there again in a snapshot that is restored, and in a fork', async () => {
    const snapshot = cluster.snapshot()
    const fork = await cluster.fork(snapshot)
    try {
      expect(fork.brokers).toHaveLength(4)
      expect(await fork.topic('orders').end()).toEqual([4])
    } finally {
      await fork.stop()
    }
    await cluster.restore(snapshot)
    expect(cluster.brokers).toHaveLength(4)
    await cluster.waitFor.isr('orders-0', [1, 4], PATIENT)
  })

  it('may not have the id of another', async () => {
    await expect(cluster.addBroker({ nodeId: 2 })).rejects.toThrow('There is a broker 2 already.')
  })
})

describe('a broker that is removed', () => {
  it('is forgotten by the cluster, and a new one may take its id', async () => {
    expect(await reassign(cluster, 'orders', [1, 2])).toBe(ErrorCode.NONE)
    await cluster.waitFor.isr('orders-0', [1, 2], PATIENT)
    await cluster.waitFor.condition('no files', () => replicaOn(cluster, 4, 'orders') === undefined, PATIENT)
    await cluster.removeBroker(4)
    expect(cluster.brokers).toHaveLength(3)
    expect(() => cluster.broker(4)).toThrow('There is no broker 4')
    expect(await brokerIds()).toEqual([1, 2, 3])
    expect(await reassign(cluster, 'orders', [4])).toBe(ErrorCode.INVALID_REPLICA_ASSIGNMENT)
    expect(await cluster.addBroker()).toBe(4)
    expect(directoriesOn(cluster, 4, 'orders')).toEqual([])
    await cluster.removeBroker(4)
  })

  it('stays in the assignments that still name it, out of sync', async () => {
    await cluster.addBroker()
    await cluster.topic('left').create({ assignments: [[4, 1]] })
    await cluster.removeBroker(4)
    const [partition] = await cluster.describeTopic('left')
    expect(partition).toMatchObject({ leader: 1, replicas: [4, 1], isr: [1] })
    expect(await reassign(cluster, 'left', [1])).toBe(ErrorCode.NONE)
  })

  it('is no voter of the metadata quorum', async () => {
    await expect(cluster.removeBroker(2)).rejects.toThrow('votes in the metadata quorum')
  })
})

describe('a broker that is unregistered while it lives', () => {
  it('loses what it leads, and is told that its epoch is stale', async () => {
    const nodeId = await cluster.addBroker()
    await cluster.topic('lost').create({ assignments: [[nodeId, 2]] })
    const epoch = cluster.engine.node(nodeId).broker?.lifecycle.brokerEpoch ?? -1
    const answer = await ask(cluster, UnregisterBroker, { brokerId: nodeId })
    expect(answer.errorCode).toBe(ErrorCode.NONE)
    await cluster.waitFor.leader({ topic: 'lost', partition: 0 }, 2, PATIENT)
    expect(await brokerIds()).toEqual([1, 2, 3])
    const again = await ask(cluster, UnregisterBroker, { brokerId: nodeId })
    expect(again.errorCode).toBe(ErrorCode.BROKER_ID_NOT_REGISTERED)
    expect(await heartbeat(nodeId, epoch)).toBe(ErrorCode.STALE_BROKER_EPOCH)
    cluster.broker(nodeId).kill()
    await cluster.broker(nodeId).start()
    expect(await brokerIds()).toContain(nodeId)
    expect(await heartbeat(nodeId, epoch)).toBe(ErrorCode.STALE_BROKER_EPOCH)
  })
})

/** As the controller answers it. */
async function heartbeat(brokerId: number, brokerEpoch: number): Promise<number> {
  const controller = cluster.engine.brokers.find((broker) => broker.controller !== undefined)?.controller
  if (controller === undefined) throw new Error('no controller')
  const request = {
    ...{ brokerId, brokerEpoch, currentMetadataOffset: 0, wantFence: false, wantShutDown: false },
    ...{ offlineLogDirs: [], cordonedLogDirs: null },
  }
  return new Promise((resolve, reject) => {
    controller
      .read('a heartbeat', (machine) => brokerHeartbeat(machine, request as never).response.errorCode)
      .whenDone((result) =>
        result.error === ErrorCode.NONE ? resolve(result.value) : reject(new Error(`error ${result.error}`)),
      )
  })
}
