/** kafkajs's consumer over the client's: `subscribe`, then `run` with a handler. */
import { AdminClient } from '../admin/admin-client.ts'
import type { ClientConfig } from '../config/table.ts'
import { OFFSET_BEGINNING, OFFSET_END } from '../constants.ts'
import { Consumer as ClientConsumer } from '../consumer/consumer.ts'
import type { GroupJoinEvent } from '../events/event-maps.ts'
import { TopicPartition } from '../values/topic-partition.ts'
import { clamp } from './client-settings.ts'
import {
  type ConsumerConfig,
  type ConsumerRunConfig,
  type ConsumerSubscription,
  PartitionAssigners,
  type TopicPartitionOffset,
  type TopicPartitionOffsetAndMetadata,
  type TopicPartitions,
} from './consumer-types.ts'
import { KafkaJSNonRetriableError, KafkaJSNotImplemented, translated } from './errors.ts'
import { type FacadeParts, lookUpMs } from './facade-parts.ts'
import { firstContact } from './first-contact.ts'
import { consumerEvents, forwardRequests, Instrumentation, type Listener } from './instrumentation.ts'
import { forwardLog, type Logger } from './logger.ts'
import { toOffsets } from './offset-tracker.ts'
import { Pauses, type TopicSelection } from './pauses.ts'
import { Runner } from './runner.ts'

export interface GroupDescription {
  readonly groupId: string
  readonly state: string
  readonly protocol: string
  readonly protocolType: string
  readonly members: readonly {
    readonly memberId: string
    readonly clientId: string
    readonly clientHost: string
    readonly memberMetadata: Buffer
    readonly memberAssignment: Buffer
  }[]
}

const defaultSessionMs = 30_000
const defaultRebalanceMs = 60_000

export class Consumer {
  readonly events = consumerEvents
  readonly #parts: FacadeParts
  readonly #config: ConsumerConfig
  readonly #instrumentation: Instrumentation
  readonly #pauses = new Pauses()
  /** Its handlers are about to end. */
  #ending: Runner | undefined
  /** `fromBeginning`, by topic or expression. */
  readonly #topics = new Map<string, boolean>()
  readonly #seeks = new Map<string, TopicPartition>()
  #settings: ClientConfig = {}
  #consumer: ClientConsumer | undefined
  #runner: Runner | undefined
  #connecting: Promise<void> | undefined
  #join: GroupJoinEvent | undefined

