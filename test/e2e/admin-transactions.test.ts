/** Transactions, features, the quorum and share groups through the admin client, against any cluster. */
import { describe, expect, it } from 'vitest'
import { FeatureUpgradeType, type Producer, TopicPartition } from '../../client/index.ts'
import { AdminWorld, errorName, onceKnown } from './admin-support.ts'
import { knows, needs } from './broker-needs.ts'
import { uniqueName } from './support.ts'

const world = AdminWorld.use()

/** A transaction with one record in partition 0. */
async function openTransaction(transactionalId: string, topic: string): Promise<Producer> {
  const producer = world.producer({ 'transactional.id': transactionalId })
  await producer.initTransactions(20)
  producer.beginTransaction()
  producer.produce(topic, { value: 'x', partition: 0 })
  await producer.flush(20)
  return producer
}

describe('transactions', () => {
  it('are listed and described while they are open', needs('ListTransactions'), async () => {
    const topic = await world.topic(2)
    const id = uniqueName('tx')
    const producer = await openTransaction(id, topic)
    const listed = async (options: Parameters<typeof world.admin.listTransactions>[0]) => {
      const { valid } = await world.admin.listTransactions(options)
      return valid.filter(({ transactionalId }) => transactionalId === id).map(({ state }) => state)
    }
    expect(await listed({})).toEqual(['Ongoing'])
    const pattern = knows('ListTransactions', 2) ? { transactionalIdPattern: 'tx-.*' } : {}
    expect(await listed({ states: ['Ongoing'], ...pattern })).toEqual(['Ongoing'])
    expect(await listed({ states: ['Empty'] })).toEqual([])
    if (knows('ListTransactions', 1)) expect(await listed({ durationMs: 1_000_000 })).toEqual([])
    expect(await errorName(listed({ states: ['Nonsense'] }))).toBe('_INVALID_ARG')
    const described = await world.admin.describeTransactions([id]).get(id)
    expect(described).toMatchObject({
      state: 'Ongoing',
      transactionTimeoutMs: 60_000,
      topicPartitions: [new TopicPartition(topic, 0)],
    })
    expect(described?.transactionStartTimeMs).toBeGreaterThan(1_600_000_000_000)
    await producer.commitTransaction(20)
    const missing = uniqueName('tx')
    const result = world.admin.describeTransactions([missing]).get(missing)
    expect(await errorName(result)).toBe('TRANSACTIONAL_ID_NOT_FOUND')
  })

  it(
    'that hang in a partition are found by their producers and aborted',
    needs('DescribeProducers'),
    async () => {
      const topic = await world.topic()
      const partition = new TopicPartition(topic, 0)
      await openTransaction(uniqueName('tx'), topic)
      const producers = async () => await world.admin.describeProducers([partition]).get(partition)
      const [hanging] = (await producers()) ?? []
      expect(hanging).toMatchObject({ producerEpoch: 0, lastSequence: 0, currentTransactionStartOffset: 0 })
      await world.admin.abortTransaction({
        topicPartition: partition,
        producerId: hanging?.producerId ?? -1,
        producerEpoch: hanging?.producerEpoch ?? -1,
        coordinatorEpoch: 0,
      })
      expect((await producers())?.[0]?.currentTransactionStartOffset).toBeNull()
    },
  )

  it('of partitions that do not exist have no producers', async () => {
    const topic = await world.topic()
    const partitions = [new TopicPartition(topic, 7), new TopicPartition(uniqueName('missing'), 0)]
    const results = world.admin.describeProducers(partitions)
    for (const partition of partitions) {
      expect(await errorName(results.get(partition))).toBe('UNKNOWN_TOPIC_OR_PART')
    }
  })
})

describe('features', () => {
  it('are described, and what cannot be is not updated', needs('ConsumerGroupHeartbeat', 1), async () => {
    const { finalizedFeatures, finalizedFeaturesEpoch, supportedFeatures } =
      await world.admin.describeFeatures()
    expect(finalizedFeatures.get('metadata.version')?.maxVersion).toBeGreaterThan(0)
    expect(finalizedFeaturesEpoch).toBeGreaterThanOrEqual(0)
    expect(supportedFeatures.get('group.version')?.maxVersion).toBe(1)
    const { admin } = world
    const refused = admin.updateFeatures({ 'group.version': { maxVersionLevel: 0 } })
    expect(await errorName(refused.get('group.version'))).toBe('INVALID_UPDATE_VERSION')
    const downgrade = { maxVersionLevel: 0, upgradeType: FeatureUpgradeType.SAFE_DOWNGRADE }
    const tried = admin.updateFeatures(new Map([['group.version', downgrade]]), { validateOnly: true })
    expect(await errorName(tried.get('group.version'))).toBe('none')
    expect((await admin.describeFeatures()).finalizedFeatures.get('group.version')?.maxVersion).toBe(1)
  })

  it('the quorum has a leader among its voters', needs('DescribeQuorum'), async () => {
    const { leaderId, voters, highWatermark } = await world.admin.describeMetadataQuorum()
    expect(voters.map(({ replicaId }) => replicaId)).toContain(leaderId)
    expect(highWatermark).toBeGreaterThan(0)
  })
})

describe('share groups', () => {
  it(
    'have offsets that are set, read and deleted while nobody is a member',
    needs('AlterShareGroupOffsets'),
    async () => {
      const topic = await world.topic()
      const groupId = uniqueName('share')
      const partition = new TopicPartition(topic, 0, 0)
      const { admin } = world
      await onceKnown(() => admin.alterShareGroupOffsets(groupId, [partition]).all())
      expect(await admin.listShareGroupOffsets(groupId)).toMatchObject([
        { topic, partition: 0, startOffset: 0, error: null },
      ])
      const { valid } = await admin.listShareGroups()
      expect(valid).toContainEqual({ groupId, state: 'Empty' })
      expect((await admin.listConsumerGroups()).valid.map((listing) => listing.groupId)).not.toContain(
        groupId,
      )
      const described = await admin.describeShareGroups([groupId]).get(groupId)
      expect(described).toMatchObject({ groupId, state: 'Empty', members: [], authorizedOperations: null })
      expect(await errorName(admin.describeConsumerGroups([groupId]).get(groupId))).toBe('GROUP_ID_NOT_FOUND')
      await admin.deleteShareGroupOffsets(groupId, [topic]).all()
      expect((await admin.listShareGroupOffsets(groupId, [partition]))[0]?.startOffset).toBeNull()
      await admin.deleteShareGroups([groupId]).all()
      expect(await errorName(admin.describeShareGroups([groupId]).get(groupId))).toBe('GROUP_ID_NOT_FOUND')
    },
  )
})
