/**
 * The documented ShareConsumer (KIP-932): many consumers on one partition, each record acknowledged by itself. Assignment is the
 * broker's. `poll` hands out a batch; its records are accepted with the next `poll` (implicit mode) or one by one (explicit mode).
 *
 * One caller at a time; callbacks of the application run inside `poll`, `commitSync`, `commitAsync` and `close` only.
 */
import { EventEmitter } from 'node:events'
import { ClientCore } from '../client-core.ts'
import type { ClientHooks } from '../client-hooks.ts'
import { readConfig } from '../config/read-config.ts'
import type { ClientConfig } from '../config/table.ts'
import { AcknowledgeType } from '../constants.ts'
import { GroupCoordinator } from '../consumer/group-coordinator.ts'
import {
  ConcurrentModificationException,
  IllegalStateException,
  type KafkaError,
  KafkaException,
  ValueError,
} from '../errors.ts'
import type { ClientEvents } from '../events/event-maps.ts'
import { commonStatistics } from '../statistics/broker-document.ts'
import {
  type CallLimits,
  type CloseOptions,
  callLimits,
  closeLimits,
  type ListTopicsOptions,
  type Timeout,
} from '../timeouts.ts'
import type { ClusterMetadata } from '../values/cluster-metadata.ts'
import type { Message } from '../values/message.ts'
import type { TopicPartition } from '../values/topic-partition.ts'
import { type AcknowledgementCommitCallback, AcknowledgementCommits } from './acknowledgement-commits.ts'
import { InFlightBatch } from './in-flight-batch.ts'
import { Messages } from './messages.ts'
import { ShareFetcher } from './share-fetcher.ts'
import { ShareMembership } from './share-membership.ts'

/** Longest that `close` waits for brokers, unless it is told otherwise. */
const defaultCloseMs = 15_000
const defaultCommitMs = 60_000

const acknowledgeTypes: ReadonlySet<unknown> = new Set(Object.values(AcknowledgeType))

export class ShareConsumer extends EventEmitter<ClientEvents> {
  readonly #core: ClientCore
  readonly #coordinator: GroupCoordinator
  readonly #membership: ShareMembership
  readonly #fetcher: ShareFetcher
  readonly #commits: AcknowledgementCommits
  readonly #batch = new InFlightBatch()
  readonly #isExplicit: boolean
  #topics: readonly string[] = []
  #isBusy = false
  /** What the next `poll` fails with. */
  #error: KafkaError | undefined
  #closing: Promise<void> | undefined

