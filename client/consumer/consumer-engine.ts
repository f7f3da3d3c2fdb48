/**
 * What a consumer consists of, and how its parts hear of each other. Run to completion: nothing here waits. `consumer.ts`
 * puts the documented surface and its promises on top.
 */
import type { Timer } from '../../common/runtime/scheduler.ts'
import { ClientCore } from '../client-core.ts'
import type { ClientHooks } from '../client-hooks.ts'
import type { Config } from '../config/config.ts'
import { KafkaError, KafkaException, kafkaException } from '../errors.ts'
import { OnceEvent } from '../event-queue.ts'
import type { Emitter } from '../events/event-notifier.ts'
import { Message } from '../values/message.ts'
import { TopicPartition } from '../values/topic-partition.ts'
import { type AssignedPartition, isUsableOffset } from './assigned-partition.ts'
import { Assignment } from './assignment.ts'
import { ClassicMembership } from './classic-membership.ts'
import { CommittedOffsets } from './committed-offsets.ts'
import { ConsumerMembership } from './consumer-membership.ts'
import { DeliveryQueue, type Taken } from './delivery-queue.ts'
import { FetchOutcomes, type FetchTotals } from './fetch-outcomes.ts'
import { Fetcher } from './fetcher.ts'
import { GroupCoordinator } from './group-coordinator.ts'
import type { Membership, MembershipHooks, Rebalance } from './membership.ts'
import { OffsetCommits } from './offset-commits.ts'
import { PollWatch } from './poll-watch.ts'
import { PositionResolver } from './position-resolver.ts'
import { RebalanceQueue } from './rebalance-queue.ts'
import type { Subscription } from './subscription.ts'
import { TopicWatch } from './topic-watch.ts'

/** Longest that a commit of the client's own (automatic, on revoke, on close) is tried. */
const ownCommitMs = 10_000

export class ConsumerEngine<C> {
  readonly core: ClientCore
  readonly delivery: DeliveryQueue
  readonly assignment: Assignment
  readonly coordinator: GroupCoordinator
  readonly committed: CommittedOffsets
  readonly commits: OffsetCommits
  readonly topics: TopicWatch
  readonly rebalances: RebalanceQueue<C>
  readonly membership: Membership
  readonly pollWatch: PollWatch
  readonly fetched: FetchTotals
  readonly #resolver: PositionResolver
  readonly #fetcher: Fetcher
  /** A message that goes to the application counts as stored. A stream stores by itself. */
  storesOffsets: boolean
  /** A stream reads: there is one at a time. */
  isStreamed = false
  readonly #commitsOffsets: boolean
  #autoCommitTimer: Timer | undefined
  #fatalError: KafkaError | undefined
  #isOverdue = false
  #isClosing = false

