/** Elections and moves of partitions through the admin client: BOOTSTRAP=host:port, or three kafkito brokers. */
import { describe, expect, it } from 'vitest'
import { ElectionType, NewTopic, TopicPartition } from '../../client/index.ts'
import { AdminWorld, errorName } from './admin-support.ts'
import { needs, needsKraft } from './broker-needs.ts'
import { uniqueName } from './support.ts'

const world = AdminWorld.use({ brokers: 3 })

describe('elections', () => {
  it(
    'that are not needed, or not possible, say so for each partition',
    needs('ElectLeaders', 1),
    async () => {
      const topic = await world.topic()
      const partitions = [new TopicPartition(topic, 0), new TopicPartition(topic, 9)]
      const elected = await world.admin.electLeaders(ElectionType.PREFERRED, partitions)
      expect(partitions.map((partition) => elected.get(partition)?.name())).toEqual([
        'ELECTION_NOT_NEEDED',
        'UNKNOWN_TOPIC_OR_PART',
      ])
      expect((await world.admin.electLeaders(ElectionType.PREFERRED, [])).size).toBe(0)
      const twice = world.admin.electLeaders(ElectionType.PREFERRED, [
        partitions[0],
        partitions[0],
      ] as TopicPartition[])
      expect(await errorName(twice)).toBe('_INVALID_ARG')
      const all = await world.admin.electLeaders(ElectionType.UNCLEAN)
      expect(all.has(new TopicPartition(topic, 0))).toBe(false)
    },
  )

  it('give a partition back to its preferred replica, after its replicas were moved', async (context) => {
    const [first, second] = (await world.admin.describeCluster()).nodes.map(({ id }) => id)
    if (first === undefined || second === undefined) return context.skip()
    const name = uniqueName('moved')
    const partition = new TopicPartition(name, 0)
    const replicaAssignment = [[first, second]]
    await world.admin.createTopics([new NewTopic(name, -1, -1, { replicaAssignment })]).all()
    const until = async (condition: (leader: number, inSync: number[]) => boolean): Promise<void> => {
      for (;;) {
        const found = await world.admin
          .describeTopics([name])
          .get(name)
          ?.catch(() => undefined)
        const { leader, isr } = found?.partitions[0] ?? {}
        if (leader && condition(leader.id, isr?.map(({ id }) => id) ?? [])) return
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    await until((_, inSync) => inSync.length === 2)
    await world.admin.alterPartitionReassignments([[partition, [second, first]]]).all()
    const moves = await world.admin.listPartitionReassignments([partition])
    expect(moves.size).toBe(0)
    const elected = await world.admin.electLeaders(ElectionType.PREFERRED, [partition])
    expect(elected.get(partition)).toBe(null)
    await until((leader) => leader === second)
  })
})

describe('moves of partitions', () => {
  it('are refused for each partition by itself', needsKraft, async () => {
    const topic = await world.topic()
    const results = world.admin.alterPartitionReassignments([
      [new TopicPartition(topic, 0), [4711]],
      [new TopicPartition(topic, 7), [1]],
      [new TopicPartition('no-such-topic', 0), null],
    ])
    expect(await Promise.all([...results.values()].map(errorName))).toEqual([
      'INVALID_REPLICA_ASSIGNMENT',
      'UNKNOWN_TOPIC_OR_PART',
      'UNKNOWN_TOPIC_OR_PART',
    ])
    const nothing = world.admin.alterPartitionReassignments([[new TopicPartition(topic, 0), null]])
    expect(await errorName(nothing.get(new TopicPartition(topic, 0)))).toBe('NO_REASSIGNMENT_IN_PROGRESS')
  })
})
