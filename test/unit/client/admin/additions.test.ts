import { describe, expect, it } from 'vitest'
import { ClosedError, FeatureUpgradeType, TopicPartition, ValueError } from '../../../../client/index.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import { coordinatorOfG } from '../support/scripted-broker.ts'
import { AdminWorld } from './scripted-admin.ts'

describe('features', () => {
  it('have answers of their own up to version 1, and share one after it', async () => {
    const world = await AdminWorld.make()
    world.versions = { UpdateFeatures: 1 }
    const refusal = { errorCode: ErrorCode.INVALID_UPDATE_VERSION, errorMessage: 'too high' }
    world.answer = ({ api, version }) => {
      if (api !== 'UpdateFeatures') return undefined
      if (version > 1) return { answer: { ...refusal, results: [] } }
      const results = [
        { feature: 'a', errorCode: 0, errorMessage: null },
        { feature: 'b', ...refusal },
      ]
      return { answer: { errorCode: 0, errorMessage: null, results } }
    }
    const updates = {
      a: { maxVersionLevel: 1 },
      b: { maxVersionLevel: 0, upgradeType: FeatureUpgradeType.SAFE_DOWNGRADE },
    }
    const results = world.admin.updateFeatures(updates)
    expect(await world.failure(results.get('a'))).toBe('none')
    expect(await world.failure(results.get('b'))).toBe('INVALID_UPDATE_VERSION')
    expect(world.cluster.seen('UpdateFeatures')[0]?.body).toMatchObject({
      featureUpdates: [
        { feature: 'a', upgradeType: 1 },
        { feature: 'b', upgradeType: 2 },
      ],
    })
    const modern = await AdminWorld.make()
    modern.answer = world.answer
    const both = modern.admin.updateFeatures(new Map(Object.entries(updates)))
    for (const name of ['a', 'b']) expect(await modern.failure(both.get(name))).toBe('INVALID_UPDATE_VERSION')
  })

  it('have names and levels', async () => {
    const { admin } = await AdminWorld.make()
    expect(() => admin.updateFeatures({})).toThrow(ValueError)
    expect(() => admin.updateFeatures({ '': { maxVersionLevel: 1 } })).toThrow(ValueError)
    expect(() => admin.updateFeatures({ a: {} as { maxVersionLevel: number } })).toThrow(TypeError)
  })
})

describe('transactions', () => {
  it('are listed with filters that old brokers cannot follow', async () => {
    const world = await AdminWorld.make()
    world.answer = ({ api }) =>
      api === 'ListTransactions'
        ? { answer: { errorCode: 0, unknownStateFilters: [], transactionStates: [] } }
        : undefined
    await world.settle(
      world.admin.listTransactions({ states: ['Ongoing'], producerIds: [7n], durationMs: 5 }),
    )
    expect(world.cluster.seen('ListTransactions')[0]?.body).toMatchObject({
      stateFilters: ['Ongoing'],
      producerIdFilters: [7],
      durationFilter: 5,
      transactionalIdPattern: null,
    })
    const old = await AdminWorld.make()
    old.versions = { ListTransactions: 0 }
    const { errors } = await old.settle(old.admin.listTransactions({ durationMs: 5 }))
    expect(errors.map(({ error }) => error.name())).toEqual(['_UNSUPPORTED_FEATURE'])
    expect(await world.failure(world.admin.listTransactions({ states: 'Ongoing' as unknown as [] }))).toBe(
      'TypeError',
    )
    expect(await world.failure(world.admin.listTransactions({ durationMs: -1 }))).toBe('ValueError')
  })

  it('are aborted at the leader, once it is known', async () => {
    const world = await AdminWorld.make({}, [1, 2])
    const log = world.cluster.topic('t', [1])[0]
    world.answer = ({ api, nodeId }) => {
      if (api !== 'WriteTxnMarkers') return undefined
      const errorCode = nodeId === 1 ? ErrorCode.NOT_LEADER_OR_FOLLOWER : 0
      if (log !== undefined) log.leaderId = 2
      const topics = [{ name: 't', partitions: [{ partitionIndex: 0, errorCode }] }]
      return { answer: { markers: [{ producerId: 5, topics }] } }
    }
    const topicPartition = new TopicPartition('t', 0)
    const spec = { topicPartition, producerId: 5n, producerEpoch: 3, coordinatorEpoch: 0 }
    await world.settle(world.admin.abortTransaction(spec))
    expect(world.cluster.seen('WriteTxnMarkers').map(({ nodeId }) => nodeId)).toEqual([1, 2])
    expect(world.cluster.seen('WriteTxnMarkers')[1]?.body).toMatchObject({
      markers: [{ producerId: 5, producerEpoch: 3, transactionResult: false, coordinatorEpoch: 0 }],
    })
    expect(
      await world.failure(world.admin.abortTransaction({ ...spec, topicPartition: new TopicPartition('t') })),
    ).toBe('ValueError')
  })
})

describe('share groups', () => {
  it('have ids, partitions and offsets', async () => {
    const { admin } = await AdminWorld.make()
    expect(() => admin.alterShareGroupOffsets('', [])).toThrow(ValueError)
    expect(() => admin.alterShareGroupOffsets('g', [new TopicPartition('t', 0)])).toThrow(ValueError)
    expect(() => admin.alterShareGroupOffsets('g', ['t' as unknown as TopicPartition])).toThrow(TypeError)
    expect(() => admin.deleteShareGroupOffsets('g', [])).toThrow(ValueError)
    expect(() => admin.describeShareGroups([])).toThrow(ValueError)
  })

  it('refused as a whole are refused for each partition', async () => {
    const world = await AdminWorld.make()
    world.answer = ({ api }) => {
      if (api === 'FindCoordinator') return coordinatorOfG
      if (api !== 'AlterShareGroupOffsets') return undefined
      return {
        answer: { errorCode: ErrorCode.NON_EMPTY_GROUP, errorMessage: 'it has members', responses: [] },
      }
    }
    const partitions = [new TopicPartition('t', 0, 1), new TopicPartition('t', 1, 1)]
    const results = world.admin.alterShareGroupOffsets('g', partitions)
    for (const entry of partitions) expect(await world.failure(results.get(entry))).toBe('NON_EMPTY_GROUP')
  })
})

describe('a closed admin client', () => {
  it('refuses every call', async () => {
    const world = await AdminWorld.make()
    const { admin } = world
    await world.settle(admin.close())
    expect(() => admin.describeConsumerGroups(['g'])).toThrow(ClosedError)
    expect(() => admin.describeUserScramCredentials(['u'])).toThrow(ClosedError)
    for (const call of [
      () => admin.listConsumerGroups(),
      () => admin.describeUserScramCredentials(),
      () => admin.listTransactions(),
      () => admin.describeFeatures(),
      () => admin.describeClientQuotas(),
      () => admin.describeMetadataQuorum(),
    ]) {
      expect(await world.failure(call())).toBe('ClosedError')
    }
  })
})
