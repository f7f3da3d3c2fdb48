import { describe, expect, it } from 'vitest'
import { type PartitionChange, partitionChange } from '../../../../broker/controller/partitions.ts'
import type { PartitionImage } from '../../../../broker/metadata/image.ts'
import { changedPartition } from '../../../../broker/metadata/image-builder.ts'

const at = (replicas: readonly number[]): string[] => replicas.map((id) => `directory-${id}`)

function partition(state: Partial<PartitionImage> = {}): PartitionImage {
  const replicas = state.replicas ?? [1, 2, 3]
  return {
    replicas,
    directories: at(replicas),
    isr: replicas,
    removingReplicas: [],
    addingReplicas: [],
    elr: [],
    lastKnownElr: [],
    leaderId: replicas[0] ?? -1,
    leaderRecoveryState: 0,
    leaderEpoch: 5,
    partitionEpoch: 9,
    ...state,
  }
}

type Options = Omit<Partial<PartitionChange>, 'partition'> & { readonly live?: readonly number[] }

/** The partition after the change, or undefined when nothing changes. */
function outcome(state: PartitionImage, { live = [1, 2, 3, 4, 5, 6], ...options }: Options) {
  const record = partitionChange({
    topicId: 'AAAAAAAAAAAAAAAAAAAAZA',
    partitionId: 0,
    partition: state,
    minIsr: 2,
    isElrEnabled: true,
    election: 'online',
    isAcceptableLeader: (replica) => live.includes(replica),
    defaultDirectoryOf: (replica) => `directory-${replica}`,
    ...options,
  })
  return record === undefined ? undefined : changedPartition(state, record)
}

describe('leader election', () => {
  const cases: [string, Partial<PartitionImage>, Options, Partial<PartitionImage> | undefined][] = [
    ['keeps a leader that is alive and in sync', {}, {}, undefined],
    [
      'takes the first live replica of the ISR in assignment order',
      {},
      { live: [2, 3], isr: [3, 2] },
      { leaderId: 2, isr: [3, 2] },
    ],
    [
      'takes nobody from outside the ISR',
      { isr: [1] },
      { live: [2, 3] },
      { leaderId: -1, isr: [1], lastKnownElr: [1] },
    ],
    [
      'takes an eligible replica when the ISR is empty',
      { isr: [], elr: [3], leaderId: -1 },
      {},
      { leaderId: 3, isr: [3], elr: [], leaderRecoveryState: 0 },
    ],
    [
      'takes nobody from the ELR while there is an ISR',
      { isr: [1], elr: [2] },
      { live: [2] },
      { leaderId: -1, isr: [1], elr: [2], lastKnownElr: [1] },
    ],
    [
      'takes the last known leader when nobody else is left, and that one recovers',
      { isr: [], lastKnownElr: [2], leaderId: -1 },
      {},
      { leaderId: 2, isr: [2], lastKnownElr: [], leaderRecoveryState: 1 },
    ],
    [
      'waits for the last known leader rather than take another',
      { isr: [], lastKnownElr: [2], leaderId: -1 },
      { live: [1, 3] },
      undefined,
    ],
    [
      'takes any live replica when unclean election is allowed',
      { isr: [], lastKnownElr: [2], leaderId: -1 },
      { live: [3], election: 'unclean' },
      { leaderId: 3, isr: [3], lastKnownElr: [], leaderRecoveryState: 1 },
    ],
    [
      'prefers a clean leader even when unclean election is allowed',
      { isr: [1, 3] },
      { live: [2, 3], election: 'unclean' },
      { leaderId: 3, leaderRecoveryState: 0 },
    ],
    [
      'clears the ELR after an unclean election',
      { isr: [1], elr: [2] },
      { live: [3], election: 'unclean' },
      { leaderId: 3, isr: [3], elr: [] },
    ],
    ['leaves a leader in place when no election is asked for', { leaderId: 2 }, {}, undefined],
    [
      'gives the lead back to the preferred replica when asked',
      { leaderId: 2 },
      { election: 'preferred' },
      { leaderId: 1 },
    ],
    [
      'keeps the leader when the preferred replica is not in sync',
      { leaderId: 2, isr: [2, 3] },
      { election: 'preferred' },
      undefined,
    ],
  ]
  it.each(cases)('%s', (_, state, options, expected) => {
    const result = outcome(partition(state), options)
    if (expected === undefined) expect(result).toBeUndefined()
    else expect(result).toMatchObject(expected)
  })

  it('raises both epochs when the leader changes, also to none', () => {
    expect(outcome(partition(), { live: [2] })).toMatchObject({
      leaderId: 2,
      leaderEpoch: 6,
      partitionEpoch: 10,
    })
    expect(outcome(partition(), { live: [] })).toMatchObject({
      leaderId: -1,
      leaderEpoch: 6,
      partitionEpoch: 10,
    })
  })

  it('raises only the partition epoch when the ISR changes', () => {
    expect(outcome(partition(), { isr: [1, 2] })).toMatchObject({ leaderEpoch: 5, partitionEpoch: 10 })
  })
})