  constructor(parts: FacadeParts, config: ConsumerConfig) {
    if (typeof config?.groupId !== 'string' || config.groupId === '') {
      throw new KafkaJSNonRetriableError('Consumer groupId must be a non-empty string.')
    }
    this.#parts = parts
    this.#config = config
    if (config.partitionAssigners?.some((assigner) => assigner !== PartitionAssigners.roundRobin)) {
      parts.logger.warn('partitionAssigners of the application are not asked: partitions go round')
    }
    this.#instrumentation = new Instrumentation(consumerEvents, parts.timing, (error) =>
      parts.logger.error(`a listener failed: ${error}`),
    )
  }

  /** Rejects when no broker answers. */
  async connect(): Promise<void> {
    this.#connecting ??= this.#connect()
    try {
      await this.#connecting
    } catch (error) {
      this.#connecting = undefined
      await this.#consumer?.close({ force: true }).catch(() => {})
      this.#consumer = undefined
      throw error
    }
  }

  /** Stops, leaves the group and closes. Safe at any time. */
  async disconnect(): Promise<void> {
    await this.#connecting?.catch(() => {})
    this.#connecting = undefined
    const consumer = this.#consumer
    if (consumer === undefined) return
    await this.stop()
    this.#consumer = undefined
    await translated(() => consumer.close())
    this.#instrumentation.emit(consumerEvents.DISCONNECT, null)
  }

  async subscribe({ topic, topics, fromBeginning = false }: ConsumerSubscription): Promise<void> {
    if (this.#consumer === undefined) throw new KafkaJSNonRetriableError('The consumer is not connected')
    if (this.#runner !== undefined)
      throw new KafkaJSNonRetriableError('Cannot subscribe to topic while consumer is running')
    if (topics !== undefined && !Array.isArray(topics)) {
      throw new KafkaJSNonRetriableError('Argument "topics" must be an array')
    }
    const wanted = topics ?? (topic === undefined ? [] : [topic])
    if (wanted.length === 0) throw new KafkaJSNonRetriableError('Missing required argument "topics"')
    for (const one of wanted) this.#topics.set(subscriptionName(one), fromBeginning)
  }

  async run(config: ConsumerRunConfig = {}): Promise<void> {
    const consumer = this.#connected()
    if (this.#runner !== undefined) {
      this.#parts.logger.warn('consumer#run was called, but the consumer is already running')
      return
    }
    if (config.eachBatch === undefined && config.eachMessage === undefined) {
      throw new KafkaJSNonRetriableError('run needs eachMessage or eachBatch')
    }
    const runner = new Runner({
      consumer,
      config,
      retry: this.#config.retry ?? {},
      groupId: this.#config.groupId,
      clientId: `${this.#settings['client.id']}`,
      pauses: this.#pauses,
      instrumentation: this.#instrumentation,
      logger: this.#parts.logger,
      timing: this.#parts.timing,
    })
    runner.onPause = (selection) => this.#pause(selection)
    runner.onResume = (selection) => this.#resume(selection)
    runner.onEnded = () => void this.stop().catch((error: Error) => this.#parts.logger.error(error.message))
    this.#runner = runner
    await translated(() => this.#subscribe(consumer, runner))
    runner.start()
  }

  /** Ends `run`: handlers end, what they did is committed, the group is left. `run` may follow again. */
  async stop(): Promise<void> {
    const runner = this.#runner
    const consumer = this.#consumer
    if (runner === undefined || consumer === undefined) return
    this.#runner = undefined
    this.#ending = runner
    try {
      await translated(async () => {
        await runner.stop(this.#config.rebalanceTimeout ?? defaultRebalanceMs)
        consumer.unsubscribe()
        do await consumer.poll({ timeoutMs: 10 })
        while (consumer.assignment().length > 0)
      })
    } finally {
      this.#ending = undefined
    }
    this.#instrumentation.emit(consumerEvents.STOP, null)
  }

  async commitOffsets(positions: readonly TopicPartitionOffsetAndMetadata[]): Promise<void> {
    this.#connected()
    const runner = this.#running()
    for (const position of positions) checkPosition(position)
    const offsets = positions.map(
      ({ topic, partition, offset, metadata }) =>
        new TopicPartition(topic, partition, Number(offset), { metadata: metadata ?? null }),
    )
    await translated(() => runner.commit(offsets))
  }

  /** The next message of the partition; `-1` is the end and `-2` the beginning. Before the assignment it is kept for it. */
  seek({ topic, partition, offset }: TopicPartitionOffset): void {
    const number = checkPosition({ topic, partition, offset })
    const consumer = this.#connected()
    const runner = this.#running()
    const target = number === -1 ? OFFSET_END : number === -2 ? OFFSET_BEGINNING : number
    const position = new TopicPartition(topic, partition, target)
    runner.invalidate([position])
    runner.tracker.jump(position)
    const isAssigned = consumer.assignment().some((entry) => entry.equals(position))
    if (!isAssigned) this.#seeks.set(position.key(), position)
    else consumer.seek(position).catch((error: Error) => this.#parts.logger.error(`seek: ${error.message}`))
  }

  pause(selection: TopicSelection): void {
    for (const { topic } of selection) checkTopic(topic)
    this.#running()
    this.#pause(selection)
  }

  resume(selection: TopicSelection): void {
    for (const { topic } of selection) checkTopic(topic)
    this.#running()
    this.#resume(selection)
  }

  paused(): TopicPartitions[] {
    return this.#consumer === undefined ? [] : this.#pauses.paused(this.#consumer.assignment())
  }

  async describeGroup(): Promise<GroupDescription> {
    const { groupId } = this.#config
    this.#connected()
    await using admin = new AdminClient(this.#settings)
    const [group] = await translated(() => admin.listGroups(groupId, { timeoutMs: lookUpMs }))
    return groupDescription(group ?? deadGroup(groupId))
  }

  on<N extends string>(name: N, listener: Listener<N>): () => void {
    return this.#instrumentation.on(name, listener)
  }

  logger(): Logger {
    return this.#parts.logger
  }

  #connected(): ClientConsumer {
    if (this.#consumer === undefined) throw new KafkaJSNonRetriableError('The consumer is not connected')
    return this.#consumer
  }

  #pause(selection: TopicSelection): void {
    this.#pauses.pause(selection)
    this.#applyPauses()
  }

  /** Also of a handler's that calls it after the end of `run`. */
  #resume(selection: TopicSelection): void {
    this.#pauses.resume(selection)
    this.#applyPauses()
  }

  /** That of `run`, until its last handler has ended. */
  #running(): Runner {
    const runner = this.#runner ?? this.#ending
    if (runner === undefined) {
      throw new KafkaJSNonRetriableError(
        'Consumer group was not initialized, consumer#run must be called first',
      )
    }
    return runner
  }

  async #connect(): Promise<void> {
    this.#settings = await this.#parts.settings()
    const consumer = new ClientConsumer(this.#settings, consumerSettings(this.#config), {
      beforeRequest: ({ apiName, nodeId }) => {
        if (apiName === 'Fetch') this.#instrumentation.emit(consumerEvents.FETCH_START, { nodeId })
      },
    })
    this.#consumer = consumer
    forwardLog(consumer, this.#parts.logger)
    forwardRequests(consumer, this.#instrumentation, consumerEvents, this.#parts.timing)
    this.#forwardEvents(consumer)
    await firstContact(consumer, this.#parts.patience)
    this.#instrumentation.emit(consumerEvents.CONNECT, null)
  }

  #forwardEvents(consumer: ClientConsumer): void {
    const to = this.#instrumentation
    consumer.on('heartbeat', ({ groupId, memberId, generationId: groupGenerationId }) =>
      to.emit(consumerEvents.HEARTBEAT, { groupId, memberId, groupGenerationId }),
    )
    consumer.on('group-join', (event) => {
      this.#join = event
    })
    consumer.on('offset-commit', ({ groupId, error, partitions }) => {
      if (error !== null) return
      const { topics } = toOffsets(partitions)
      const memberId = this.#join?.memberId ?? ''
      const groupGenerationId = this.#join?.generationId ?? -1
      to.emit(consumerEvents.COMMIT_OFFSETS, { groupId, memberId, groupGenerationId, topics })
    })
    consumer.on('fetch', ({ nodeId, durationMs, partitionCount }) =>
      to.emit(consumerEvents.FETCH, { nodeId, duration: durationMs, numberOfBatches: partitionCount }),
    )
  }

  #subscribe(consumer: ClientConsumer, runner: Runner): void {
    if (this.#topics.size === 0) throw new KafkaJSNonRetriableError('subscribe comes before run')
    consumer.subscribe([...this.#topics.keys()], {
      onAssign: async (_consumer, partitions) => {
        consumer.assign(await this.#place(consumer, partitions))
        this.#applyPauses()
        this.#tellJoin(consumer)
      },
      onRevoke: async (_consumer, partitions) => {
        const { groupId } = this.#config
        this.#instrumentation.emit(consumerEvents.REBALANCING, {
          groupId,
          memberId: consumer.memberId() ?? '',
        })
        await runner.release(partitions)
      },
      onLost: (_consumer, partitions) => {
        runner.invalidate(partitions)
        runner.tracker.forget(partitions)
      },
    })
  }

  /** A seek first, then what is committed, then the beginning or the end. */
  async #place(consumer: ClientConsumer, partitions: readonly TopicPartition[]): Promise<TopicPartition[]> {
    if (partitions.length === 0) return []
    const committed = await consumer.committed(partitions)
    return committed.map((entry) => {
      const sought = this.#seeks.get(entry.key())
      if (sought !== undefined) {
        this.#seeks.delete(entry.key())
        return sought
      }
      if (entry.offset >= 0) return entry
      const offset = this.#isFromBeginning(entry.topic) ? OFFSET_BEGINNING : OFFSET_END
      return new TopicPartition(entry.topic, entry.partition, offset)
    })
  }

  #isFromBeginning(topic: string): boolean {
    const literal = this.#topics.get(topic)
    if (literal !== undefined) return literal
    for (const [name, fromBeginning] of this.#topics) {
      if (name.startsWith('^') && new RegExp(name).test(topic)) return fromBeginning
    }
    return false
  }

  #tellJoin(consumer: ClientConsumer): void {
    const join = this.#join
    if (join === undefined) return
    const { groupId, memberId, leaderId, isLeader, protocolName, durationMs } = join
    const memberAssignment: Record<string, number[]> = {}
    for (const { topic, partition } of consumer.assignment()) {
      memberAssignment[topic] = [...(memberAssignment[topic] ?? []), partition]
    }
    this.#instrumentation.emit(consumerEvents.GROUP_JOIN, {
      groupId,
      memberId,
      leaderId,
      isLeader,
      groupProtocol: protocolName,
      duration: durationMs,
      memberAssignment,
    })
  }

  #applyPauses(): void {
    const consumer = this.#consumer
    if (consumer === undefined) return
    for (const entry of consumer.assignment()) {
      if (this.#pauses.has(entry.topic, entry.partition)) consumer.pause([entry])
      else if (this.#runner?.isHeld(entry) !== true) consumer.resume([entry])
    }
  }
}

