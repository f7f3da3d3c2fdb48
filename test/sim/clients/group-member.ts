/**
 * A member of a consumer group, of the classic protocol or that of KIP-848: takes what it is given, reads on from what the group has committed,
 * and commits. Sometimes it dies without a word and a new member comes.
 */
import { OffsetCommit } from '../../../common/protocol/apis/08-offset-commit.ts'
import { OffsetFetch } from '../../../common/protocol/apis/09-offset-fetch.ts'
import { ErrorCode, errorName } from '../../../common/protocol/errors.ts'
import { committedOffsetsNeverGoBack, oneOwnerPerGeneration } from '../cluster/invariants.ts'
import { keyOf } from '../cluster/ledger.ts'
import { fetchOnce } from './reader.ts'
import { type KnownPartition, SimClient } from './sim-client.ts'

/** The last version that names topics. */
const COMMIT_VERSION = 9
const FETCH_VERSION = 9
const COMMIT_INTERVAL_MS = 150

interface Owned {
  readonly topicId: string
  readonly index: number
  /** undefined until the group's committed offset is known. */
  position: number | undefined
  committed: number
}

export interface GroupMemberOptions {
  readonly name: string
  readonly cluster: SimClient['cluster']
  readonly ledger: SimClient['ledger']
  readonly topics: readonly string[]
  readonly groupId: string
}

export abstract class GroupMember extends SimClient {
  readonly groupId: string
  memberId = ''
  /** Generation, or member epoch. */
  generation = -1
  coordinator = -1
  readonly #owned = new Map<string, Owned>()
  #isCommitting = false
  #whenCommitted: (() => void)[] = []
  #isReading = false

  constructor(options: GroupMemberOptions) {
    super(options)
    this.groupId = options.groupId
  }

  /** To be called when the coordinator says that the member is none of the group, or not in this generation. */
  abstract onExpelled(error: ErrorCode): void

