import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { initializeShareGroupState } from '../../../../../broker/api/83-initialize-share-group-state.ts'
import { readShareGroupState } from '../../../../../broker/api/84-read-share-group-state.ts'
import { writeShareGroupState } from '../../../../../broker/api/85-write-share-group-state.ts'
import { deleteShareGroupState } from '../../../../../broker/api/86-delete-share-group-state.ts'
import { readShareGroupStateSummary } from '../../../../../broker/api/87-read-share-group-state-summary.ts'
import { combineBatches, type StateBatch } from '../../../../../broker/coordinator/share/state-batches.ts'
import { ErrorCode } from '../../../../../common/protocol/errors.ts'
import { GROUP, ShareBroker } from '../../share/share-broker.ts'

const UNKNOWN_TOPIC = 'AAAAAAAAAAAAAAAAAAAAAg'

class StateClient {
  readonly broker: ShareBroker
  topicId: string

  constructor(properties?: Record<string, string>) {
    this.broker = new ShareBroker(properties)
    this.topicId = this.broker.topicId
  }

  initialize(stateEpoch: number, startOffset = -1, groupId = GROUP) {
    const topics = this.#topics({ partition: 0, stateEpoch, startOffset })
    return this.broker.call(initializeShareGroupState, { groupId, topics }).results[0]?.partitions[0]
  }
  read(leaderEpoch: number) {
    const topics = this.#topics({ partition: 0, leaderEpoch })
    return this.broker.call(readShareGroupState, { groupId: GROUP, topics }).results[0]?.partitions[0]
  }
  summary() {
    const topics = this.#topics({ partition: 0, leaderEpoch: 0 })
    return this.broker.call(readShareGroupStateSummary, { groupId: GROUP, topics }).results[0]?.partitions[0]
  }
  delete() {
    const topics = this.#topics({ partition: 0 })
    return this.broker.call(deleteShareGroupState, { groupId: GROUP, topics }).results[0]?.partitions[0]
  }
  write(options: {
    stateEpoch?: number
    leaderEpoch?: number
    startOffset?: number
    stateBatches?: StateBatch[]
  }) {
    const topics = this.#topics({
      partition: 0,
      stateEpoch: 1,
      leaderEpoch: 0,
      startOffset: 0,
      deliveryCompleteCount: 0,
      stateBatches: [],
      ...options,
    })
    return this.broker.call(writeShareGroupState, { groupId: GROUP, topics }).results[0]?.partitions[0]
  }

  #topics<Partition>(partition: Partition) {
    return [{ topicId: this.topicId, partitions: [partition] }]
  }
}

const batch = (firstOffset: number, lastOffset: number, deliveryState: number, deliveryCount: number) => ({
  firstOffset,
  lastOffset,
  deliveryState,
  deliveryCount,
})

