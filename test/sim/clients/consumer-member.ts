/**
 * A member by the protocol of KIP-848: heartbeats bring the assignment, and tell what is owned.
 */
import { ConsumerGroupHeartbeat } from '../../../common/protocol/apis/68-consumer-group-heartbeat.ts'
import { ErrorCode, errorName } from '../../../common/protocol/errors.ts'
import { keyOf } from '../cluster/ledger.ts'
import { GroupMember, type GroupMemberOptions } from './group-member.ts'
import type { KnownPartition } from './sim-client.ts'

const HEARTBEAT_MS = 250
const REBALANCE_TIMEOUT_MS = 5_000

export class ConsumerMember extends GroupMember {
  #isFull = true

  constructor(options: GroupMemberOptions) {
    super(options)
    this.memberId = this.random.uuid()
  }

  override get offsetFetchEpoch(): number {
    return this.generation
  }

  override onExpelled(error: ErrorCode): void {
    // Others learn by heartbeat that the epoch moved on; a fenced member begins anew.
    if (error === ErrorCode.ILLEGAL_GENERATION) return
    this.lose()
    this.generation = 0
    this.#isFull = true
  }

  override join(): void {
    this.generation = 0
    this.#heartbeat()
  }

  #later(ms = HEARTBEAT_MS): void {
    this.later(ms, 'heartbeat', () => this.#heartbeat())
  }

  #heartbeat(): void {
    this.withCoordinator(() => {
      const topics = new Map<string, number[]>()
      for (const { topicId, index } of this.owned)
        topics.set(topicId, [...(topics.get(topicId) ?? []), index])
      const topicPartitions = [...topics].map(([topicId, partitions]) => ({ topicId, partitions }))
      const sentEpoch = this.generation
      const full = this.#isFull
        ? { rebalanceTimeoutMs: REBALANCE_TIMEOUT_MS, subscribedTopicNames: [...this.topics] }
        : {}
      const request = {
        groupId: this.groupId,
        memberId: this.memberId,
        memberEpoch: sentEpoch,
        topicPartitions,
        ...full,
      }
      this.call(this.coordinator, ConsumerGroupHeartbeat, request).whenDone((answer) => {
        if (this.isClosed) return
        if (!answer.ok) {
          this.coordinator = -1
          this.#isFull = true
          this.#later(50)
          return
        }
        const { errorCode, memberEpoch, assignment } = answer.response
        if (errorCode !== ErrorCode.NONE) {
          this.event(`heartbeat refused: ${errorName(errorCode)}`)
          if (errorCode === ErrorCode.FENCED_MEMBER_EPOCH || errorCode === ErrorCode.UNKNOWN_MEMBER_ID)
            this.onExpelled(errorCode)
          else this.coordinator = -1
          this.#later(50)
          return
        }
        // Fenced by a commit in the meantime: the answer is of the past.
        if (sentEpoch !== this.generation) {
          this.#later(20)
          return
        }
        this.#isFull = false
        this.generation = memberEpoch
        if (assignment === null) {
          this.#later()
          return
        }
        this.#take(
          assignment.topicPartitions.flatMap(({ topicId, partitions }) =>
            partitions.flatMap((index) => this.partition(topicId, index) ?? []),
          ),
        )
      })
    })
  }

  #take(assigned: readonly KnownPartition[]): void {
    const keep = new Set(assigned.map(keyOf))
    const { generation } = this
    this.revoke(keep, () => {
      // Otherwise it was expelled while it committed.
      if (generation === this.generation) this.own(assigned)
      this.#later(20)
    })
  }
}
