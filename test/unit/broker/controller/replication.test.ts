import { describe, expect, it } from 'vitest'
import { electLeaders } from '../../../../broker/controller/elections.ts'
import { alterPartition } from '../../../../broker/controller/isr.ts'
import {
  alterPartitionReassignments,
  listPartitionReassignments,
} from '../../../../broker/controller/reassignment.ts'
import { ElectLeaders } from '../../../../common/protocol/apis/43-elect-leaders.ts'
import { AlterPartitionReassignments } from '../../../../common/protocol/apis/45-alter-partition-reassignments.ts'
import { ListPartitionReassignments } from '../../../../common/protocol/apis/46-list-partition-reassignments.ts'
import { AlterPartition } from '../../../../common/protocol/apis/56-alter-partition.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import { Harness, requestOf } from './harness.ts'

const MIN_TWO = { 'min.insync.replicas': '2' }

interface Proposal {
  readonly isr: readonly number[]
  readonly from?: number
  readonly leaderEpoch?: number
  readonly partitionEpoch?: number
  readonly brokerEpochs?: Readonly<Record<number, number>>
  readonly leaderRecoveryState?: number
}

function propose(harness: Harness, topic: string, proposal: Proposal) {
  const partition = harness.partition(topic)
  const from = proposal.from ?? partition.leaderId
  const request = requestOf(AlterPartition, {
    brokerId: from,
    brokerEpoch: harness.brokers.get(from)?.epoch ?? -1,
    topics: [
      {
        topicId: harness.image.topicsByName.get(topic)?.id ?? '',
        partitions: [
          {
            partitionIndex: 0,
            leaderEpoch: proposal.leaderEpoch ?? partition.leaderEpoch,
            partitionEpoch: proposal.partitionEpoch ?? partition.partitionEpoch,
            newIsrWithEpochs: proposal.isr.map((brokerId) => ({
              brokerId,
              brokerEpoch: proposal.brokerEpochs?.[brokerId] ?? harness.brokers.get(brokerId)?.epoch ?? -1,
            })),
            leaderRecoveryState: proposal.leaderRecoveryState ?? 0,
          },
        ],
      },
    ],
  })
  const response = harness.write((machine) => alterPartition(machine, request))
  return response.topics[0]?.partitions[0] ?? { errorCode: response.errorCode }
}

describe('the in-sync replicas', () => {
  it('change when the leader proposes it, with the partition epoch only', () => {
    const harness = new Harness().addBrokers(1, 2, 3)
    harness.createTopic('orders', [[1, 2, 3]])
    expect(propose(harness, 'orders', { isr: [1, 2] })).toMatchObject({
      errorCode: ErrorCode.NONE,
      isr: [1, 2],
      leaderId: 1,
      leaderEpoch: 0,
      partitionEpoch: 1,
    })
    expect(harness.partition('orders').isr).toEqual([1, 2])
  })

  it('are refused in every way that a proposal can be wrong', () => {
    const harness = new Harness().addBrokers(1, 2, 3, 4)
    harness.createTopic('orders', [[1, 2, 3]])
    const errorOf = (proposal: Proposal) => propose(harness, 'orders', proposal).errorCode
    expect(errorOf({ isr: [1, 2], leaderEpoch: 1 })).toBe(ErrorCode.NOT_CONTROLLER)
    expect(errorOf({ isr: [1, 2], partitionEpoch: 1 })).toBe(ErrorCode.NOT_CONTROLLER)
    expect(errorOf({ isr: [1, 2], leaderEpoch: -1 })).toBe(ErrorCode.FENCED_LEADER_EPOCH)
    expect(errorOf({ isr: [1, 2], from: 2 })).toBe(ErrorCode.INVALID_REQUEST)
    expect(errorOf({ isr: [1, 2], partitionEpoch: -1 })).toBe(ErrorCode.INVALID_UPDATE_VERSION)
    expect(errorOf({ isr: [1, 4] })).toBe(ErrorCode.INVALID_REQUEST)
    expect(errorOf({ isr: [2, 3] })).toBe(ErrorCode.INVALID_REQUEST)
    expect(errorOf({ isr: [1, 1] })).toBe(ErrorCode.INVALID_REQUEST)
    expect(errorOf({ isr: [1], leaderRecoveryState: 1 })).toBe(ErrorCode.INVALID_REQUEST)
    expect(errorOf({ isr: [1, 2], brokerEpochs: { 2: 0 } })).toBe(ErrorCode.INELIGIBLE_REPLICA)
    expect(harness.partition('orders').isr).toEqual([1, 2, 3])
  })

  it('take no fenced broker in', () => {
    const harness = new Harness().addBrokers(1, 2)
    harness.createTopic('orders', [[1, 2]])
    harness.silence(2)
    expect(harness.partition('orders').isr).toEqual([1])
    expect(propose(harness, 'orders', { isr: [1, 2] }).errorCode).toBe(ErrorCode.INELIGIBLE_REPLICA)
    harness.heartbeat(2)
    expect(propose(harness, 'orders', { isr: [1, 2] }).errorCode).toBe(ErrorCode.NONE)
  })
})