describe('eligible leader replicas (KIP-966)', () => {
  it('are those that leave the ISR while it is below min ISR', () => {
    expect(outcome(partition({ isr: [1, 2] }), { isr: [1] })).toMatchObject({ isr: [1], elr: [2] })
  })

  it('do not grow while the ISR is large enough', () => {
    expect(outcome(partition(), { isr: [1, 2] })).toMatchObject({ isr: [1, 2], elr: [] })
  })

  it('are all forgotten when the ISR is large enough again', () => {
    expect(outcome(partition({ isr: [1], elr: [2] }), { isr: [1, 3] })).toMatchObject({
      isr: [1, 3],
      elr: [],
    })
  })

  it('lose whoever comes back without proof of a clean shutdown', () => {
    const state = partition({ isr: [1], elr: [2], leaderId: 1 })
    expect(outcome(state, { isr: [1], uncleanShutdownReplicas: [2] })).toMatchObject({ isr: [1], elr: [] })
  })

  it('let the ISR become empty; without them the last member stays', () => {
    expect(outcome(partition({ isr: [1] }), { isr: [], live: [] })).toMatchObject({
      isr: [],
      elr: [1],
      lastKnownElr: [1],
    })
    const without = outcome(partition({ isr: [1] }), { isr: [], live: [], isElrEnabled: false })
    expect(without).toMatchObject({ isr: [1], elr: [], leaderId: -1, lastKnownElr: [] })
  })

  it('are forgotten by the next change once the feature is switched off; the last known leader stays', () => {
    const leaderless = partition({ isr: [], elr: [1], lastKnownElr: [1], leaderId: -1 })
    expect(outcome(leaderless, { isElrEnabled: false, live: [] })).toMatchObject({
      elr: [],
      lastKnownElr: [1],
      leaderId: -1,
    })
  })
})

describe('a reassignment (KIP-455)', () => {
  const moving = partition({
    replicas: [4, 5, 1, 2],
    isr: [1, 2],
    leaderId: 1,
    addingReplicas: [4, 5],
    removingReplicas: [1, 2],
  })

  it('ends when all added replicas are in sync, and then the lead moves with both epochs', () => {
    expect(outcome(moving, { isr: [1, 2, 4] })).toMatchObject({
      replicas: [4, 5, 1, 2],
      leaderId: 1,
      leaderEpoch: 5,
    })
    expect(outcome(moving, { isr: [1, 2, 4, 5] })).toMatchObject({
      replicas: [4, 5],
      isr: [4, 5],
      directories: at([4, 5]),
      addingReplicas: [],
      removingReplicas: [],
      leaderId: 4,
      leaderEpoch: 6,
      partitionEpoch: 10,
    })
  })

  it('that only removes replicas raises the leader epoch though the leader stays', () => {
    const result = outcome(partition(), { replicas: [1, 2, 3], removingReplicas: [3] })
    expect(result).toMatchObject({ replicas: [1, 2], isr: [1, 2], leaderId: 1, leaderEpoch: 6 })
  })

  it('leaves no replica that it took away among the eligible ones, so that the last known leader may be elected', () => {
    const failing = partition({
      replicas: [3, 2, 1],
      isr: [1],
      elr: [3],
      leaderId: 1,
      addingReplicas: [2],
      removingReplicas: [1],
    })
    const moved = outcome(failing, { isr: [1, 2] })
    expect(moved).toMatchObject({ replicas: [3, 2], isr: [2], elr: [3], leaderId: 2 })
    const without = outcome(moved as PartitionImage, { isr: [2], uncleanShutdownReplicas: [3] })
    const fenced = outcome(without as PartitionImage, { isr: [], live: [3] })
    const unclean = { isr: [], uncleanShutdownReplicas: [2], live: [3] }
    const alone = outcome(fenced as PartitionImage, unclean)
    expect(alone).toMatchObject({ isr: [], elr: [], leaderId: -1, lastKnownElr: [2] })
    expect(outcome(alone as PartitionImage, {})).toMatchObject({
      isr: [2],
      leaderId: 2,
      leaderRecoveryState: 1,
    })
  })

  it('waits for all that stay when replicas become fewer', () => {
    const shrinking = partition({ isr: [1, 3], removingReplicas: [3] })
    expect(outcome(shrinking, { isr: [1, 3] })).toBeUndefined()
    expect(outcome(shrinking, { isr: [1, 2, 3] })).toMatchObject({ replicas: [1, 2], isr: [1, 2] })
  })
})
