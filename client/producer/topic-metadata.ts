/**
 * What metadata tells of the topics that are produced to: who leads the partitions, whether a topic is there and may be
 * written. Queues follow it, and messages that can go nowhere fail by it.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { ClientCore } from '../client-core.ts'
import { KafkaError, kafkaException } from '../errors.ts'
import type { TopicInfo } from '../metadata/metadata-cache.ts'
import type { Accumulator, TopicQueue } from './accumulator.ts'
import type { BatchOutcomes } from './batch-outcomes.ts'
import type { Expiry } from './expiry.ts'
import type { Sender } from './sender.ts'

export interface TopicMetadataOptions {
  readonly core: ClientCore
  readonly accumulator: Accumulator
  readonly outcomes: BatchOutcomes
  readonly sender: Sender
  readonly expiry: Expiry
}

export class TopicMetadata {
  readonly #options: TopicMetadataOptions

  constructor(options: TopicMetadataOptions) {
    this.#options = options
  }

  /** The topic is produced to for the first time. */
  want(topic: TopicQueue): void {
    this.#options.core.metadata.want(topic.name)
    this.#follow(topic)
  }

  /** Metadata came. */
  updated(): void {
    const { core, accumulator, sender } = this.#options
    for (const topic of accumulator.topics()) this.#follow(topic)
    core.runtime.reactor.touch(sender)
  }

  /**
   * Throws `_UNKNOWN_PARTITION` for a partition that the topic does not have, and `_UNKNOWN_TOPIC` for a topic that nobody has
   * known for `topic.metadata.propagation.max.ms`.
   */
  check(topic: TopicQueue, partition: number): void {
    const { info } = topic
    if (info === undefined) this.#checkKnownMissing(topic)
    else if (partition >= info.partitions.length) throw kafkaException(KafkaError._UNKNOWN_PARTITION)
  }

  #checkKnownMissing(topic: TopicQueue): void {
    const { runtime, metadata, config } = this.#options.core
    if (metadata.cache.topic(topic.name)?.errorCode !== ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) return
    const unknownForMs = runtime.clock.monotonicMs() - topic.unknownSinceMs
    if (unknownForMs >= config.get('topic.metadata.propagation.max.ms'))
      throw kafkaException(KafkaError._UNKNOWN_TOPIC)
  }

  #follow(topic: TopicQueue): void {
    const { core, expiry, outcomes } = this.#options
    const cached = core.metadata.cache.topic(topic.name)
    if (cached === undefined) return
    if (cached.errorCode === ErrorCode.NONE && cached.partitions.length > 0) {
      if (topic.info !== cached) this.#known(topic, cached)
      return
    }
    if (topic.info !== undefined) {
      topic.info = undefined
      topic.unknownSinceMs = core.runtime.clock.monotonicMs()
    }
    const { errorCode } = cached
    if (errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) expiry.watchTopic()
    else if (
      errorCode === ErrorCode.TOPIC_AUTHORIZATION_FAILED ||
      errorCode === ErrorCode.INVALID_TOPIC_EXCEPTION
    )
      outcomes.failUnassigned(topic.name, topic.takeUnassigned(), new KafkaError(errorCode))
  }

  #known(topic: TopicQueue, info: TopicInfo): void {
    const { accumulator, outcomes, sender } = this.#options
    topic.info = info
    for (const partition of topic.partitions) {
      const previousLeaderId = partition.leaderId
      topic.updateLeader(partition)
      if (partition.leaderId !== previousLeaderId) sender.moveLane(partition, previousLeaderId)
    }
    for (const { record, error } of accumulator.assign(topic))
      outcomes.failUnassigned(topic.name, [record], error)
  }
}
