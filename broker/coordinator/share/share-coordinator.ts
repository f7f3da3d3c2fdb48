/**
 * The share coordinator of one broker (KIP-932): keeps the delivery state of share partitions in `__share_group_state`.
 *
 * Owner: the broker, which tells `service` of leadership and watermarks. Who asks are other brokers (leaders of shared partitions, group
 * coordinators), through APIs 83 to 87.
 */
import { ErrorCode, errorInfo } from '../../../common/protocol/errors.ts'
import { CompressionType } from '../../../common/record/codecs.ts'
import { Deferred } from '../../../common/runtime/deferred.ts'
import type { Runtime } from '../../../common/runtime/runtime.ts'
import type { MetadataDelta, MetadataImage, MetadataListener } from '../../metadata/image.ts'
import type { Outcome } from '../../statemachine/state-machine.ts'
import { SHARE_STATE_TOPIC } from '../../topic-names.ts'
import { type CoordinatorRecord, coordinatorRecordFormat } from '../coordinator-record.ts'
import { CoordinatorService } from '../coordinator-service.ts'
import type { ShareConfig } from './share-config.ts'
import { coordinatorKeyOf, SHARE_STATE_RECORD_TYPES, type SharePartitionKey } from './share-state-records.ts'
import { type PartitionError, ShareStateShard } from './share-state-shard.ts'

export interface ShareCoordinatorOptions {
  readonly runtime: Runtime
  readonly config: ShareConfig
  readonly metadata: () => MetadataImage
  /** Lets go of the records of a led partition of the topic before an offset. */
  readonly pruneBefore: (partitionIndex: number, offset: number) => void
}

export interface PartitionsOfTopic<Partition> {
  readonly topicId: string
  readonly partitions: readonly Partition[]
}

export class ShareCoordinator implements MetadataListener {
  readonly service: CoordinatorService<ShareStateShard>
  readonly #options: ShareCoordinatorOptions
  readonly #prunedBefore = new Map<number, number>()

  constructor(options: ShareCoordinatorOptions) {
    this.#options = options
    const { runtime, config, metadata } = options
    const codec = config.get('share.coordinator.state.topic.compression.codec')
    this.service = new CoordinatorService({
      name: 'share coordinator',
      topic: SHARE_STATE_TOPIC,
      runtime,
      format: coordinatorRecordFormat({
        types: SHARE_STATE_RECORD_TYPES,
        compressionType:
          Object.values(CompressionType).find((type) => type === codec) ?? CompressionType.none,
      }),
      partitionCount: () => metadata().topicsByName.get(SHARE_STATE_TOPIC)?.partitions.length ?? 0,
      createShard: () => new ShareStateShard({ clock: runtime.clock, config, metadata }),
      writeTimeoutMs: () => config.get('share.coordinator.write.timeout.ms'),
      loadBytesPerSlice: () => config.get('share.coordinator.load.buffer.size'),
    })
    this.#schedulePrune()
    this.#scheduleColdSnapshots()
  }

  onMetadata(_image: MetadataImage, delta: MetadataDelta): void {
    if (delta.deletedTopics.size === 0) return
    const topicIds = new Set(delta.deletedTopics.keys())
    this.service.writeAll('state of deleted topics', (shard) => shard.deleteTopics(topicIds))
  }

  /** The same change for each partition, by the shard that the partition belongs to. */
  writeEach<Partition extends { readonly partition: number }, Answer extends PartitionError>(
    groupId: string,
    topics: readonly PartitionsOfTopic<Partition>[],
    what: string,
    operation: (
      shard: ShareStateShard,
      key: SharePartitionKey,
      partition: Partition,
    ) => Outcome<Answer | PartitionError, CoordinatorRecord>,
  ): Deferred<{ topicId: string; partitions: (Answer | PartitionError)[] }[]> {
    return this.#each(groupId, topics, (key, partition) =>
      this.service
        .write(coordinatorKeyOf(key), 'share state', (shard) => operation(shard, key, partition))
        .map((result) =>
          result.error === ErrorCode.NONE ? result.value : failed(key.partition, result.error, what),
        ),
    )
  }

  readEach<Partition extends { readonly partition: number }, Answer extends PartitionError>(
    groupId: string,
    topics: readonly PartitionsOfTopic<Partition>[],
    what: string,
    operation: (shard: ShareStateShard, key: SharePartitionKey, partition: Partition) => Answer,
  ): Deferred<{ topicId: string; partitions: (Answer | PartitionError)[] }[]> {
    return this.#each(groupId, topics, (key, partition) =>
      this.service
        .read(coordinatorKeyOf(key), 'share state', (shard): Answer | PartitionError =>
          operation(shard, key, partition),
        )
        .map((result) =>
          result.error === ErrorCode.NONE ? result.value : failed(key.partition, result.error, what),
        ),
    )
  }

  #each<Partition extends { readonly partition: number }, Answer>(
    groupId: string,
    topics: readonly PartitionsOfTopic<Partition>[],
    ask: (key: SharePartitionKey, partition: Partition) => Deferred<Answer>,
  ): Deferred<{ topicId: string; partitions: Answer[] }[]> {
    // A nameless group has no state, and nobody who would be told so.
    if (groupId === '') return Deferred.of<{ topicId: string; partitions: Answer[] }[]>([])
    return Deferred.all(
      topics.map(({ topicId, partitions }) =>
        Deferred.all(
          partitions.map((partition) => ask({ groupId, topicId, partition: partition.partition }, partition)),
        ).map((answers) => ({ topicId, partitions: answers })),
      ),
    )
  }

  #schedulePrune(): void {
    const { runtime, config } = this.#options
    runtime.scheduler.schedule(
      'trimming of the share state topic',
      config.get('share.coordinator.state.topic.prune.interval.ms'),
      () => {
        for (const [partitionIndex, machine] of this.service.ledPartitions()) {
          const offset = machine.state === 'active' ? machine.machine.redundantBefore : undefined
          if (offset === undefined || offset <= (this.#prunedBefore.get(partitionIndex) ?? 0)) continue
          this.#prunedBefore.set(partitionIndex, offset)
          this.#options.pruneBefore(partitionIndex, offset)
        }
        this.#schedulePrune()
      },
    )
  }

  #scheduleColdSnapshots(): void {
    const { runtime, config } = this.#options
    runtime.scheduler.schedule(
      'snapshots of cold share partitions',
      config.get('share.coordinator.cold.partition.snapshot.interval.ms'),
      () => {
        this.service.writeAll('cold snapshots', (shard) => shard.snapshotCold())
        this.#scheduleColdSnapshots()
      },
    )
  }
}

/** `what` is what was tried: `read share group state`. */
function failed(partition: number, errorCode: ErrorCode, what: string): PartitionError {
  return { partition, errorCode, errorMessage: `Unable to ${what}: ${errorInfo(errorCode).message}` }
}