describe('a partition whose brokers go', () => {
  it('keeps those that fell below min ISR eligible, and elects the one that comes back first', () => {
    const harness = new Harness().addBrokers(1, 2, 3)
    harness.createTopic('orders', [[2, 3]], MIN_TWO)
    harness.silence(2)
    expect(harness.partition('orders')).toMatchObject({ leaderId: 3, isr: [3], elr: [2] })
    harness.silence(3)
    expect(harness.partition('orders')).toMatchObject({
      leaderId: -1,
      isr: [],
      elr: [2, 3],
      lastKnownElr: [3],
    })
    harness.heartbeat(2)
    expect(harness.partition('orders')).toMatchObject({ leaderId: 2, isr: [2], elr: [3], lastKnownElr: [] })
  })

  it('drops a broker that restarts without proof of a clean shutdown, and keeps one that has it', () => {
    for (const isClean of [true, false]) {
      const harness = new Harness().addBrokers(1, 2, 3)
      harness.createTopic('orders', [[2, 3]], MIN_TWO)
      const previousEpoch = harness.brokers.get(2)?.epoch ?? -1
      harness.silence(2)
      harness.silence(3)
      harness.register(2, isClean ? { previousEpoch } : {})
      harness.heartbeat(2)
      expect(harness.partition('orders')).toMatchObject(
        isClean ? { leaderId: 2, isr: [2], elr: [3] } : { leaderId: -1, isr: [], elr: [3] },
      )
    }
  })

  it('is led by anybody when its topic allows unclean election, at the next sweep', () => {
    const harness = new Harness().addBrokers(1, 2, 3)
    harness.createTopic('orders', [[2, 3]], { 'unclean.leader.election.enable': 'true' })
    propose(harness, 'orders', { isr: [2] })
    harness.silence(2)
    expect(harness.partition('orders')).toMatchObject({ leaderId: 3, isr: [3], leaderRecoveryState: 1 })
    expect(propose(harness, 'orders', { isr: [3], leaderRecoveryState: 0 })).toMatchObject({
      errorCode: ErrorCode.NONE,
      leaderRecoveryState: 0,
    })
  })

  it('goes back to its preferred leader at the next balance', () => {
    const harness = new Harness({ settings: { 'leader.imbalance.check.interval.seconds': '20' } })
    harness.addBrokers(1, 2)
    harness.createTopic('orders', [[2, 1]])
    harness.silence(2)
    harness.heartbeat(2)
    propose(harness, 'orders', { isr: [1, 2] })
    expect(harness.partition('orders').leaderId).toBe(1)
    for (let second = 0; second < 20; second++) {
      harness.sim.advance(1000)
      for (const id of [1, 2]) harness.heartbeat(id)
    }
    expect(harness.partition('orders').leaderId).toBe(2)
  })
})

