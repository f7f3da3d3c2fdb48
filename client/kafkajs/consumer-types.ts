/** The shapes of kafkajs's consumer. */
import type { RetryOptions } from './client-settings.ts'
import type { KafkaMessage } from './messages.ts'

export interface ConsumerConfig {
  readonly groupId: string
  /** Only round robin, which is the default. */
  readonly partitionAssigners?: readonly unknown[]
  readonly metadataMaxAge?: number
  readonly sessionTimeout?: number
  readonly rebalanceTimeout?: number
  readonly heartbeatInterval?: number
  readonly maxBytesPerPartition?: number
  readonly minBytes?: number
  readonly maxBytes?: number
  readonly maxWaitTimeInMs?: number
  readonly retry?: RetryOptions
  readonly allowAutoTopicCreation?: boolean
  readonly maxInFlightRequests?: number | null
  readonly readUncommitted?: boolean
  readonly rackId?: string
}

export interface TopicPartitionOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: string
}

export interface TopicPartitionOffsetAndMetadata extends TopicPartitionOffset {
  readonly metadata?: string | null
}

export interface TopicPartitions {
  readonly topic: string
  readonly partitions: number[]
}

export interface Offsets {
  readonly topics: readonly {
    readonly topic: string
    readonly partitions: readonly { readonly partition: number; readonly offset: string }[]
  }[]
}

export interface Batch {
  readonly topic: string
  readonly partition: number
  readonly highWatermark: string
  readonly messages: readonly KafkaMessage[]
  isEmpty(): boolean
  firstOffset(): string | null
  lastOffset(): string
  /** Messages behind the last of the batch. */
  offsetLag(): string
  /** Messages behind the first of the batch. */
  offsetLagLow(): string
}

export interface EachMessagePayload {
  readonly topic: string
  readonly partition: number
  readonly message: KafkaMessage
  /** Heartbeats go on by themselves; this one says that the handler is alive. */
  heartbeat(): Promise<void>
  /** Pauses the partition. @returns what resumes it */
  pause(): () => void
}

export interface EachBatchPayload {
  readonly batch: Batch
  resolveOffset(offset: string): void
  heartbeat(): Promise<void>
  pause(): () => void
  commitOffsetsIfNecessary(offsets?: Offsets): Promise<void>
  uncommittedOffsets(): Offsets
  isRunning(): boolean
  /** The rest of the batch is void: a seek, or a rebalance that waits for the handler. */
  isStale(): boolean
}

export type EachMessageHandler = (payload: EachMessagePayload) => Promise<void>
export type EachBatchHandler = (payload: EachBatchPayload) => Promise<void>

export interface ConsumerRunConfig {
  readonly autoCommit?: boolean
  readonly autoCommitInterval?: number | null
  readonly autoCommitThreshold?: number | null
  readonly eachBatchAutoResolve?: boolean
  readonly partitionsConsumedConcurrently?: number
  readonly eachMessage?: EachMessageHandler
  readonly eachBatch?: EachBatchHandler
}

export interface ConsumerSubscription {
  readonly topics?: readonly (string | RegExp)[]
  /** The older form. */
  readonly topic?: string | RegExp
  readonly fromBeginning?: boolean
}

export interface ConsumerSubscribeTopics extends ConsumerSubscription {
  readonly topics: readonly (string | RegExp)[]
}

export interface ConsumerSubscribeTopic extends ConsumerSubscription {
  readonly topic: string | RegExp
}

/** For `partitionAssigners`: there is no other. */
export const PartitionAssigners = { roundRobin: 'RoundRobinAssigner' } as const
