/** What the rest of the consumer sees of its place in the group, whatever the protocol. */
import type { KafkaError } from '../errors.ts'
import type { TopicPartition } from '../values/topic-partition.ts'
import type { Subscription } from './subscription.ts'

/** How commits and look-ups name the member. Outside a group: -1, no member. */
export interface MemberIdentity {
  readonly memberId: string
  /** Generation, or member epoch (KIP-848). */
  readonly generationId: number
  readonly groupInstanceId: string | null
}

/** A change of the assignment that the application has a say in. */
export interface Rebalance {
  readonly kind: 'assign' | 'revoke' | 'lost'
  /** Whether `partitions` are a difference. */
  readonly isIncremental: boolean
  readonly partitions: readonly TopicPartition[]
  /** The assignment was changed, and what had to be committed before is committed or has failed. */
  readonly done: () => void
}

export interface MembershipHooks {
  /** Queues the change for the next serving call. */
  readonly rebalance: (rebalance: Rebalance) => void
  /** Takes back what was queued and not begun. */
  readonly withdrawRebalance: () => boolean
  /** What is assigned now. */
  readonly owned: () => TopicPartition[]
  /** An error event for the application. */
  readonly onError: (error: KafkaError) => void
  /** The instance is at its end. */
  readonly onFatal: (error: KafkaError) => void
  /** A generation or epoch began: what failed for want of it may be tried again. */
  readonly onIdentity: () => void
  /** Topics to join with: literal names and what expressions match; undefined while that is not known yet. */
  readonly topics: () => readonly string[] | undefined
  readonly subscription: () => Subscription | undefined
}

export interface Membership {
  readonly identity: MemberIdentity
  /** What the callbacks' assignment calls must look like; none before the first assignment. */
  readonly rebalanceProtocol: 'none' | 'eager' | 'cooperative'
  readonly isMember: boolean
  /** For statistics. */
  readonly stateName: string
  readonly joinStateName: string
  readonly rebalanceCount: number
  readonly rebalanceReason: string
  readonly rebalancedAtMs: number
  /** The subscription is new or was changed. */
  subscriptionChanged(): void
  /** Topics or partitions may have come or gone. */
  metadataUpdated(): void
  /** Gives everything back and leaves. `left` is called when nothing more is sent. */
  leave(reason: string, left?: () => void): void
  /** The application does not poll: leaves at once, everything is lost. `rejoin` follows with the next poll. */
  pollOverdue(): void
  rejoin(): void
  close(): void
}
