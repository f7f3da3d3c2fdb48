import { describe, expect, it } from 'vitest'
import {
  ConsumerGroupState,
  ConsumerGroupTopicPartitions,
  ConsumerGroupType,
  OFFSET_INVALID,
  TopicPartition,
  ValueError,
} from '../../../../client/index.ts'
import type { DeleteGroupsRequest } from '../../../../common/protocol/apis/42-delete-groups.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import type { Reaction, SeenRequest } from '../support/scripted-broker.ts'
import { AdminWorld } from './scripted-admin.ts'

/** The broker that coordinates everything. */
function coordinator({ body }: SeenRequest, nodeId: number): Reaction {
  const { coordinatorKeys } = body as { coordinatorKeys: readonly string[] }
  const place = { nodeId, host: `broker-${nodeId}`, port: 9092, errorCode: 0, errorMessage: null }
  return { answer: { coordinators: coordinatorKeys.map((key) => ({ key, ...place })) } }
}

function classic(changes: object): Reaction {
  const group = {
    errorCode: 0,
    groupId: 'g',
    groupState: 'Stable',
    protocolType: 'consumer',
    protocolData: 'range',
    members: [],
    authorizedOperations: 0b101000,
  }
  return { answer: { groups: [{ ...group, ...changes }] } }
}

const notFound = {
  answer: {
    groups: [
      {
        errorCode: ErrorCode.GROUP_ID_NOT_FOUND,
        errorMessage: null,
        groupId: 'g',
        groupState: '',
        groupEpoch: 0,
        assignmentEpoch: 0,
        assignorName: '',
        members: [],
      },
    ],
  },
}

describe('a group that is described', () => {
  it('is a classic one for brokers that know no others, and dead when it does not exist', async () => {
    const world = await AdminWorld.make()
    world.versions = { ConsumerGroupDescribe: -1, DescribeGroups: 5 }
    world.answer = (request) => {
      if (request.api === 'FindCoordinator') return coordinator(request, 1)
      if (request.api === 'DescribeGroups') {
        return classic({ groupState: 'Dead', protocolType: '', protocolData: '' })
      }
      return undefined
    }
    const description = await world.settle(world.admin.describeConsumerGroups(['g']).get('g'))
    expect(description).toMatchObject({
      state: ConsumerGroupState.DEAD,
      type: ConsumerGroupType.CLASSIC,
      coordinator: { id: 1, host: 'broker-1', port: 9092 },
      authorizedOperations: [3, 5],
    })
    expect(world.cluster.seen('DescribeGroups')[0]?.version).toBe(5)
  })

  it('is no consumer group when its members speak another protocol', async () => {
    const world = await AdminWorld.make()
    world.answer = (request) => {
      if (request.api === 'FindCoordinator') return coordinator(request, 1)
      if (request.api === 'ConsumerGroupDescribe') return notFound
      return request.api === 'DescribeGroups' ? classic({ protocolType: 'connect' }) : undefined
    }
    expect(await world.failure(world.admin.describeConsumerGroups(['g']).get('g'))).toBe('_INVALID_ARG')
  })

  it('is asked for again when its coordinator moved', async () => {
    const world = await AdminWorld.make({}, [1, 2])
    let nodeId = 1
    world.answer = (request) => {
      if (request.api === 'FindCoordinator') return coordinator(request, nodeId)
      if (request.api === 'ConsumerGroupDescribe') return notFound
      if (request.api !== 'DescribeGroups') return undefined
      if (request.nodeId === 2) return classic({})
      nodeId = 2
      return classic({ errorCode: ErrorCode.NOT_COORDINATOR })
    }
    const description = await world.settle(world.admin.describeConsumerGroups(['g']).get('g'))
    expect(description?.coordinator.id).toBe(2)
    expect(world.cluster.seen('DescribeGroups').map((request) => request.nodeId)).toEqual([1, 2])
  })

  it('has a state that this client does not know', async () => {
    const world = await AdminWorld.make()
    world.answer = (request) => {
      if (request.api === 'FindCoordinator') return coordinator(request, 1)
      if (request.api === 'ConsumerGroupDescribe') return notFound
      return request.api === 'DescribeGroups' ? classic({ groupState: 'Dreaming' }) : undefined
    }
    const description = await world.settle(world.admin.describeConsumerGroups(['g']).get('g'))
    expect(description?.state).toBe(ConsumerGroupState.UNKNOWN)
  })
})