describe('the state of a share partition', () => {
  it('must be initialized before it is read or written', () => {
    const client = new StateClient()
    expect(client.read(0)).toMatchObject({
      errorCode: ErrorCode.INVALID_REQUEST,
      errorMessage: 'Read operation on uninitialized share partition not allowed.',
    })
    expect(client.write({})).toMatchObject({
      errorCode: ErrorCode.INVALID_REQUEST,
      errorMessage: 'Write operation on uninitialized share partition not allowed.',
    })
    expect(client.summary()).toMatchObject({ errorCode: ErrorCode.NONE, startOffset: -1 })
    expect(client.delete()?.errorCode).toBe(ErrorCode.NONE)
    expect(client.broker.records('__share_group_state')).toEqual([])
  })

  it('is of a partition that exists', () => {
    const client = new StateClient()
    client.topicId = UNKNOWN_TOPIC
    expect(client.initialize(1)?.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    expect(client.summary()?.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    expect(client.delete()?.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  })

  it('is begun anew by a later state epoch only', () => {
    const client = new StateClient()
    client.initialize(3)
    expect(client.initialize(2)?.errorCode).toBe(ErrorCode.FENCED_STATE_EPOCH)
    expect(client.initialize(3, 5)?.errorCode).toBe(ErrorCode.NONE)
    expect(client.write({ stateEpoch: 2 })?.errorCode).toBe(ErrorCode.FENCED_STATE_EPOCH)
    expect(client.read(0)).toMatchObject({ stateEpoch: 3, startOffset: 5, stateBatches: [] })
  })

  it('is fenced by the leader epoch of whoever reads it', () => {
    const client = new StateClient()
    client.initialize(1, 0)
    client.read(2)
    expect(client.read(1)?.errorCode).toBe(ErrorCode.FENCED_LEADER_EPOCH)
    expect(client.write({ leaderEpoch: 1 })?.errorCode).toBe(ErrorCode.FENCED_LEADER_EPOCH)
    expect(client.write({ leaderEpoch: 2 })?.errorCode).toBe(ErrorCode.NONE)
    expect(client.summary()).toMatchObject({ leaderEpoch: 2 })
  })

  it('never begins earlier than it did', () => {
    const client = new StateClient()
    client.initialize(1, 6)
    client.write({ startOffset: 2, stateBatches: [batch(2, 8, 4, 1)] })
    expect(client.read(0)).toMatchObject({ startOffset: 6, stateBatches: [batch(6, 8, 4, 1)] })
  })

  it('is written whole after so many updates, and both forms load alike', () => {
    const client = new StateClient({ 'share.coordinator.snapshot.update.records.per.snapshot': '3' })
    client.initialize(1, 0)
    for (let offset = 0; offset < 6; offset += 1)
      client.write({ stateBatches: [batch(offset, offset, 2, 1)] })
    expect(client.broker.records('__share_group_state').map(({ name }) => name)).toEqual([
      'ShareSnapshotValue',
      'ShareUpdateValue',
      'ShareUpdateValue',
      'ShareUpdateValue',
      'ShareSnapshotValue',
      'ShareUpdateValue',
      'ShareUpdateValue',
    ])
    const before = client.read(0)
    expect(before).toMatchObject({ stateBatches: [batch(0, 5, 2, 1)] })
    client.broker.changeLeader(client.broker.broker.metadata.topicsByName.get('__share_group_state')?.id)
    expect(client.read(0)).toEqual(before)
  })

  it('is written anew when it has been cold for long, while others are not', () => {
    const client = new StateClient()
    client.initialize(1, 0)
    client.broker.harness.advance(200_000)
    client.initialize(1, 0, 'other')
    client.broker.harness.advance(200_000)
    const [cold] = client.broker.records('__share_group_state').slice(2)
    expect(cold?.value).toMatchObject({ snapshotEpoch: 1, stateEpoch: 1, startOffset: 0 })
  })
})

describe('combining batches of state', () => {
  const arbitraryBatch = fc
    .tuple(fc.nat(30), fc.nat(6), fc.constantFrom(0, 2, 4), fc.integer({ min: 1, max: 4 }))
    .map(([first, length, state, count]) => batch(first, first + length, state, count))

  it('gives for each offset the strongest that is said of it, sorted and without neighbours that are alike', () => {
    fc.assert(
      fc.property(
        fc.array(arbitraryBatch),
        fc.array(arbitraryBatch),
        fc.nat(40),
        (older, newer, startOffset) => {
          const combined = combineBatches(older, newer, startOffset)
          for (let offset = 0; offset < 40; offset += 1) {
            const isIn = ({ firstOffset, lastOffset }: StateBatch) =>
              firstOffset <= offset && offset <= lastOffset
            const strength = ({ deliveryCount, deliveryState }: StateBatch) =>
              deliveryCount * 10 + deliveryState
            const said = offset < startOffset ? [] : [...older, ...newer].filter(isIn).map(strength)
            expect(combined.filter(isIn).map(strength)).toEqual(said.length === 0 ? [] : [Math.max(...said)])
          }
          combined.slice(1).forEach((next, index) => {
            const previous = combined[index] as StateBatch
            expect(previous.lastOffset).toBeLessThan(next.firstOffset)
            const isTouching = previous.lastOffset + 1 === next.firstOffset
            const isAlike =
              previous.deliveryCount === next.deliveryCount && previous.deliveryState === next.deliveryState
            expect(isTouching && isAlike).toBe(false)
          })
        },
      ),
    )
  })
})