  get owned(): readonly { readonly topicId: string; readonly index: number }[] {
    return [...this.#owned.values()]
  }

  override start(): void {
    this.withMetadata(() => this.join())
    this.#commitLater()
  }

  abstract join(): void

  withCoordinator(done: () => void): void {
    if (this.coordinator >= 0) {
      done()
      return
    }
    this.findCoordinator(0, this.groupId, (nodeId) => {
      this.coordinator = nodeId
      done()
    })
  }

  /** Takes over partitions, in the present generation. */
  own(partitions: readonly KnownPartition[]): void {
    for (const known of partitions) {
      const partition = `${known.topic}-${known.index}`
      const { groupId, generation } = this
      oneOwnerPerGeneration(this.ledger, { groupId, generation, memberId: this.memberId, partition })
      const key = keyOf(known)
      if (this.#owned.has(key)) continue
      this.#owned.set(key, { topicId: known.topicId, index: known.index, position: undefined, committed: -1 })
    }
    this.event(`owns ${[...this.#owned.values()].length} in generation ${this.generation}`)
    this.#fetchOffsets()
    this.#read()
  }

  /** Gives up what is not kept, after a last commit of what it has read. */
  revoke(keep: ReadonlySet<string>, done: () => void): void {
    const lost = [...this.#owned.keys()].filter((key) => !keep.has(key))
    if (lost.length === 0) {
      done()
      return
    }
    this.#commit(() => {
      for (const key of lost) this.#owned.delete(key)
      done()
    })
  }

  /** Everything belongs to others now. */
  lose(): void {
    this.#owned.clear()
  }

  #fetchOffsets(): void {
    const unknown = [...this.#owned].filter(([, { position }]) => position === undefined)
    if (unknown.length === 0) return
    const { generation } = this
    const again = (): void =>
      this.later(50 + this.random.int(100), 'offsets again', () => this.#fetchOffsets())
    this.withCoordinator(() => {
      const topics = new Map<string, number[]>()
      for (const [, { topicId, index }] of unknown) {
        const name = this.partition(topicId, index)?.topic ?? ''
        topics.set(name, [...(topics.get(name) ?? []), index])
      }
      const request = {
        groups: [
          {
            groupId: this.groupId,
            memberId: this.memberId,
            memberEpoch: this.offsetFetchEpoch,
            topics: [...topics].map(([name, partitionIndexes]) => ({ name, partitionIndexes })),
          },
        ],
        requireStable: true,
      }
      this.call(this.coordinator, OffsetFetch, request, { version: FETCH_VERSION }).whenDone((answer) => {
        if (this.isClosed || generation !== this.generation) return
        const group = answer.ok ? answer.response.groups[0] : undefined
        if (group === undefined || group.errorCode !== ErrorCode.NONE) {
          this.coordinator = -1
          again()
          return
        }
        for (const { name, partitions } of group.topics) {
          for (const { partitionIndex, committedOffset, errorCode } of partitions) {
            const owned = [...this.#owned.values()].find(
              ({ topicId, index }) =>
                index === partitionIndex && this.partition(topicId, index)?.topic === name,
            )
            if (owned === undefined || owned.position !== undefined || errorCode !== ErrorCode.NONE) continue
            const partition = `${name}-${partitionIndex}`
            committedOffsetsNeverGoBack(this.ledger, this.groupId, partition, committedOffset)
            owned.committed = committedOffset
            owned.position = Math.max(0, committedOffset)
          }
        }
        this.#fetchOffsets()
      })
    })
  }

  /** Of the classic protocol: none. */
  abstract get offsetFetchEpoch(): number

  #read(): void {
    if (this.#isReading || this.isClosed) return
    const owned = this.pick([...this.#owned.values()].filter(({ position }) => position !== undefined))
    const known = owned === undefined ? undefined : this.partition(owned.topicId, owned.index)
    const again = (ms: number): void => this.later(ms, 'read', () => this.#read())
    if (owned === undefined) {
      again(50)
      return
    }
    if (known === undefined || known.leaderId < 0) {
      this.refresh(() => again(20))
      return
    }
    this.#isReading = true
    const offset = owned.position as number
    fetchOnce(this, known, { offset, isolation: 'read_committed', maxWaitMs: 30 }, (fetched) => {
      this.#isReading = false
      if (fetched.error !== undefined) this.refresh(() => again(20 + this.random.int(80)))
      else {
        if (owned.position === offset) owned.position = fetched.nextOffset
        again(this.random.int(20))
      }
    })
  }

  #commitLater(): void {
    this.later(COMMIT_INTERVAL_MS + this.random.int(COMMIT_INTERVAL_MS), 'commit', () => {
      this.#commit(() => {})
      this.#commitLater()
    })
  }

  /** One commit at a time; it is not repeated. */
  #commit(done: () => void): void {
    if (this.#isCommitting) {
      this.#whenCommitted.push(() => this.#commit(done))
      return
    }
    const moved = [...this.#owned.values()].flatMap((owned) => {
      const known = this.partition(owned.topicId, owned.index)
      return owned.position === undefined || owned.position <= owned.committed || known === undefined
        ? []
        : [{ owned, offset: owned.position, topic: known.topic }]
    })
    if (moved.length === 0 || this.coordinator < 0) {
      done()
      return
    }
    this.#isCommitting = true
    const request = {
      groupId: this.groupId,
      memberId: this.memberId,
      generationIdOrMemberEpoch: this.generation,
      topics: moved.map(({ owned, offset, topic }) => ({
        name: topic,
        partitions: [{ partitionIndex: owned.index, committedOffset: offset, committedMetadata: '' }],
      })),
    }
    this.call(this.coordinator, OffsetCommit, request, { version: COMMIT_VERSION }).whenDone((answer) => {
      if (this.isClosed) return
      this.#isCommitting = false
      if (!answer.ok) this.coordinator = -1
      else {
        answer.response.topics.forEach(({ partitions }, index) => {
          const { owned, offset, topic } = moved[index] as (typeof moved)[number]
          const error = partitions[0]?.errorCode
          if (error === ErrorCode.NONE) this.#onCommitted(owned, offset, `${topic}-${owned.index}`)
          else if (error !== undefined) this.#onRefused(error)
        })
      }
      const waiting = this.#whenCommitted
      this.#whenCommitted = []
      done()
      for (const next of waiting) next()
    })
  }

  #onCommitted(owned: Owned, offset: number, partition: string): void {
    owned.committed = Math.max(owned.committed, offset)
    const { groupId } = this
    committedOffsetsNeverGoBack(this.ledger, groupId, partition, offset)
    this.ledger.committedOffsets.set(`${groupId}/${partition}`, { groupId, partition, offset })
    this.event(`committed ${offset} of ${partition}`)
  }

  #onRefused(error: ErrorCode): void {
    this.event(`commit refused: ${errorName(error)}`)
    switch (error) {
      case ErrorCode.NOT_COORDINATOR:
      case ErrorCode.COORDINATOR_NOT_AVAILABLE:
        this.coordinator = -1
        return
      case ErrorCode.UNKNOWN_MEMBER_ID:
      case ErrorCode.ILLEGAL_GENERATION:
      case ErrorCode.FENCED_MEMBER_EPOCH:
        this.onExpelled(error)
    }
  }
}
