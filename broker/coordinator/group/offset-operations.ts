/**
 * What is asked of offsets, and what is answered for single partitions.
 */
import type { ErrorCode } from '../../../common/protocol/errors.ts'

export interface OffsetCommitOperation {
  readonly groupId: string
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly generationIdOrMemberEpoch: number
  /** -1: the broker's retention counts. */
  readonly retentionTimeMs: number
  readonly topics: readonly TopicToCommit[]
  readonly apiVersion: number
  readonly isTransactional: boolean
}

export interface OffsetToCommit {
  readonly partitionIndex: number
  readonly committedOffset: number
  readonly committedLeaderEpoch: number
  readonly committedMetadata: string | null
}

export interface PartitionResult {
  readonly partitionIndex: number
  readonly errorCode: ErrorCode
}

export interface TopicResult {
  readonly name: string
  readonly topicId: string
  readonly partitions: PartitionResult[]
}

export interface TopicToCommit {
  readonly name: string
  /** Zero when the broker does not know the topic. */
  readonly topicId: string
  readonly partitions: readonly OffsetToCommit[]
}

/** What the group says to a commit as a whole, and to single partitions. */
export interface CommitCheck {
  readonly error: ErrorCode
  readonly checkPartition?: (topicId: string, partition: number) => ErrorCode
}

export interface OffsetFetchOperation {
  readonly groupId: string
  /** null before v9 and for members of classic groups. */
  readonly memberId: string | null
  readonly memberEpoch: number
  /** null: every topic with an offset. */
  readonly topics:
    | readonly {
        readonly name: string
        readonly topicId: string
        readonly partitionIndexes: readonly number[]
      }[]
    | null
  readonly requireStable: boolean
}
