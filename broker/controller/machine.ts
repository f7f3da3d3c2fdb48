/**
 * The state of the active controller: the metadata image as it will be once everything appended is committed, and the
 * indexes that its decisions need.
 *
 * Owner: the controller's state machine runtime. Invariants: `image` and the indexes are the replay of the metadata log up to
 * its end; nothing but `replay` changes them. Who has sent heartbeats when (`sessions`) is memory only, as in Kafka: a new
 * controller gives every broker a full session.
 */
import type { Clock } from '../../common/runtime/clock.ts'
import type { Random } from '../../common/runtime/random.ts'
import type { BrokerLevels } from '../config/levels.ts'
import { type TopicKey, topicValue } from '../config/topic-config.ts'
import { ELR_FEATURE } from '../metadata/features.ts'
import {
  type BrokerImage,
  ConfigResourceType,
  type PartitionImage,
  type TopicImage,
} from '../metadata/image.ts'
import {
  LOST_DIRECTORY,
  MIGRATING_DIRECTORY,
  MutableMetadataImage,
  UNASSIGNED_DIRECTORY,
} from '../metadata/image-builder.ts'
import type { MetadataRecord } from '../metadata/metadata-record.ts'
import { TransactionFilter } from '../metadata/transaction-filter.ts'
import type { ReplayContext, StateMachine } from '../statemachine/state-machine.ts'
import { BrokerSessions } from './broker-sessions.ts'
import { PartitionIndex } from './partition-index.ts'

export interface ControllerEnvironment {
  readonly nodeId: number
  readonly clusterId: string
  readonly clock: Clock
  readonly random: Random
  /** Start-up settings of this node; the dynamic ones come from the log. */
  readonly startUp: BrokerLevels
  /** Offset that the next record will get. */
  nextWriteOffset(): number
}

export class ControllerMachine implements StateMachine<MetadataRecord> {
  readonly image = new MutableMetadataImage()
  readonly environment: ControllerEnvironment
  readonly sessions: BrokerSessions
  /** Partitions in whose ISR or ELR a broker is. */
  readonly partitionsByMember = new Map<number, PartitionIndex>()
  readonly leaderlessPartitions = new PartitionIndex()
  readonly reassigningPartitions = new PartitionIndex()
  /** Names with `.` and `_` made equal, for those that contain one: metric names would collide. */
  readonly #collidingNames = new Map<string, Set<string>>()
  readonly #registerOffsets = new Map<number, number>()
  readonly #transaction = new TransactionFilter<ReplayContext>()

  constructor(environment: ControllerEnvironment) {
    this.environment = environment
    this.sessions = new BrokerSessions(environment.clock)
  }

  get hasOpenTransaction(): boolean {
    return this.#transaction.isOpen
  }

  get isElrEnabled(): boolean {
    return (this.image.features.get(ELR_FEATURE) ?? 0) > 0
  }

  /** Settings of this node with the dynamic ones over them. */
  get levels(): BrokerLevels {
    return {
      static: this.environment.startUp.static,
      dynamicDefault: this.image.configsOf(ConfigResourceType.BROKER, ''),
      dynamicBroker: this.image.configsOf(ConfigResourceType.BROKER, String(this.environment.nodeId)),
    }
  }

  topicSetting<Key extends TopicKey>(topic: string, key: Key) {
    return topicValue(key, this.levels, this.image.configsOf(ConfigResourceType.TOPIC, topic))
  }

  /** `min.insync.replicas`, but never more than the topic has replicas. */
  effectiveMinIsr(topic: TopicImage): number {
    const replicationFactor = topic.partitions[0]?.replicas.length ?? 1
    return Math.min(this.topicSetting(topic.name, 'min.insync.replicas'), replicationFactor)
  }

  /** May lead and be in sync: registered, unfenced and not shutting down. */
  isActive(brokerId: number): boolean {
    const broker = this.image.brokers.get(brokerId)
    return broker !== undefined && !broker.isFenced && !broker.inControlledShutdown
  }

  /** Offset at which the present incarnation registered: a broker is unfenced once it has read that far. */
  registerOffsetOf(brokerId: number): number {
    return this.#registerOffsets.get(brokerId) ?? -1
  }