describe('listing groups', () => {
  const group = { groupId: 'g', protocolType: 'consumer', groupState: 'Stable', groupType: 'Consumer' }

  it('gives what brokers know, and the errors of those that do not tell', async () => {
    const world = await AdminWorld.make({}, [1, 2])
    world.answer = ({ api, nodeId }) => {
      if (api !== 'ListGroups') return undefined
      const others = [
        { ...group, groupId: 's', protocolType: '', groupState: 'Empty', groupType: 'Classic' },
        { ...group, groupId: 'w', protocolType: 'connect' },
      ]
      if (nodeId === 1) return { answer: { errorCode: 0, groups: [group, ...others] } }
      return { answer: { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, groups: [] } }
    }
    const { valid, errors } = await world.settle(world.admin.listConsumerGroups())
    expect(valid).toEqual([
      { groupId: 'g', isSimpleConsumerGroup: false, state: ConsumerGroupState.STABLE, type: 1 },
      { groupId: 's', isSimpleConsumerGroup: true, state: ConsumerGroupState.EMPTY, type: 2 },
    ])
    expect(errors.map(({ error }) => error.name())).toEqual(['CLUSTER_AUTHORIZATION_FAILED'])
  })

  it('keeps what came in time when a broker is silent', async () => {
    const world = await AdminWorld.make({}, [1, 2])
    world.answer = ({ api, nodeId }) => {
      if (api !== 'ListGroups') return undefined
      return nodeId === 1 ? { answer: { errorCode: 0, groups: [group] } } : 'silence'
    }
    const { valid, errors } = await world.settle(world.admin.listConsumerGroups({ requestTimeoutMs: 500 }))
    expect(valid.map(({ groupId }) => groupId)).toEqual(['g'])
    expect(errors.map(({ error }) => error.name())).toEqual(['_TIMED_OUT'])
    world.answer = ({ api }) => (api === 'ListGroups' ? 'silence' : undefined)
    const late = world.admin.listConsumerGroups({ requestTimeout: 0.5 })
    expect(await world.failure(late)).toBe('_TIMED_OUT')
  })

  it('waits for coordinators that are loading', async () => {
    const world = await AdminWorld.make()
    let isLoading = true
    world.answer = ({ api }) => {
      if (api !== 'ListGroups') return undefined
      const errorCode = isLoading ? ErrorCode.COORDINATOR_LOAD_IN_PROGRESS : 0
      isLoading = false
      return { answer: { errorCode, groups: isLoading ? [] : [group] } }
    }
    const { valid, errors } = await world.settle(world.admin.listConsumerGroups())
    expect([valid.length, errors.length]).toEqual([1, 0])
  })

  it('sends filters, which old brokers cannot follow', async () => {
    const world = await AdminWorld.make()
    world.answer = ({ api }) => (api === 'ListGroups' ? { answer: { errorCode: 0, groups: [] } } : undefined)
    const types = new Set([ConsumerGroupType.CONSUMER])
    const states = [ConsumerGroupState.EMPTY, ConsumerGroupState.PREPARING_REBALANCING]
    await world.settle(world.admin.listConsumerGroups({ types, states }))
    expect(world.cluster.seen('ListGroups')[0]?.body).toMatchObject({
      typesFilter: ['Consumer'],
      statesFilter: ['Empty', 'PreparingRebalance'],
    })
    const old = await AdminWorld.make()
    old.versions = { ListGroups: 4 }
    const { valid, errors } = await old.settle(old.admin.listConsumerGroups({ types }))
    expect([valid, errors.map(({ error }) => error.name())]).toEqual([[], ['_UNSUPPORTED_FEATURE']])
  })
})

describe('deleting a group', () => {
  it('is not tried twice when the answer is lost', async () => {
    const world = await AdminWorld.make()
    world.answer = (request) => {
      if (request.api === 'FindCoordinator') return coordinator(request, 1)
      if (request.api !== 'DeleteGroups') return undefined
      const { groupsNames } = request.body as DeleteGroupsRequest
      if (groupsNames[0] === 'lost') return 'disconnect'
      return { answer: { results: groupsNames.map((groupId) => ({ groupId, errorCode: 0 })) } }
    }
    const results = world.admin.deleteConsumerGroups(['lost', 'good'])
    expect(await world.failure(results.get('lost'))).toBe('_TRANSPORT')
    const asked = world.cluster
      .seen('DeleteGroups')
      .map(({ body }) => (body as DeleteGroupsRequest).groupsNames[0])
    expect(asked.filter((groupId) => groupId === 'lost')).toHaveLength(1)
  })
})

