/**
 * Keeps the metadata cache fresh: asks for the topics somebody is interested in, at intervals, and sooner when told that
 * something is stale or missing. At most one such request is in progress; what is asked for meanwhile follows it.
 */
import { Metadata, type MetadataResponse } from '../../common/protocol/apis/03-metadata.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { Runtime } from '../../common/runtime/runtime.ts'
import type { Timer } from '../../common/runtime/scheduler.ts'
import type { Config } from '../config/config.ts'
import { Backoff, retryJitter } from '../connections/backoff.ts'
import type { Broker } from '../connections/broker.ts'
import type { BrokerPool } from '../connections/broker-pool.ts'
import { KafkaError } from '../errors.ts'
import type { Logger } from '../log.ts'
import { MetadataCache } from './metadata-cache.ts'

/** What one request for metadata brought. */
export type MetadataResult =
  | { readonly ok: true; readonly response: MetadataResponse; readonly broker: Broker }
  | { readonly ok: false; readonly error: KafkaError }

export interface MetadataRefresherOptions {
  readonly runtime: Runtime
  readonly config: Config
  readonly pool: BrokerPool
  readonly logger: Logger
}

export interface MetadataQuery {
  /** null asks for all topics. */
  readonly topics: readonly string[] | null
  readonly mayCreate: boolean
  readonly timeoutMs: number
}

export class MetadataRefresher {
  readonly cache: MetadataCache
  readonly #options: MetadataRefresherOptions
  readonly #backoff: Backoff
  readonly #listeners = new Set<() => void>()
  readonly #interests = new Map<string, number>()
  #wantsAllTopics = false
  #hasAllTopics = false
  #isInProgress = false
  #isWantedAgain = false
  #timer: Timer | undefined
  #timerIsFast = false
  #lastSuccessMs: number
  #isClosed = false

