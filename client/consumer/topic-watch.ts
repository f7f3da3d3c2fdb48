/**
 * Looks after the topics of the subscription: keeps their metadata wanted, matches expressions against all topics, and tells
 * the application once of each that is missing or forbidden.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { ClientCore } from '../client-core.ts'
import { KafkaError } from '../errors.ts'
import { Message } from '../values/message.ts'
import type { Assignment } from './assignment.ts'
import { matchesPattern, parseBlacklist, type Subscription } from './subscription.ts'

export interface TopicWatchOptions {
  readonly core: ClientCore
  readonly assignment: Assignment
  readonly onEvent: (event: Message) => void
}

const toldCodes: ReadonlySet<number> = new Set([
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.TOPIC_AUTHORIZATION_FAILED,
  ErrorCode.INVALID_TOPIC_EXCEPTION,
])

export class TopicWatch {
  readonly #options: TopicWatchOptions
  readonly #blacklist: readonly RegExp[]
  #subscription: Subscription | undefined
  #wanted: readonly string[] = []
  #wantsAll = false
  /** What was told, by topic (or partition), until it changes. */
  readonly #told = new Map<string, number>()

  constructor(options: TopicWatchOptions) {
    this.#options = options
    this.#blacklist = parseBlacklist(options.core.config.get('topic.blacklist'))
  }

  get subscription(): Subscription | undefined {
    return this.#subscription
  }

  subscribe(subscription: Subscription | undefined): void {
    const { metadata } = this.#options.core
    const before = this.#wanted
    this.#subscription = subscription
    const wantsAll = (subscription?.expressions.length ?? 0) > 0
    // Before the names, so that the one request that follows asks for everything.
    if (wantsAll) metadata.wantAllTopics(true)
    this.#wanted = subscription?.literals ?? []
    for (const topic of this.#wanted) metadata.want(topic)
    for (const topic of before) metadata.unwant(topic)
    if (!wantsAll && this.#wantsAll) metadata.wantAllTopics(false)
    this.#wantsAll = wantsAll
    for (const topic of before) if (!this.#wanted.includes(topic)) this.#told.delete(topic)
  }

  /** Literal names, and what the expressions match now; undefined before all topics were told of once. */
  topics(): string[] | undefined {
    const subscription = this.#subscription
    if (subscription === undefined) return []
    if (!this.#options.core.metadata.hasAllTopics && subscription.patterns.length > 0) return undefined
    const names = new Set(subscription.literals)
    if (subscription.patterns.length > 0) {
      for (const { name, isInternal, errorCode } of this.#options.core.metadata.cache.topics()) {
        const isThere = errorCode === ErrorCode.NONE
        if (isThere && matchesPattern(subscription, name, isInternal, this.#blacklist)) names.add(name)
      }
    }
    return [...names].sort()
  }

  /** Tells of what is missing now, after metadata came. */
  metadataUpdated(): void {
    const { core, assignment } = this.#options
    const concerned = new Set(this.#wanted)
    for (const partition of assignment.all()) {
      concerned.add(partition.topic)
      const info = core.metadata.cache.topic(partition.topic)
      const isThere = info !== undefined && info.errorCode === ErrorCode.NONE && info.partitions.length > 0
      const isMissing = isThere && info.partitions[partition.id] === undefined
      this.#tell(partition.key, isMissing ? KafkaError._UNKNOWN_PARTITION : 0, partition.topic, partition.id)
    }
    for (const topic of concerned) {
      const code = core.metadata.cache.topic(topic)?.errorCode
      if (code !== undefined) this.#tell(topic, toldCodes.has(code) ? code : 0, topic, null)
    }
  }

  #tell(key: string, code: number, topic: string, partition: number | null): void {
    if (code === 0) {
      this.#told.delete(key)
      return
    }
    if (this.#told.get(key) === code) return
    this.#told.set(key, code)
    const error = new KafkaError(code, `${key}: ${new KafkaError(code).str()}`)
    this.#options.onEvent(new Message({ topic, partition, error }))
  }
}