describe('ElectLeaders', () => {
  const elect = (harness: Harness, electionType: number, partitions: readonly number[] | null) => {
    const topicPartitions = partitions === null ? null : [{ topic: 'orders', partitions }]
    const request = requestOf(ElectLeaders, { electionType, topicPartitions })
    return harness.write((machine) => electLeaders(machine, request)).replicaElectionResults[0]
      ?.partitionResult
  }

  it('gives the lead to the preferred replica, or says why not', () => {
    const harness = new Harness().addBrokers(1, 2)
    harness.createTopic('orders', [
      [2, 1],
      [1, 2],
    ])
    harness.silence(2)
    expect(elect(harness, 0, [0, 1, 7])).toMatchObject([
      { errorCode: ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE },
      { errorCode: ErrorCode.ELECTION_NOT_NEEDED },
      { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: 'No such partition as orders-7' },
    ])
    harness.heartbeat(2)
    propose(harness, 'orders', { isr: [1, 2] })
    expect(elect(harness, 0, null)).toEqual([
      { partitionId: 0, errorCode: ErrorCode.NONE, errorMessage: null },
    ])
    expect(harness.partition('orders').leaderId).toBe(2)
  })

  it('elects uncleanly only where there is no leader', () => {
    const harness = new Harness().addBrokers(1, 2)
    harness.createTopic('orders', [[2, 1]])
    expect(elect(harness, 1, [0])).toMatchObject([{ errorCode: ErrorCode.ELECTION_NOT_NEEDED }])
    propose(harness, 'orders', { isr: [2] })
    harness.silence(2)
    expect(harness.partition('orders').leaderId).toBe(-1)
    expect(elect(harness, 1, [0])).toMatchObject([{ errorCode: ErrorCode.NONE }])
    expect(harness.partition('orders')).toMatchObject({ leaderId: 1, isr: [1], leaderRecoveryState: 1 })
  })
})

describe('reassignment', () => {
  const reassign = (
    harness: Harness,
    replicas: readonly number[] | null,
    allowReplicationFactorChange = true,
  ) => {
    const topics = [{ name: 'orders', partitions: [{ partitionIndex: 0, replicas }] }]
    const request = requestOf(AlterPartitionReassignments, { allowReplicationFactorChange, topics })
    const response = harness.write((machine) => alterPartitionReassignments(machine, request))
    return response.responses[0]?.partitions[0]
  }
  const inProgress = (harness: Harness) => {
    const request = requestOf(ListPartitionReassignments, { topics: null })
    return harness.write((machine) => listPartitionReassignments(machine, request)).topics
  }

  it('adds the new replicas, is listed meanwhile, and ends with the ISR', () => {
    const harness = new Harness().addBrokers(1, 2, 3, 4)
    harness.createTopic('orders', [[1, 2]])
    expect(reassign(harness, [3, 4])?.errorCode).toBe(ErrorCode.NONE)
    expect(harness.partition('orders')).toMatchObject({ replicas: [3, 4, 1, 2], isr: [1, 2], leaderId: 1 })
    expect(inProgress(harness)).toEqual([
      {
        name: 'orders',
        partitions: [
          { partitionIndex: 0, replicas: [3, 4, 1, 2], addingReplicas: [3, 4], removingReplicas: [1, 2] },
        ],
      },
    ])
    propose(harness, 'orders', { isr: [1, 2, 3] })
    expect(propose(harness, 'orders', { isr: [1, 2, 3, 4] }).errorCode).toBe(ErrorCode.NEW_LEADER_ELECTED)
    expect(harness.partition('orders')).toMatchObject({
      replicas: [3, 4],
      isr: [3, 4],
      leaderId: 3,
      leaderEpoch: 1,
    })
    expect(inProgress(harness)).toEqual([])
  })

  it('is taken back with null', () => {
    const harness = new Harness().addBrokers(1, 2, 3)
    harness.createTopic('orders', [[1, 2]])
    expect(reassign(harness, null)?.errorCode).toBe(ErrorCode.NO_REASSIGNMENT_IN_PROGRESS)
    reassign(harness, [2, 3])
    expect(reassign(harness, null)?.errorCode).toBe(ErrorCode.NONE)
    expect([...harness.partition('orders').replicas].sort()).toEqual([1, 2])
    expect(harness.partition('orders')).toMatchObject({ addingReplicas: [], removingReplicas: [] })
  })

  it('may be kept from changing the replication factor', () => {
    const harness = new Harness().addBrokers(1, 2, 3)
    harness.createTopic('orders', [[1, 2]])
    expect(reassign(harness, [1, 2, 3], false)).toMatchObject({
      errorCode: ErrorCode.INVALID_REPLICATION_FACTOR,
      errorMessage: 'The replication factor is changed from 2 to 3',
    })
    expect(reassign(harness, [1, 9])?.errorCode).toBe(ErrorCode.INVALID_REPLICA_ASSIGNMENT)
  })
})
