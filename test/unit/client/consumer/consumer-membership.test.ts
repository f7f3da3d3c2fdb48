import { describe, expect, it } from 'vitest'
import { Consumer, TopicPartition } from '../../../../client/index.ts'
import { OffsetCommit } from '../../../../common/protocol/apis/08-offset-commit.ts'
import { FindCoordinator } from '../../../../common/protocol/apis/10-find-coordinator.ts'
import {
  ConsumerGroupHeartbeat,
  type ConsumerGroupHeartbeatRequest,
} from '../../../../common/protocol/apis/68-consumer-group-heartbeat.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import { coordinatorOfG, type Reaction, ScriptedCluster } from '../support/scripted-broker.ts'

describe('a heartbeat of the consumer protocol that says everything again', () => {
  it('tells a partition that the application has not taken yet, so that nobody else gets it meanwhile', async () => {
    const { cluster, consumer, heartbeats, answerWith } = await groupOfOne()
    consumer.subscribe(['t'])
    answerWith(assigned(cluster, 1, [0]))
    await pollUntil(cluster, consumer, () => heartbeats().includes('0'))
    answerWith(assigned(cluster, 2, [0, 1]), refused, assigned(cluster, 2, [0]))
    const before = heartbeats().length
    await cluster.advance(2_000)
    expect(heartbeats().slice(before, before + 3)).toEqual([null, null, '0,1'])
    await cluster.settle(consumer.close())
  })

  it('tells a partition that the application took while the coordinator was looked for', async () => {
    const { cluster, consumer, heartbeats, answerWith } = await groupOfOne()
    consumer.subscribe(['t'])
    answerWith(assigned(cluster, 1, [0]))
    await pollUntil(cluster, consumer, () => heartbeats().includes('0'))
    answerWith(assigned(cluster, 2, [0, 1]), assigned(cluster, 2, [0, 1, 2]), moved)
    const before = heartbeats().length
    while (heartbeats().length < before + 3) await cluster.advance(20)
    // The next heartbeat waits for the coordinator by then.
    await cluster.advance(300)
    expect(heartbeats()).toHaveLength(before + 3)
    await pollUntil(cluster, consumer, () => heartbeats().length > before + 3)
    expect(consumer.assignment()).toHaveLength(3)
    expect(heartbeats()[before + 3]).toBe('0,1,2')
    await cluster.settle(consumer.close())
  })

  it('tells a partition that the application has given up until its last offset is committed', async () => {
    const { cluster, consumer, heartbeats, answerWith } = await groupOfOne()
    consumer.subscribe(['t'], {
      onRevoke: () => void consumer.commit({ offsets: [new TopicPartition('t', 1, 5)] }),
    })
    answerWith(assigned(cluster, 1, [0, 1]))
    await pollUntil(cluster, consumer, () => heartbeats().includes('0,1'))
    answerWith(assigned(cluster, 1, [0]))
    await pollUntil(cluster, consumer, () => cluster.seen('OffsetCommit').length > 0)
    const before = heartbeats().length
    answerWith(refused)
    await pollUntil(cluster, consumer, () => heartbeats().length >= before + 2)
    expect(heartbeats().slice(before, before + 2)).toEqual([null, '0,1'])
    await pollUntil(cluster, consumer, () => heartbeats().at(-1) === '0')
    await cluster.settle(consumer.close())
  })
})

interface GroupOfOne {
  readonly cluster: ScriptedCluster
  readonly consumer: Consumer
  /** The partitions that each heartbeat told; null: it told none. */
  readonly heartbeats: () => (string | null)[]
  /** To the next heartbeats, one each. All others are answered without news. */
  readonly answerWith: (...reactions: Reaction[]) => void
}

async function groupOfOne(): Promise<GroupOfOne> {
  const cluster = new ScriptedCluster(7)
  await cluster.start(1)
  cluster.otherApis = [OffsetCommit, FindCoordinator, ConsumerGroupHeartbeat]
  cluster.topic('t', [1, 1, 1])
  const reactions: Reaction[] = []
  cluster.onRequest = ({ api, body }) => {
    // The first look-up is quick, and those after it are slow.
    if (api === 'FindCoordinator')
      return { ...coordinatorOfG, delayMs: cluster.seen('FindCoordinator').length > 1 ? 500 : 0 }
    // Nobody answers commits: they end with their time.
    if (api === 'OffsetCommit') return 'silence'
    if (api !== 'ConsumerGroupHeartbeat') return undefined
    const { memberEpoch } = body as ConsumerGroupHeartbeatRequest
    return reactions.shift() ?? answered(memberEpoch, null)
  }
  const conf = {
    'bootstrap.servers': cluster.bootstrap,
    'group.id': 'g',
    'group.protocol': 'consumer',
    log_level: 0,
  } as const
  const consumer = new Consumer(conf, undefined, { runtime: cluster.sim.machine('client') })
  return {
    cluster,
    consumer,
    heartbeats: () =>
      cluster.seen('ConsumerGroupHeartbeat').map(({ body }) => {
        const { topicPartitions } = body as ConsumerGroupHeartbeatRequest
        return topicPartitions?.flatMap(({ partitions }) => [...partitions].sort()).join() ?? null
      }),
    answerWith: (...next) => void reactions.push(...next),
  }
}

/** The coordinator gives these partitions of `t`. */
function assigned(cluster: ScriptedCluster, memberEpoch: number, partitions: readonly number[]): Reaction {
  const topicId = cluster.topics.get('t')?.id
  return answered(memberEpoch, { topicPartitions: [{ topicId, partitions }] })
}

function answered(memberEpoch: number, assignment: object | null): Reaction {
  return { answer: { errorCode: 0, memberEpoch, heartbeatIntervalMs: 100, assignment } }
}

/** What makes a member say everything again. */
const refused: Reaction = {
  answer: { errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, memberEpoch: 0, heartbeatIntervalMs: 0 },
}
const moved: Reaction = {
  answer: { errorCode: ErrorCode.NOT_COORDINATOR, memberEpoch: 0, heartbeatIntervalMs: 0 },
}

async function pollUntil(cluster: ScriptedCluster, consumer: Consumer, isDone: () => boolean): Promise<void> {
  while (!isDone()) await cluster.settle(consumer.poll({ timeoutMs: 20 }))
}
