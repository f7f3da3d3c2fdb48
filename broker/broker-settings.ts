/**
 * The settings of one broker as they are now: start-up settings with the dynamic ones of the metadata log over them, and what
 * topics make of them.
 *
 * Owner: the broker. Follows the metadata image. Topics without settings of their own share one object, so that ten thousand
 * topics cost one.
 */

import type { LogConfig } from '../storage/log-config.ts'
import type { BrokerConfig } from './config/broker-config.ts'
import type { BrokerLevels } from './config/levels.ts'
import { type TopicConfig, topicConfigOf } from './config/topic-config.ts'
import {
  ConfigResourceType,
  type MetadataDelta,
  type MetadataImage,
  type MetadataListener,
} from './metadata/image.ts'

/** Everything that a partition obeys, for the storage layer and above. */
export type EffectiveTopicConfig = TopicConfig & LogConfig

export class BrokerSettings implements MetadataListener {
  readonly #nodeId: number
  readonly #image: MetadataImage
  #config: BrokerConfig
  #defaultTopicConfig: EffectiveTopicConfig | undefined
  readonly #topicConfigs = new Map<string, EffectiveTopicConfig>()

  constructor(options: { nodeId: number; startUp: BrokerConfig; image: MetadataImage }) {
    this.#nodeId = options.nodeId
    this.#image = options.image
    this.#config = options.startUp
  }

  get config(): BrokerConfig {
    return this.#config
  }

  get levels(): BrokerLevels {
    return this.#config.levels
  }

  onMetadata(image: MetadataImage, delta: MetadataDelta): void {
    for (const key of delta.changedConfigs) {
      const separator = key.indexOf('\n')
      const type = Number(key.slice(0, separator))
      const name = key.slice(separator + 1)
      if (type === ConfigResourceType.TOPIC) this.#topicConfigs.delete(name)
      else if (type === ConfigResourceType.BROKER && (name === '' || name === String(this.#nodeId))) {
        this.#config = this.#config.with({
          dynamicDefault: new Map(image.configsOf(ConfigResourceType.BROKER, '')),
          dynamicBroker: new Map(image.configsOf(ConfigResourceType.BROKER, String(this.#nodeId))),
        })
        this.#defaultTopicConfig = undefined
        this.#topicConfigs.clear()
      }
    }
    for (const topic of delta.deletedTopics.values()) this.#topicConfigs.delete(topic.name)
  }

  topicConfig(topic: string): EffectiveTopicConfig {
    const known = this.#topicConfigs.get(topic)
    if (known !== undefined) return known
    const overrides = this.#image.configsOf(ConfigResourceType.TOPIC, topic)
    if (overrides.size === 0) {
      this.#defaultTopicConfig ??= { ...topicConfigOf(this.levels, overrides), validateRecords: false }
      return this.#defaultTopicConfig
    }
    const config = { ...topicConfigOf(this.levels, overrides), validateRecords: false }
    this.#topicConfigs.set(topic, config)
    return config
  }
}