  /** @param hooks for tests: see `ClientHooks` */
  constructor(conf?: ClientConfig, extra?: ClientConfig, hooks: ClientHooks = {}) {
    super()
    const config = readConfig('share-consumer', conf, extra)
    this.#isExplicit = config.get('share.acknowledgement.mode') === 'explicit'
    this.#core = new ClientCore(config, hooks, {
      onRoom: () => this.#fetcher.touch(),
      onDown: () => this.#fetcher.touch(),
      emitter: this,
    })
    const groupId = config.get('group.id') ?? ''
    const onError = (error: KafkaError): void => {
      this.#error ??= error
      this.#core.events.notify()
    }
    this.#coordinator = new GroupCoordinator(this.#core, groupId)
    this.#membership = new ShareMembership(this.#core, this.#coordinator, {
      onAssignment: () => this.#fetcher.touch(),
      onFenced: () => this.#fetcher.forgetSessions(),
      onError,
    })
    this.#fetcher = new ShareFetcher(this.#core, groupId, this.#membership, {
      onRecords: () => this.#core.events.notify(),
      onError,
    })
    this.#commits = new AcknowledgementCommits(this.#core, this.#fetcher)
    this.#core.metadata.onUpdate(() => this.#fetcher.touch())
    this.#core.startStatistics(() => ({ ...commonStatistics(this.#core, 'consumer'), topics: {} }))
  }

  /**
   * As the constructor, and fails early (addition): rejects with `SASL_AUTHENTICATION_FAILED` when OAUTHBEARER is wanted and no
   * first token comes.
   */
  static async create(
    conf?: ClientConfig,
    extra?: ClientConfig,
    hooks: ClientHooks = {},
  ): Promise<ShareConsumer> {
    const made = new ShareConsumer(conf, extra, hooks)
    return made.#core.whenReady(made)
  }

  /** Joins the group for these topics, which are taken literally. None is the same as `unsubscribe`. */
  subscribe(topics: readonly string[]): void {
    this.#alone(() => {
      if (!Array.isArray(topics) || topics.some((topic) => typeof topic !== 'string')) {
        throw new TypeError('topics must be a list of strings')
      }
      if (topics.includes('')) throw new ValueError('a topic must have a name')
      if (new Set(topics).size !== topics.length) throw new ValueError('a topic is named twice')
      if (topics.length === 0) this.#unsubscribe()
      else {
        this.#replaceTopics(topics)
        this.#membership.subscribe(this.#topics)
      }
    })
  }

  /** Leaves the group. Verdicts that were given are sent; the other records go to other members. */
  unsubscribe(): void {
    this.#alone(() => this.#unsubscribe())
  }

  /** The topics of the last `subscribe`; none after `unsubscribe`. */
  subscription(): string[] {
    return this.#alone(() => [...this.#topics])
  }

  /** The next batch; an empty one when the time is over. In implicit mode it accepts what the batch before holds. */
  async poll(timeout?: Timeout): Promise<Messages> {
    return await this.#aloneUntil(async () => {
      const limits = callLimits(timeout)
      limits.signal?.throwIfAborted()
      if (this.#topics.length === 0)
        throw new IllegalStateException('Consumer is not subscribed to any topics')
      this.#decideBatch()
      this.#commits.commit(this.#batch.takeDecided())
      return await this.#poll(limits)
    })
  }

  /** Notes a verdict over a record of the last batch; it leaves with the next `poll` or commit. Explicit mode only. */
  acknowledge(message: Message, type: AcknowledgeType = AcknowledgeType.ACCEPT): void {
    this.acknowledgeOffset(
      message.topic() as string,
      message.partition() as number,
      message.offset() as number,
      type,
    )
  }

  /** The same by coordinates, for when the message is gone. */
  acknowledgeOffset(
    topic: string,
    partition: number,
    offset: number,
    type: AcknowledgeType = AcknowledgeType.ACCEPT,
  ): void {
    this.#alone(() => {
      if (typeof topic !== 'string') throw new ValueError('a record has a topic')
      if (!(Number.isInteger(partition) && partition >= 0)) throw new ValueError('a record has a partition')
      if (!(Number.isInteger(offset) && offset >= 0)) throw new ValueError('a record has an offset')
      if (!acknowledgeTypes.has(type)) throw new ValueError(`${type} is no AcknowledgeType`)
      if (!this.#isExplicit) {
        throw new IllegalStateException('Implicit acknowledgement of delivery is being used')
      }
      if (!this.#batch.decide(topic, partition, offset, type)) {
        throw new IllegalStateException(`The record ${topic}[${partition}]@${offset} cannot be acknowledged`)
      }
    })
  }

  /** Sends what has a verdict (implicit mode: accepts the last batch) and waits; a minute unless told otherwise. */
  async commitSync(timeout?: Timeout): Promise<Map<TopicPartition, KafkaException | null>> {
    return await this.#aloneUntil(async () => {
      const { timeoutMs, signal } = callLimits(timeout ?? { timeoutMs: defaultCommitMs })
      signal?.throwIfAborted()
      if (!this.#isExplicit) this.#batch.acceptRest()
      const { results, isSettled } = this.#commits.commitAwaited(this.#batch.takeDecided())
      await this.#serveUntil(isSettled, { timeoutMs, signal })
      return results
    })
  }

  /** As `commitSync` without the wait: the outcome goes to the callback. */
  commitAsync(): void {
    this.#alone(() => {
      if (!this.#isExplicit) this.#batch.acceptRest()
      this.#commits.commit(this.#batch.takeDecided())
      this.#core.events.serveReady()
    })
  }

  /** Told of what became of acknowledgements, except those of `commitSync`. */
  setAcknowledgementCommitCallback(callback: AcknowledgementCommitCallback | null): void {
    this.#alone(() => {
      if (callback !== null && typeof callback !== 'function') {
        throw new TypeError('the callback must be a function or null')
      }
      this.#commits.callback = callback
    })
  }

  /** Brokers, and all topics or one. A timeout in seconds, or the options object. */
  async listTopics(topic?: string | null | ListTopicsOptions, timeout?: Timeout): Promise<ClusterMetadata> {
    return await this.#aloneUntil(() => this.#core.listTopics(topic, timeout))
  }

  /** For PLAIN and SCRAM, from the next authentication on. */
  setSaslCredentials(username: string, password: string): void {
    this.#alone(() => this.#core.setSaslCredentials(username, password))
  }

  /** Sends what has a verdict, releases the rest, leaves the group. Idempotent. */
  async close(options: CloseOptions = {}): Promise<void> {
    if (this.#closing === undefined) {
      const limits = closeLimits(options, defaultCloseMs)
      this.#enter()
      this.#closing = this.#close(limits).finally(() => this.#leave())
    }
    await this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(limits: CallLimits): Promise<void> {
    const { clock } = this.#core.runtime
    const deadlineMs = clock.monotonicMs() + limits.timeoutMs
    let isDone = false
    this.#commits.commit(this.#batch.takeDecided())
    this.#batch.drop()
    this.#fetcher.endSessions(() =>
      this.#membership.leave(() => {
        isDone = true
        this.#core.events.notify()
      }),
    )
    try {
      await this.#serveUntil(() => isDone, limits)
      await this.#core.pushLastMetrics({ ...limits, timeoutMs: deadlineMs - clock.monotonicMs() })
    } finally {
      this.#fetcher.stop()
      this.#membership.close()
      this.#coordinator.close()
      this.#core.close()
    }
  }

  async #poll({ timeoutMs, signal }: CallLimits): Promise<Messages> {
    const { clock } = this.#core.runtime
    const { events, config } = this.#core
    const deadlineMs = clock.monotonicMs() + timeoutMs
    await events.turn()
    try {
      for (;;) {
        events.serveReady()
        signal?.throwIfAborted()
        const error = this.#error
        this.#error = undefined
        if (error !== undefined) throw new KafkaException(error)
        const taken = this.#fetcher.take(config.get('max.poll.records'))
        if (taken.length > 0) {
          for (const records of taken) this.#batch.add(records)
          return Messages.holding(taken.flatMap(({ messages }) => messages))
        }
        this.#fetcher.want(true)
        const leftMs = deadlineMs - clock.monotonicMs()
        if (leftMs <= 0) {
          // The request leaves in the turn to come; what it brings is for the next poll.
          await events.turn()
          return Messages.holding([])
        }
        await events.wait(leftMs, signal)
      }
    } finally {
      this.#fetcher.want(false)
    }
  }

  /** Serves callbacks until the condition holds, or the time is over. */
  async #serveUntil(condition: () => boolean, { timeoutMs, signal }: CallLimits): Promise<void> {
    const { clock } = this.#core.runtime
    const { events } = this.#core
    const deadlineMs = clock.monotonicMs() + timeoutMs
    for (;;) {
      events.serveReady()
      if (condition()) return
      signal?.throwIfAborted()
      const leftMs = deadlineMs - clock.monotonicMs()
      if (leftMs <= 0) return
      await events.wait(leftMs, signal)
    }
  }

  #decideBatch(): void {
    if (!this.#isExplicit) this.#batch.acceptRest()
    else if (this.#batch.hasUndecided) {
      throw new IllegalStateException('All records must be acknowledged in explicit acknowledgement mode')
    }
  }

  #unsubscribe(): void {
    if (this.#topics.length === 0) return
    this.#replaceTopics([])
    this.#commits.commit(this.#batch.takeDecided())
    this.#batch.drop()
    this.#fetcher.endSessions(() => {})
    this.#membership.leave(() => {})
  }

  #replaceTopics(topics: readonly string[]): void {
    for (const topic of topics) this.#core.metadata.want(topic)
    for (const topic of this.#topics) this.#core.metadata.unwant(topic)
    this.#topics = [...topics]
  }

  #enter(): void {
    if (this.#commits.isInCallback) throw new IllegalStateException('A callback must not call the consumer')
    if (this.#closing !== undefined) throw new IllegalStateException('This consumer has already been closed')
    if (this.#isBusy) {
      throw new ConcurrentModificationException('The share consumer is not safe for several callers at once')
    }
    this.#isBusy = true
  }

  #leave(): void {
    this.#isBusy = false
  }

  #alone<T>(call: () => T): T {
    this.#enter()
    try {
      return call()
    } finally {
      this.#leave()
    }
  }

  async #aloneUntil<T>(call: () => Promise<T>): Promise<T> {
    this.#enter()
    try {
      return await call()
    } finally {
      this.#leave()
    }
  }
}
