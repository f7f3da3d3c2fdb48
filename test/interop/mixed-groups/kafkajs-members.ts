/**
 * Members with kafkajs. What it has built in is round-robin under a name that no other client knows, and eager rebalances only; an assignor
 * called `range` comes in by the way that kafkajs offers for assignors of one's own. It knows neither cooperative groups nor KIP-848.
 */
import kafkajs, { type PartitionAssigner } from 'kafkajs'
import type { MemberFactory } from './member.ts'

const { AssignerProtocol, Kafka, logLevel } = kafkajs

/** Contiguous ranges in the order of the member ids; the first members get one more. */
const range: PartitionAssigner = ({ cluster }) => ({
  name: 'range',
  version: 0,
  async assign({ members, topics }) {
    const ids = members.map(({ memberId }) => memberId).sort()
    const shares = new Map(ids.map((id): [string, Record<string, number[]>] => [id, {}]))
    for (const topic of topics) {
      const partitions = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId)
      partitions.sort((one, other) => one - other)
      for (const [index, id] of ids.entries()) {
        const [from, to] = [index, index + 1].map(
          (place) =>
            place * Math.floor(partitions.length / ids.length) +
            Math.min(place, partitions.length % ids.length),
        )
        const share = shares.get(id)
        if (share !== undefined) share[topic] = partitions.slice(from, to)
      }
    }
    return [...shares].map(([memberId, assignment]) => ({
      memberId,
      memberAssignment: AssignerProtocol.MemberAssignment.encode({
        version: 0,
        assignment,
        userData: Buffer.alloc(0),
      }),
    }))
  },
  protocol({ topics }) {
    const metadata = AssignerProtocol.MemberMetadata.encode({
      version: 0,
      topics,
      userData: Buffer.alloc(0),
    })
    return { name: 'range', metadata }
  },
})

export const kafkajsMembers =
  (bootstrap: string): MemberFactory =>
  async ({ life, group, topic }, events) => {
    const kafka = new Kafka({
      clientId: life,
      brokers: bootstrap.split(','),
      logLevel: logLevel.NOTHING,
      retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 12 },
    })
    const consumer = kafka.consumer({
      groupId: group,
      heartbeatInterval: 300,
      maxWaitTimeInMs: 200,
      partitionAssigners: [range],
    })
    let owned: readonly number[] = []
    const give = (partitions: readonly number[]): void => {
      events.revoked(owned)
      owned = partitions
      events.assigned(owned)
    }
    consumer.on(consumer.events.REBALANCING, () => give([]))
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => give(payload.memberAssignment[topic] ?? []))
    consumer.on(consumer.events.CRASH, ({ payload }) => events.problem(String(payload.error)))
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({ eachMessage: async ({ message }) => events.got(`${message.value}`) })
    return {
      async leave() {
        await consumer.disconnect()
        give([])
      },
    }
  }