  constructor(consumer: C, config: Config, hooks: ClientHooks, emitter: Emitter) {
    this.core = new ClientCore(config, hooks, {
      onRoom: () => this.#fetcher.touch(),
      onDown: () => this.#fetcher.touch(),
      emitter,
    })
    const { core } = this
    this.storesOffsets = config.get('enable.auto.offset.store')
    this.#commitsOffsets = config.get('enable.auto.commit')
    this.delivery = new DeliveryQueue((partition) => this.#fetcher.drained(partition))
    this.assignment = new Assignment({
      delivery: this.delivery,
      maxPartitionBytes: config.get('fetch.message.max.bytes'),
      nowMs: () => core.runtime.clock.monotonicMs(),
      wantTopic: (topic) => core.metadata.want(topic),
      unwantTopic: (topic) => core.metadata.unwant(topic),
    })
    const { delivery, assignment } = this
    const identity = () => this.membership.identity
    this.coordinator = new GroupCoordinator(core, config.get('group.id') ?? '')
    this.committed = new CommittedOffsets(core, this.coordinator, identity)
    this.commits = new OffsetCommits(core, this.coordinator, assignment, identity)
    const onReady = (): void => this.#fetcher.touch()
    this.#resolver = new PositionResolver({ core, assignment, delivery, committed: this.committed, onReady })
    const outcomes = new FetchOutcomes({ core, delivery, resolver: this.#resolver })
    this.fetched = outcomes.fetched
    this.#fetcher = new Fetcher(core, assignment, delivery, outcomes)
    this.topics = new TopicWatch({ core, assignment, onEvent: (event) => this.pushEvent(event) })
    this.rebalances = new RebalanceQueue<C>(consumer, {
      apply: (rebalance) => this.#apply(rebalance),
      finish: (rebalance) => this.#finish(rebalance),
    })
    this.membership = this.#makeMembership(config)
    this.pollWatch = new PollWatch(core.runtime, config.get('max.poll.interval.ms'), (elapsedMs) =>
      this.#pollOverdue(elapsedMs),
    )
    core.metadata.onUpdate(() => this.#metadataUpdated())
  }

  /** What ended the instance. */
  get fatalError(): KafkaError | undefined {
    return this.#fatalError
  }

  get isClosing(): boolean {
    return this.#isClosing
  }

  /** Replaces the subscription, and joins. */
  subscribe(subscription: Subscription): void {
    this.topics.subscribe(subscription)
    this.#isOverdue = false
    this.pollWatch.start()
    this.membership.subscriptionChanged()
  }

  /** Gives back and leaves. */
  unsubscribe(): void {
    if (this.topics.subscription === undefined) return
    this.pollWatch.stop()
    this.topics.subscribe(undefined)
    this.membership.leave('the consumer unsubscribed')
  }

  /** A serving call began: a member that was away joins again. */
  polled(): void {
    if (!this.#isOverdue) return
    this.#isOverdue = false
    this.pollWatch.start()
    this.membership.rejoin()
  }

  /** A message goes to the application: its offset counts as returned, and as stored where that is automatic. */
  deliver(message: Message, source: AssignedPartition | undefined): void {
    const offset = message.offset()
    if (message.error()?.code() === KafkaError._PARTITION_EOF) this.#tellEof(message)
    if (source === undefined || source.isRemoved || offset === null || message.error() !== null) return
    source.appOffset = offset + 1
    source.appEpoch = message.leaderEpoch() ?? -1
    if (this.storesOffsets) this.store(source, offset + 1, source.appEpoch, null)
  }

  /** The application takes messages as not handed out, in their order. */
  unread(messages: readonly Message[]): void {
    const taken: Taken[] = []
    const seen = new Set<AssignedPartition>()
    for (const message of messages) {
      const source = this.assignment.get(message.topic() ?? '', message.partition() ?? -1)
      const offset = message.offset()
      if (source === undefined || offset === null) continue
      taken.push({ message, source })
      if (seen.has(source)) continue
      seen.add(source)
      source.appOffset = offset
      if (this.storesOffsets && source.storedOffset > offset) source.storedOffset = offset
    }
    this.delivery.unread(taken)
    this.core.events.notify()
  }

  /** Notes what the next commit without arguments commits. */
  store(partition: AssignedPartition, offset: number, leaderEpoch: number, metadata: string | null): void {
    partition.storedOffset = offset
    partition.storedEpoch = leaderEpoch
    partition.storedMetadata = metadata
  }

  /** Queues an event of the consumer, an error say, for the next serving call; nothing once it is being closed. */
  pushEvent(event: Message): void {
    if (this.#isClosing) return
    this.delivery.pushEvent(event)
    this.core.events.notify()
  }

  /** Replaces the assignment. */
  assign(partitions: readonly TopicPartition[]): void {
    this.#checkFamily('eager')
    checkPartitions(partitions)
    this.rebalances.noteApplied()
    this.#remove([...this.assignment.all()])
    if (this.#mayAssign) this.#add(partitions)
  }

  unassign(): void {
    this.#checkFamily('eager')
    this.rebalances.noteApplied()
    this.#remove([...this.assignment.all()])
  }

  incrementalAssign(partitions: readonly TopicPartition[]): void {
    this.#checkFamily('cooperative')
    checkPartitions(partitions)
    for (const { topic, partition } of partitions) {
      if (this.assignment.get(topic, partition) !== undefined) {
        throw kafkaException(KafkaError._CONFLICT, `${topic}[${partition}] is assigned already`)
      }
    }
    this.rebalances.noteApplied()
    if (this.#mayAssign) this.#add(partitions)
  }

  incrementalUnassign(partitions: readonly TopicPartition[]): void {
    this.#checkFamily('cooperative')
    checkPartitions(partitions)
    const found = partitions.map(({ topic, partition }) => {
      const assigned = this.assignment.get(topic, partition)
      if (assigned === undefined) {
        throw kafkaException(KafkaError._INVALID_ARG, `${topic}[${partition}] is not assigned`)
      }
      return assigned
    })
    this.rebalances.noteApplied()
    this.#remove(found)
  }

  /** @param leaderEpoch -1 when not known */
  seek(partition: AssignedPartition, offset: number, leaderEpoch: number): void {
    this.assignment.seek(partition, offset, leaderEpoch)
    this.#fetcher.positionJumped()
    this.#resolver.touch()
  }

  setPaused(partition: AssignedPartition, isPaused: boolean): void {
    this.delivery.setPaused(partition, isPaused)
    this.#fetcher.touch()
    this.core.events.notify()
  }

  /** Stored offsets of the partitions that were not committed yet. */
  storedOffsets(partitions: Iterable<AssignedPartition> = this.assignment.all()): TopicPartition[] {
    const offsets: TopicPartition[] = []
    for (const partition of partitions) {
      if (!partition.hasOffsetToCommit) continue
      const { storedEpoch: leaderEpoch, storedMetadata: metadata } = partition
      offsets.push(
        new TopicPartition(partition.topic, partition.id, partition.storedOffset, { leaderEpoch, metadata }),
      )
    }
    return offsets
  }

  /** Throws `_ASSIGNMENT_LOST` while lost partitions are told of. */
  checkCommit(): void {
    if (this.rebalances.current?.kind === 'lost') {
      throw kafkaException(KafkaError._ASSIGNMENT_LOST, 'The partitions belong to others by now')
    }
  }

  /** A commit whose outcome goes to `on_commit`. */
  commitInBackground(offsets: readonly TopicPartition[], timeoutMs: number): void {
    const callback = this.core.config.get('on_commit')
    this.commits.commit(offsets, timeoutMs, (error, partitions) => {
      if (callback !== undefined) this.core.events.push(new OnceEvent(() => callback(error, partitions)))
      else if (error !== null) {
        this.core.logger.debug('cgrp', 'COMMITFAIL', `Offset commit failed: ${error.str()}`)
      }
      this.core.events.notify()
    })
  }

  /** Stops reading, gives back and leaves; what needs the application is queued. `done` when nothing is left to do. */
  beginClose(done: () => void): void {
    this.#isClosing = true
    this.pollWatch.stop()
    this.#autoCommitTimer?.cancel()
    this.#fetcher.stop()
    this.#resolver.stop()
    const isSubscribed = this.topics.subscription !== undefined || this.membership.isMember
    this.topics.subscribe(undefined)
    if (!isSubscribed) this.#remove([...this.assignment.all()])
    this.commits.whenIdle(() =>
      isSubscribed ? this.membership.leave('the consumer is being closed', done) : done(),
    )
  }

  close(): void {
    this.membership.close()
    this.commits.close()
    this.coordinator.close()
    this.core.close()
  }

  /** Something may be there to look up or to fetch. */
  touch(): void {
    this.#resolver.touch()
    this.#fetcher.touch()
  }

  get #mayAssign(): boolean {
    return this.#fatalError === undefined && !this.#isClosing
  }

  #makeMembership(config: Config): Membership {
    const { core, coordinator } = this
    const hooks: MembershipHooks = {
      rebalance: (rebalance) => {
        this.rebalances.push(rebalance)
        core.events.notify()
      },
      withdrawRebalance: () => this.rebalances.withdraw(),
      owned: () => [...this.assignment.all()].map(({ topic, id }) => new TopicPartition(topic, id)),
      onError: (error) => this.pushEvent(new Message({ error })),
      onFatal: (error) => this.#fatal(error),
      onIdentity: () => this.#resolver.touch(),
      topics: () => this.topics.topics(),
      subscription: () => this.topics.subscription,
    }
    return config.get('group.protocol') === 'consumer'
      ? new ConsumerMembership(core, coordinator, hooks)
      : new ClassicMembership(core, coordinator, hooks)
  }

  #checkFamily(family: 'eager' | 'cooperative'): void {
    const { rebalanceProtocol } = this.membership
    if (rebalanceProtocol === 'none' || rebalanceProtocol === family) return
    const instead = family === 'eager' ? 'incrementalAssign and incrementalUnassign' : 'assign and unassign'
    throw kafkaException(KafkaError._STATE, `The group rebalances ${rebalanceProtocol}ly: use ${instead}`)
  }

  #add(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.assignment.add(partition)
    // Not sooner: a timer would keep a process alive whose consumer was never used.
    if (this.#autoCommitTimer === undefined) this.#scheduleAutoCommit()
    this.topics.metadataUpdated()
    this.touch()
  }

  #remove(partitions: readonly AssignedPartition[]): void {
    const isLost = this.rebalances.current?.kind === 'lost'
    if (this.#commitsOffsets && !isLost) {
      const offsets = this.storedOffsets(partitions)
      if (offsets.length > 0) this.commitInBackground(offsets, ownCommitMs)
    }
    for (const partition of partitions) this.assignment.remove(partition)
    this.#fetcher.touch()
  }

  #apply({ kind, isIncremental, partitions }: Rebalance): void {
    if (kind === 'assign') {
      if (!isIncremental) this.#remove([...this.assignment.all()])
      const fresh = partitions.filter(({ topic, partition }) => !this.assignment.get(topic, partition))
      if (this.#mayAssign) this.#add(fresh)
    } else this.#remove(isIncremental ? this.#find(partitions) : [...this.assignment.all()])
  }

  #finish(rebalance: Rebalance): void {
    const { kind, isIncremental, partitions } = rebalance
    this.core.notifier.tellNow('rebalance', { type: kind, partitions })
    if (kind !== 'assign') {
      const left = isIncremental ? this.#find(partitions) : [...this.assignment.all()]
      for (const partition of left) this.assignment.remove(partition)
    }
    if (kind === 'revoke') this.commits.whenIdle(() => rebalance.done())
    else rebalance.done()
  }

  #tellEof(message: Message): void {
    const { notifier } = this.core
    if (!notifier.has('partition-eof')) return
    const position = new TopicPartition(
      message.topic() ?? '',
      message.partition() ?? -1,
      message.offset() ?? -1,
    )
    notifier.tellNow('partition-eof', position)
  }

  #find(partitions: readonly TopicPartition[]): AssignedPartition[] {
    const found: AssignedPartition[] = []
    for (const { topic, partition } of partitions) {
      const assigned = this.assignment.get(topic, partition)
      if (assigned !== undefined) found.push(assigned)
    }
    return found
  }

  #metadataUpdated(): void {
    this.topics.metadataUpdated()
    this.#resolver.leadersChanged()
    this.#fetcher.touch()
    this.membership.metadataUpdated()
  }

