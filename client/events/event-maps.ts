/**
 * What handles tell their listeners (`handle.on(name, …)`), by name. These are additions beside the documented callbacks and
 * change nothing about them: an event is told as it happens, in a task of its own, whether or not anybody polls. Only
 * `delivery-report`, `rebalance` and `partition-eof` go with what a serving call hands out. Times end in their units.
 */
import type { KafkaError } from '../errors.ts'
import type { ThrottleEvent } from '../values/cluster-metadata.ts'
import type { Message } from '../values/message.ts'
import type { TopicPartition } from '../values/topic-partition.ts'

export interface BrokerEvent {
  /** -1 while it is only an entry of `bootstrap.servers`. */
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

export interface RequestEvent extends BrokerEvent {
  /** Kafka's name: `Produce`, `Fetch` … */
  readonly apiName: string
  readonly apiKey: number
  readonly clientId: string
  /** From the moment it was given to the connection, waiting included. */
  readonly durationMs: number
  readonly error: KafkaError | null
}

export interface LogEvent {
  /** Syslog's, 0 to 7. */
  readonly level: number
  readonly facility: string
  readonly message: string
}

export interface ClientEvents {
  connect: [broker: BrokerEvent]
  disconnect: [broker: BrokerEvent, error: KafkaError]
  /** A KafkaException, or what a callback or listener threw. Without a listener it is logged. */
  error: [error: Error]
  throttle: [event: ThrottleEvent]
  stats: [json: string]
  log: [line: LogEvent]
  request: [event: RequestEvent]
  'request-timeout': [event: RequestEvent]
}

export interface ProducerEvents extends ClientEvents {
  'delivery-report': [error: KafkaError | null, message: Message]
  /** The local queue refused a message, or made one of `send` wait. */
  'queue-full': [messageCount: number]
  /** There is room again after `queue-full`. */
  'queue-drain': [messageCount: number]
}

export interface RebalanceEvent {
  readonly type: 'assign' | 'revoke' | 'lost'
  readonly partitions: readonly TopicPartition[]
}

export interface GroupEvent {
  readonly groupId: string
  readonly memberId: string
  /** Generation, or member epoch (KIP-848). */
  readonly generationId: number
}

export interface GroupJoinEvent extends GroupEvent {
  /** The classic protocol's leader computes the assignment. */
  readonly isLeader: boolean
  readonly leaderId: string
  /** Name of the assignor; empty with KIP-848. */
  readonly protocolName: string
  readonly durationMs: number
}

export interface OffsetCommitEvent {
  readonly groupId: string
  /** Set when nothing was committed; otherwise look at each partition's. */
  readonly error: KafkaError | null
  readonly partitions: readonly TopicPartition[]
}

export interface FetchEvent extends BrokerEvent {
  readonly durationMs: number
  readonly partitionCount: number
  /** Bytes of records in the answer. */
  readonly recordBytes: number
}

export interface LagEvent {
  readonly topic: string
  readonly partition: number
  /** Records between the application's position and the end that it may read. */
  readonly lag: number
  readonly endOffset: number
}

export interface ConsumerEvents extends ClientEvents {
  rebalance: [event: RebalanceEvent]
  'partition-eof': [position: TopicPartition]
  'offset-commit': [event: OffsetCommitEvent]
  'group-join': [event: GroupJoinEvent]
  'group-leave': [event: GroupEvent]
  heartbeat: [event: GroupEvent]
  fetch: [event: FetchEvent]
  /** After a fetch that changed it. */
  lag: [event: LagEvent]
}

/** Every event of every handle. */
export interface AnyEvents extends ProducerEvents, ConsumerEvents {}
export type EventName = keyof AnyEvents