export function groupDescription(group: {
  readonly id: string
  readonly state: string
  readonly protocol: string
  readonly protocolType: string
  readonly members: readonly {
    readonly id: string
    readonly clientId: string
    readonly clientHost: string
    readonly metadata: Buffer
    readonly assignment: Buffer
  }[]
}): GroupDescription {
  const { id: groupId, state, protocol, protocolType } = group
  const members = group.members.map(({ id, clientId, clientHost, metadata, assignment }) => ({
    memberId: id,
    clientId,
    clientHost,
    memberMetadata: metadata,
    memberAssignment: assignment,
  }))
  return { groupId, state, protocol, protocolType, members }
}

/** How brokers described a group that does not exist, in the versions that kafkajs speaks. */
export function deadGroup(id: string) {
  return { id, state: 'Dead', protocol: '', protocolType: '', members: [] }
}

function checkTopic(topic: unknown): void {
  if (typeof topic !== 'string' || topic === '') throw new KafkaJSNonRetriableError(`Invalid topic ${topic}`)
}

/** @returns the offset */
function checkPosition({ topic, partition, offset }: TopicPartitionOffset): number {
  checkTopic(topic)
  if (!Number.isInteger(partition)) throw new KafkaJSNonRetriableError(`Invalid partition ${partition}`)
  const number = Number(offset)
  if (!Number.isInteger(number) || number < -2) throw new KafkaJSNonRetriableError(`Invalid offset ${offset}`)
  return number
}