describe('offsets', () => {
  const partition = {
    partitionIndex: 0,
    committedOffset: 5,
    committedLeaderEpoch: -1,
    metadata: '',
    errorCode: 0,
  }

  it('of open transactions are waited for', async () => {
    const world = await AdminWorld.make()
    let attempts = 0
    world.answer = (request) => {
      if (request.api === 'FindCoordinator') return coordinator(request, 1)
      if (request.api !== 'OffsetFetch') return undefined
      const errorCode = ++attempts < 3 ? ErrorCode.UNSTABLE_OFFSET_COMMIT : 0
      const topics = [{ name: 't', partitions: [{ ...partition, errorCode }] }]
      return { answer: { groups: [{ groupId: 'g', topics, errorCode: 0 }] } }
    }
    const asked = [new ConsumerGroupTopicPartitions('g', [new TopicPartition('t', 0)])]
    const results = world.admin.listConsumerGroupOffsets(asked, { requireStable: true })
    const { topicPartitions } = (await world.settle(results.get('g'))) ?? {}
    expect(topicPartitions).toMatchObject([
      { topic: 't', partition: 0, offset: 5, metadata: null, error: null },
    ])
    expect(attempts).toBe(3)
    expect(world.cluster.seen('OffsetFetch')[0]?.body).toMatchObject({ requireStable: true })
  })

  it('are asked for in the words of old brokers', async () => {
    const world = await AdminWorld.make()
    world.versions = { OffsetFetch: 6 }
    world.answer = (request) => {
      if (request.api === 'FindCoordinator') return coordinator(request, 1)
      if (request.api !== 'OffsetFetch') return undefined
      const partitions = [{ ...partition, committedOffset: -1 }]
      return { answer: { topics: [{ name: 't', partitions }], errorCode: 0 } }
    }
    const request = [new ConsumerGroupTopicPartitions('g')]
    const found = await world.settle(world.admin.listConsumerGroupOffsets(request).get('g'))
    expect(found?.topicPartitions?.map(({ offset }) => offset)).toEqual([OFFSET_INVALID])
    expect(world.cluster.seen('OffsetFetch')[0]?.body).toMatchObject({ groupId: 'g', topics: null })
    const stable = world.admin.listConsumerGroupOffsets(request, { requireStable: true }).get('g')
    expect(await world.failure(stable)).toBe('_UNSUPPORTED_FEATURE')
  })

  it('are committed by nobody in particular, and refused by partition', async () => {
    const world = await AdminWorld.make()
    world.answer = (request) => {
      if (request.api === 'FindCoordinator') return coordinator(request, 1)
      if (request.api !== 'OffsetCommit') return undefined
      const partitions = [{ partitionIndex: 0, errorCode: ErrorCode.UNKNOWN_MEMBER_ID }]
      return { answer: { topics: [{ name: 't', partitions }] } }
    }
    const entry = new TopicPartition('t', 0, 7, { metadata: 'm', leaderEpoch: 3 })
    const results = world.admin.alterConsumerGroupOffsets([new ConsumerGroupTopicPartitions('g', [entry])])
    const [answer] = (await world.settle(results.get('g')))?.topicPartitions ?? []
    expect(answer?.error?.name()).toBe('UNKNOWN_MEMBER_ID')
    expect(world.cluster.seen('OffsetCommit')[0]?.body).toMatchObject({
      generationIdOrMemberEpoch: -1,
      memberId: '',
      groupInstanceId: null,
      topics: [
        { name: 't', partitions: [{ committedOffset: 7, committedLeaderEpoch: 3, committedMetadata: 'm' }] },
      ],
    })
  })

  it('of no group, of many, or of what is no partition are refused at once', async () => {
    const { admin } = await AdminWorld.make()
    const one = new ConsumerGroupTopicPartitions('g')
    const list = (...request: unknown[]) => admin.listConsumerGroupOffsets(request as (typeof one)[])
    const alter = (...request: unknown[]) => admin.alterConsumerGroupOffsets(request as (typeof one)[])
    const of = (...partitions: unknown[]) =>
      new ConsumerGroupTopicPartitions('g', partitions as TopicPartition[])
    for (const call of [list, alter]) {
      expect(() => call()).toThrow(ValueError)
      expect(() => call(one, one)).toThrow(ValueError)
      expect(() => call('g')).toThrow(TypeError)
      expect(() => call(new ConsumerGroupTopicPartitions(''))).toThrow(ValueError)
      expect(() => call(new ConsumerGroupTopicPartitions(7 as unknown as string))).toThrow(TypeError)
      expect(() => call(of())).toThrow(ValueError)
      expect(() => call(of('t'))).toThrow(TypeError)
      expect(() => call(of(new TopicPartition('t')))).toThrow(ValueError)
      expect(() => call(of(new TopicPartition('', 0)))).toThrow(ValueError)
    }
    expect(() => list(of(new TopicPartition('t', 0, 5)))).toThrow(ValueError)
    expect(() => alter(one)).toThrow(ValueError)
    expect(() => alter(of(new TopicPartition('t', 0)))).toThrow(ValueError)
    expect(() => admin.listConsumerGroupOffsets(null as unknown as [])).toThrow(TypeError)
    expect(() => admin.deleteConsumerGroups([])).toThrow(ValueError)
    expect(() => admin.deleteConsumerGroups([7 as unknown as string])).toThrow(TypeError)
  })
})