  /** Other topics whose metrics would have the same name. */
  collisionsOf(name: string): readonly string[] {
    return [...(this.#collidingNames.get(unifiedName(name)) ?? [])].filter((other) => other !== name).sort()
  }

  partitionOf(topicId: string, partitionId: number): PartitionImage | undefined {
    return this.image.topicsById.get(topicId)?.partitions[partitionId]
  }

  replay(record: MetadataRecord, context: ReplayContext): void {
    this.#transaction.replay(record, context, (applied, { offset }) => this.#apply(applied, offset))
    this.image.advanceTo({
      offset: context.offset,
      epoch: this.image.epoch,
      timestampMs: context.timestampMs,
    })
  }

  #apply(record: MetadataRecord, offset: number): void {
    switch (record.type) {
      case 'PartitionRecord':
      case 'PartitionChangeRecord': {
        const { topicId, partitionId } = record.value
        const before = this.partitionOf(topicId, partitionId)
        this.image.replay(record)
        this.#indexPartition(topicId, partitionId, before, this.partitionOf(topicId, partitionId))
        return
      }
      case 'ClearElrRecord': {
        const topic = this.image.topicsByName.get(record.value.topicName)
        const topics = topic === undefined ? [...this.image.topicsById.values()] : [topic]
        const before = topics.map(({ id, partitions }) => ({ id, partitions: [...partitions] }))
        this.image.replay(record)
        for (const { id, partitions } of before) {
          for (const [index, old] of partitions.entries()) {
            this.#indexPartition(id, index, old, this.partitionOf(id, index))
          }
        }
        return
      }
      case 'TopicRecord': {
        this.image.replay(record)
        const { name } = record.value
        if (!hasCollisionChar(name)) return
        const names = this.#collidingNames.get(unifiedName(name)) ?? new Set()
        this.#collidingNames.set(unifiedName(name), names.add(name))
        return
      }
      case 'RemoveTopicRecord': {
        const topic = this.image.topicsById.get(record.value.topicId)
        this.image.replay(record)
        if (topic === undefined) return
        for (const [index, old] of topic.partitions.entries()) {
          this.#indexPartition(topic.id, index, old, undefined)
        }
        this.#collidingNames.get(unifiedName(topic.name))?.delete(topic.name)
        return
      }
      case 'RegisterBrokerRecord': {
        const before = this.image.brokers.get(record.value.brokerId)
        this.image.replay(record)
        const isNewIncarnation = before?.incarnationId !== record.value.incarnationId
        this.#registerOffsets.set(record.value.brokerId, offset)
        if (isNewIncarnation) this.sessions.remove(record.value.brokerId)
        return
      }
      case 'UnregisterBrokerRecord':
        this.image.replay(record)
        this.sessions.remove(record.value.brokerId)
        this.#registerOffsets.delete(record.value.brokerId)
        return
      default:
        this.image.replay(record)
    }
  }

  #indexPartition(
    topicId: string,
    partitionId: number,
    before: PartitionImage | undefined,
    after: PartitionImage | undefined,
  ): void {
    const membersBefore = before === undefined ? [] : [...before.isr, ...before.elr]
    const membersAfter = after === undefined ? [] : [...after.isr, ...after.elr]
    for (const broker of membersBefore) {
      if (!membersAfter.includes(broker)) this.partitionsByMember.get(broker)?.delete(topicId, partitionId)
    }
    for (const broker of membersAfter) {
      if (membersBefore.includes(broker)) continue
      const index = this.partitionsByMember.get(broker) ?? new PartitionIndex()
      this.partitionsByMember.set(broker, index)
      index.add(topicId, partitionId)
    }
    this.leaderlessPartitions.set(topicId, partitionId, after !== undefined && after.leaderId < 0)
    this.reassigningPartitions.set(topicId, partitionId, after !== undefined && isReassigning(after))
  }
}

export function isReassigning(partition: PartitionImage): boolean {
  return partition.addingReplicas.length > 0 || partition.removingReplicas.length > 0
}

function hasCollisionChar(name: string): boolean {
  return name.includes('.') || name.includes('_')
}

function unifiedName(name: string): string {
  return name.replaceAll('.', '_')
}

/** Where a broker puts a new replica (KIP-858): its only directory, or it says later. */
export function defaultDirectory(broker: BrokerImage | undefined): string {
  if (broker === undefined || broker.directories.length === 0) return MIGRATING_DIRECTORY
  const usable = broker.directories.filter((directory) => !broker.cordonedDirectories?.includes(directory))
  return usable.length === 1 && usable[0] !== undefined ? usable[0] : UNASSIGNED_DIRECTORY
}

export function hasOnlineDirectory(broker: BrokerImage, directory: string): boolean {
  if (directory === UNASSIGNED_DIRECTORY || directory === MIGRATING_DIRECTORY) return true
  if (directory === LOST_DIRECTORY) return false
  return broker.directories.length === 0 || broker.directories.includes(directory)
}