  #pollOverdue(elapsedMs: number): void {
    const maxMs = this.core.config.get('max.poll.interval.ms')
    const text = `No poll for ${Math.round(elapsedMs)} ms (max.poll.interval.ms is ${maxMs}): leaving the group`
    this.pushEvent(new Message({ error: new KafkaError(KafkaError._MAX_POLL_EXCEEDED, text) }))
    this.#isOverdue = true
    this.membership.pollOverdue()
  }

  #scheduleAutoCommit(): void {
    const intervalMs = this.core.config.get('auto.commit.interval.ms')
    if (!this.#commitsOffsets || intervalMs <= 0 || this.#isClosing) return
    this.#autoCommitTimer = this.core.runtime.scheduler.schedule('automatic commit', intervalMs, () => {
      const offsets = this.storedOffsets()
      // The last one is still on its way: this one would repeat it.
      if (offsets.length > 0 && !this.commits.isBusy) this.commitInBackground(offsets, ownCommitMs)
      this.#scheduleAutoCommit()
    })
  }

  #fatal(error: KafkaError): void {
    if (this.#fatalError !== undefined) return
    this.#fatalError = error
    this.#fetcher.stop()
    this.#resolver.stop()
    this.core.events.push(
      new OnceEvent(() => {
        throw new KafkaException(error)
      }),
    )
  }
}

function checkPartitions(partitions: readonly TopicPartition[]): void {
  const keys = new Set<string>()
  for (const entry of partitions) {
    if (keys.has(entry.key())) throw kafkaException(KafkaError._INVALID_ARG, `${entry} is given twice`)
    keys.add(entry.key())
    if (!isUsableOffset(entry.offset))
      throw kafkaException(KafkaError._INVALID_ARG, `offset ${entry.offset} of ${entry.key()} is not valid`)
    if (entry.partition < 0) throw kafkaException(KafkaError._INVALID_ARG, `${entry} has no partition`)
  }
}