  constructor(options: MetadataRefresherOptions) {
    this.#options = options
    const { config, runtime } = options
    this.cache = new MetadataCache(config.get('metadata.max.age.ms'))
    this.#lastSuccessMs = runtime.clock.monotonicMs()
    this.#backoff = new Backoff({
      firstMs: config.get('topic.metadata.refresh.fast.interval.ms'),
      maxMs: Math.max(
        config.get('retry.backoff.max.ms'),
        config.get('topic.metadata.refresh.fast.interval.ms'),
      ),
      random: runtime.random,
      ...retryJitter,
    })
  }

  /** Called after each change of the cache, in a turn. @returns a function that stops listening */
  onUpdate(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Counts one more that needs the topic; the first asks for it soon. */
  want(topic: string): void {
    const count = this.#interests.get(topic) ?? 0
    this.#interests.set(topic, count + 1)
    if (count === 0 && this.cache.topic(topic) === undefined) this.refresh(`topic ${topic} is needed`)
  }

  unwant(topic: string): void {
    const count = this.#interests.get(topic) ?? 0
    if (count > 1) this.#interests.set(topic, count - 1)
    else {
      this.#interests.delete(topic)
      // An expression may match it still.
      if (!this.#wantsAllTopics) this.cache.forget(topic)
    }
  }

  /** Whether all topics were told of since they are wanted: before, the cache has only those that are wanted by name. */
  get hasAllTopics(): boolean {
    return this.#hasAllTopics
  }

  /** For subscriptions by expression. */
  wantAllTopics(wanted: boolean): void {
    this.#wantsAllTopics = wanted
    this.#hasAllTopics = false
    if (wanted) {
      this.refresh('all topics are needed')
      return
    }
    for (const { name } of [...this.cache.topics()]) if (!this.#interests.has(name)) this.cache.forget(name)
  }

  /** Asks at once, unless a failure's back-off is running or a request is in progress (then after it). */
  refresh(reason: string): void {
    if (this.#isClosed) return
    if (this.#isInProgress) {
      this.#isWantedAgain = true
      return
    }
    if (this.#timerIsFast) return
    this.#options.logger.debug('metadata', 'METADATA', `Refreshing metadata: ${reason}`)
    this.#send()
  }

  /** As `refresh`, but after the back-off of repeated attempts: for what a fresh answer did not repair. */
  refreshSoon(reason: string): void {
    if (this.#isClosed || this.#timerIsFast) return
    if (this.#isInProgress) {
      this.#isWantedAgain = true
      return
    }
    this.#options.logger.debug('metadata', 'METADATA', `Refreshing metadata soon: ${reason}`)
    this.#schedule(this.#backoff.nextMs(), true)
  }

  /** One request of its own; the answer updates the cache for topics that somebody wants. */
  query(query: MetadataQuery, done: (result: MetadataResult) => void): void {
    const { pool, runtime } = this.#options
    const broker = pool.any()
    if (broker === undefined) {
      runtime.reactor.post(() =>
        done({
          ok: false,
          error: new KafkaError(KafkaError._TRANSPORT, 'No bootstrap.servers are configured'),
        }),
      )
      return
    }
    const topics = query.topics?.map((name) => ({ name })) ?? null
    broker.request({
      api: Metadata,
      minVersion: 4,
      body: { topics, allowAutoTopicCreation: query.mayCreate },
      timeoutMs: query.timeoutMs,
      isForAny: true,
      done: (result) => {
        if (!result.ok) {
          done({ ok: false, error: result.error })
          return
        }
        if (result.response.errorCode === ErrorCode.REBOOTSTRAP_REQUIRED) {
          this.#rebootstrap('a broker asks for it')
          done({ ok: false, error: new KafkaError(ErrorCode.REBOOTSTRAP_REQUIRED) })
          return
        }
        this.#answered(result.response, query.topics === null)
        done({ ok: true, response: result.response, broker })
      },
    })
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#listeners.clear()
  }

  #send(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#timerIsFast = false
    const { config, pool } = this.#options
    const topics = this.#wantsAllTopics ? null : [...this.#interests.keys()]
    if (topics !== null && topics.length === 0 && pool.byId(this.cache.controllerId) !== undefined) {
      this.#scheduleRegular()
      return
    }
    this.#isInProgress = true
    const mayCreate = config.get('allow.auto.create.topics')
    this.query({ topics, mayCreate, timeoutMs: config.get('socket.timeout.ms') }, (result) => {
      this.#isInProgress = false
      if (this.#isClosed) return
      if (!result.ok) this.#failed(result.error)
      else this.#succeeded(topics)
    })
  }

  /** @param isWhole all topics were asked for: what is not in the answer does not exist */
  #answered(response: MetadataResponse, isWhole: boolean): void {
    if (this.#isClosed) return
    const { pool, runtime } = this.#options
    this.#lastSuccessMs = runtime.clock.monotonicMs()
    const isWanted = (name: string | null): boolean =>
      name !== null && (this.#wantsAllTopics || this.#interests.has(name))
    const topics = response.topics.filter(({ name }) => isWanted(name))
    this.cache.apply({ ...response, topics }, this.#lastSuccessMs)
    if (isWhole && response.brokers.length > 0) this.#noteDeleted(response)
    if (isWhole && this.#wantsAllTopics) this.#hasAllTopics = true
    // An empty list would cut every connection; a broker that is still starting may answer so.
    if (response.brokers.length > 0) pool.update(response.brokers)
    for (const listener of this.#listeners) listener()
  }

  /** Topics that are gone: those that somebody needs are known to be missing, the others are forgotten. */
  #noteDeleted(response: MetadataResponse): void {
    const present = new Set(response.topics.map(({ name }) => name))
    const gone = [...this.cache.topics()].filter(({ name }) => !present.has(name))
    for (const { name, errorCode } of gone) {
      if (!this.#interests.has(name)) this.cache.forget(name)
      else if (errorCode === ErrorCode.NONE) this.cache.markMissing(name, this.#lastSuccessMs)
    }
  }

  #succeeded(topics: readonly string[] | null): void {
    const isAsked = (name: string): boolean => topics === null || topics.includes(name)
    const isNewWanted = [...this.#interests.keys()].some((name) => !isAsked(name))
    const isMissing = [...this.#interests.keys()].some((name) => isAsked(name) && this.#isIncomplete(name))
    const isWantedAgain = this.#isWantedAgain
    this.#isWantedAgain = false
    if (!isMissing) this.#backoff.reset()
    if (isNewWanted) this.#send()
    else if (isMissing || isWantedAgain) this.#schedule(this.#backoff.nextMs(), true)
    else this.#scheduleRegular()
  }

  #isIncomplete(name: string): boolean {
    const topic = this.cache.topic(name)
    if (topic === undefined) return true
    if (topic.errorCode !== ErrorCode.NONE) return true
    return topic.partitions.length === 0 || topic.partitions.some(({ leaderId }) => leaderId < 0)
  }

  #failed(error: KafkaError): void {
    const { config, logger, runtime } = this.#options
    this.#isWantedAgain = false
    logger.debug('metadata', 'METADATA', `Metadata request failed: ${error.str()}`)
    const triggerMs = config.get('metadata.recovery.rebootstrap.trigger.ms')
    if (runtime.clock.monotonicMs() - this.#lastSuccessMs >= triggerMs)
      this.#rebootstrap('no metadata for too long')
    this.#schedule(this.#backoff.nextMs(), true)
  }

  #rebootstrap(reason: string): void {
    const { config, pool, runtime, logger } = this.#options
    if (config.get('metadata.recovery.strategy') !== 'rebootstrap') return
    logger.debug('metadata', 'REBOOTSTRAP', `Starting from bootstrap.servers: ${reason}`)
    this.#lastSuccessMs = runtime.clock.monotonicMs()
    pool.rebootstrap()
  }

  #scheduleRegular(): void {
    const intervalMs = this.#options.config.get('topic.metadata.refresh.interval.ms')
    if (intervalMs > 0) this.#schedule(intervalMs, false)
  }

  #schedule(delayMs: number, isFast: boolean): void {
    if (this.#isClosed) return
    this.#timer?.cancel()
    this.#timerIsFast = isFast
    this.#timer = this.#options.runtime.scheduler.schedule('refreshing metadata', delayMs, () => this.#send())
  }
}
