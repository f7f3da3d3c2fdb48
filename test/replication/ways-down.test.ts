/** Five ways in which a broker of three may go, and what each of them leaves behind. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startCluster, type TestCluster } from '../../broker/index.ts'
import { Produce } from '../../common/protocol/apis/00-produce.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { rawClient } from '../support/raw-client.ts'
import { batchOf } from '../support/records.ts'
import { replicaOn } from './support.ts'

let cluster: TestCluster

beforeEach(async () => {
  cluster = await startCluster({
    brokers: 3,
    // Brokers can all be down or dumb while somebody still decides who leads.
    controllers: 1,
    loseTail: true,
    clock: 'virtual',
    topics: {
      orders: {
        assignments: [[1, 2, 3]],
        configs: { 'min.insync.replicas': 2, 'message.timestamp.after.max.ms': Number.MAX_SAFE_INTEGER },
      },
    },
  })
  await cluster.topic('orders').produce(['a', 'b', 'c'])
})

afterEach(async () => {
  await cluster.stop()
})

const endOn = (nodeId: number): number => replicaOn(cluster, nodeId, 'orders')?.log?.logEndOffset ?? -1

/** What the controller has decided. */
function decided() {
  const active = cluster.engine.nodes.find(({ broker }) => broker?.controller !== undefined)?.broker
    ?.controller
  const partition = active?.image.topicsByName.get('orders')?.partitions[0]
  if (partition === undefined) throw new Error('no controller')
  return partition
}

/** Lets time pass until it is so. */
async function untilDecided(what: string, condition: () => boolean, limitMs = 120_000): Promise<void> {
  const startMs = cluster.clock.now()
  while (!condition()) {
    if (cluster.clock.now() - startMs > limitMs) throw new Error(`${limitMs} ms passed in vain for ${what}`)
    await cluster.clock.advance(100)
  }
}

/** Writes with acks=all through one broker. @returns the error code */
async function produceTo(nodeId: number, value: string): Promise<number> {
  const topicId = cluster.engine.brokers[0]?.services.metadata.topicsByName.get('orders')?.id as string
  const client = rawClient(cluster.broker(nodeId).address)
  try {
    const { responses } = await client.call(Produce, {
      acks: -1,
      timeoutMs: 60_000,
      topicData: [{ topicId, partitionData: [{ index: 0, records: batchOf([value]) }] }],
    })
    return responses[0]?.partitionResponses[0]?.errorCode ?? -1
  } finally {
    client.close()
  }
}

async function values(): Promise<unknown[]> {
  return (await cluster.topic('orders').records()).map(({ value }) => value)
}

describe('a broker that is stopped', () => {
  it('hands over before it goes, and proves that it lost nothing', async () => {
    await cluster.broker(1).stop()
    expect(decided()).toMatchObject({ leaderId: 2, leaderEpoch: 1, isr: [2, 3] })
    await cluster.topic('orders').produce('d')
    await cluster.broker(1).start()
    await untilDecided('all in sync', () => decided().isr.length === 3)
    expect(endOn(1)).toBe(4)
    expect(decided().leaderId).toBe(2)
  })

  it('keeps its place among the eligible leaders when it was the last but one', async () => {
    await cluster.broker(3).stop()
    await cluster.broker(2).stop()
    expect(decided()).toMatchObject({ leaderId: 1, isr: [1], elr: [2] })
    await cluster.broker(1).stop()
    expect(decided()).toMatchObject({ leaderId: -1, isr: [], elr: [1, 2] })
    await cluster.broker(2).start()
    await untilDecided('leader 2', () => decided().leaderId === 2)
    expect(decided()).toMatchObject({ isr: [2], elr: [1] })
    expect(endOn(2)).toBe(3)
  })
})

describe('a broker that is killed', () => {
  it('is missed only when its session ends, and comes back with its log', async () => {
    cluster.broker(1).kill()
    expect(decided()).toMatchObject({ leaderId: 1, isr: [1, 2, 3] })
    await untilDecided('leader 2', () => decided().leaderId === 2)
    expect(decided()).toMatchObject({ leaderEpoch: 1, isr: [2, 3] })
    await cluster.topic('orders').produce('d')
    await cluster.broker(1).start()
    await untilDecided('all in sync', () => decided().isr.length === 3)
    expect(await values()).toEqual(['a', 'b', 'c', 'd'])
  })

  it('cannot prove that it has everything, and loses its place among the eligible leaders when it comes back', async () => {
    cluster.broker(3).kill()
    await untilDecided('ISR 1, 2', () => decided().isr.length === 2)
    cluster.broker(2).kill()
    await untilDecided('ISR 1', () => decided().isr.length === 1)
    expect(decided().elr).toEqual([2])
    await cluster.broker(1).stop()
    expect(decided()).toMatchObject({ leaderId: -1, elr: [1, 2] })
    await cluster.broker(2).start()
    expect(decided()).toMatchObject({ leaderId: -1, elr: [1] })
    await cluster.broker(1).start()
    await untilDecided('leader 1', () => decided().leaderId === 1)
    expect(await values()).toEqual(['a', 'b', 'c'])
  })
})