/** An expression without flags becomes one of the client's, which match anywhere unless they are anchored. */
function subscriptionName(topic: unknown): string {
  if (typeof topic === 'string' && topic !== '') return topic
  if (!(topic instanceof RegExp)) throw new KafkaJSNonRetriableError(`Invalid topic ${String(topic)}`)
  if (topic.flags !== '') throw new KafkaJSNotImplemented('expressions for topics cannot have flags')
  return topic.source.startsWith('^') ? topic.source : `^.*(?:${topic.source})`
}

function consumerSettings(config: ConsumerConfig): ClientConfig {
  const { sessionTimeout = defaultSessionMs, rebalanceTimeout = defaultRebalanceMs, metadataMaxAge } = config
  const { heartbeatInterval = 3000, maxWaitTimeInMs = 5000, maxBytes = 10_485_760, minBytes = 1 } = config
  const { maxBytesPerPartition = 1_048_576, allowAutoTopicCreation = true, rackId } = config
  return {
    'group.id': config.groupId,
    'enable.auto.commit': false,
    'enable.auto.offset.store': false,
    // Where an offset is gone: nothing that still exists is skipped.
    'auto.offset.reset': 'earliest',
    'partition.assignment.strategy': 'roundrobin',
    'session.timeout.ms': sessionTimeout,
    'heartbeat.interval.ms': heartbeatInterval,
    'max.poll.interval.ms': Math.max(rebalanceTimeout, sessionTimeout),
    // A seek takes effect when the fetch that waits has been answered.
    'fetch.wait.max.ms': clamp(maxWaitTimeInMs, 0, 500),
    'fetch.min.bytes': minBytes,
    'fetch.message.max.bytes': maxBytesPerPartition,
    ...(config.maxBytes === undefined ? {} : { 'fetch.max.bytes': Math.max(maxBytes, 1_000_000) }),
    'isolation.level': config.readUncommitted === true ? 'read_uncommitted' : 'read_committed',
    'allow.auto.create.topics': allowAutoTopicCreation,
    ...(rackId === undefined ? {} : { 'client.rack': rackId }),
    ...(metadataMaxAge === undefined
      ? {}
      : { 'topic.metadata.refresh.interval.ms': clamp(metadataMaxAge, 1, 3_600_000) }),
  }
}