describe('a broker that is killed and loses what it had not flushed', () => {
  it('copies that from the others, who have it', async () => {
    expect(endOn(3)).toBe(3)
    cluster.broker(3).kill({ loseTail: true })
    await untilDecided('ISR 1, 2', () => decided().isr.length === 2)
    cluster.broker(1).pauseFetch()
    cluster.broker(2).pauseFetch()
    await cluster.broker(3).start({ pausedFetch: true })
    // Nothing had been flushed, so that some of it may be gone; it is never more than it was.
    const kept = endOn(3)
    expect(kept).toBeLessThanOrEqual(3)
    cluster.broker(3).resumeFetch()
    cluster.broker(1).resumeFetch()
    cluster.broker(2).resumeFetch()
    await untilDecided('all in sync', () => decided().isr.length === 3)
    expect(endOn(3)).toBe(3)
    expect(await values()).toEqual(['a', 'b', 'c'])
  })

  it('loses acknowledged records only when all three do so at once', async () => {
    for (const nodeId of [1, 2, 3]) cluster.broker(nodeId).kill({ loseTail: true })
    for (const nodeId of [1, 2, 3]) await cluster.broker(nodeId).start()
    await untilDecided('a leader', () => decided().leaderId > 0)
    const kept = await values()
    expect(['a', 'b', 'c'].slice(0, kept.length)).toEqual(kept)
  })
})

describe('a broker that is frozen', () => {
  it('is replaced when its session ends, and follows as the same incarnation when it is thawed', async () => {
    const epoch = cluster.engine.node(1).broker?.lifecycle.brokerEpoch
    cluster.broker(1).freeze()
    expect(cluster.broker(1).state).toBe('frozen')
    await untilDecided('leader 2', () => decided().leaderId === 2)
    await cluster.topic('orders').produce('d')
    expect(endOn(1)).toBe(3)
    cluster.broker(1).thaw()
    await untilDecided('all in sync', () => decided().isr.length === 3)
    expect(cluster.broker(1).state).toBe('running')
    expect(cluster.engine.node(1).broker?.lifecycle.brokerEpoch).toBe(epoch)
    expect(await values()).toEqual(['a', 'b', 'c', 'd'])
  })

  it('takes in afterwards what was sent to it meanwhile, and cannot commit it', async () => {
    cluster.broker(1).freeze()
    const produced = produceTo(1, 'zombie')
    await untilDecided('the others to know leader 2', () =>
      [2, 3].every((nodeId) => replicaOn(cluster, nodeId, 'orders')?.leaderEpoch === 1),
    )
    cluster.broker(1).thaw()
    let errorCode: number | undefined
    void produced.then((code) => {
      errorCode = code
    })
    await untilDecided('an answer', () => errorCode !== undefined)
    expect(errorCode).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    await untilDecided('all in sync', () => decided().isr.length === 3)
    expect(await values()).toEqual(['a', 'b', 'c'])
  })

  it('may be one of several', async () => {
    cluster.broker(2).freeze()
    cluster.broker(3).freeze()
    await untilDecided('ISR 1', () => decided().isr.length === 1)
    expect(decided()).toMatchObject({ leaderId: 1, isr: [1] })
    cluster.broker(1).freeze()
    await untilDecided('no leader', () => decided().leaderId === -1)
    for (const nodeId of [1, 2, 3]) cluster.broker(nodeId).thaw()
    await untilDecided('all in sync', () => decided().isr.length === 3)
    await cluster.topic('orders').produce('d')
    expect(await values()).toEqual(['a', 'b', 'c', 'd'])
  })

  it('can be killed, and starts again', async () => {
    cluster.broker(2).freeze()
    cluster.broker(2).kill()
    expect(cluster.broker(2).state).toBe('down')
    await cluster.broker(2).start()
    await untilDecided('all in sync', () => decided().isr.length === 3)
  })
})

describe('a broker that is cut off', () => {
  it('from everybody is replaced, believes that it leads, and gives up what it alone has', async () => {
    cluster.network.isolate([1], [2, 3, 4])
    await untilDecided('leader 2', () => decided().leaderId === 2)
    expect(replicaOn(cluster, 1, 'orders')?.isLeader).toBe(true)
    expect(await produceTo(2, 'd')).toBe(ErrorCode.NONE)
    cluster.network.heal()
    await untilDecided('all in sync', () => decided().isr.length === 3)
    expect(endOn(1)).toBe(4)
    expect(await values()).toEqual(['a', 'b', 'c', 'd'])
  })

  it('one way from one follower loses that one from the ISR, and nobody else notices', async () => {
    cluster.network.cut(1, 2)
    const produced = produceTo(1, 'd')
    await untilDecided('ISR 1, 3', () => String(decided().isr) === '1,3')
    expect(await produced).toBe(ErrorCode.NONE)
    expect(decided()).toMatchObject({ leaderId: 1, leaderEpoch: 0 })
    cluster.network.heal()
    await untilDecided('all in sync', () => decided().isr.length === 3)
    expect(endOn(2)).toBe(4)
  })

  it('one way from the controller is not heard any more, and replaced', async () => {
    cluster.network.cut(1, 4)
    await untilDecided('leader 2', () => decided().leaderId === 2)
    // What it would hear are answers, so it does not know.
    expect(replicaOn(cluster, 1, 'orders')?.isLeader).toBe(true)
    cluster.network.heal()
    await untilDecided('all in sync', () => decided().isr.length === 3)
  })
})
