/** The public names of `kafkito/client`. */
export * from './admin/index.ts'
export type { ClientHooks, RequestHooks, RequestStart } from './client-hooks.ts'
export type { OauthToken } from './config/connection-properties.ts'
export type { DeliveryCallback, PartitionerFunction, PartitionerName } from './config/producer-properties.ts'
export type { ClientConfig, PropertyName } from './config/table.ts'
export * from './constants.ts'
export {
  ConsumeError,
  KeyDeserializationError,
  ValueDeserializationError,
} from './consumer/consume-errors.ts'
export { Consumer } from './consumer/consumer.ts'
export type { CommitOptions, ConsumeOptions, WatermarkOptions } from './consumer/consumer-arguments.ts'
export { ConsumerStream } from './consumer/consumer-stream.ts'
export type { ConsumerEvent } from './consumer/event-iteration.ts'
export type { BatchesOptions, MessagesOptions } from './consumer/iteration.ts'
export type { RebalanceCallback, RebalanceCallbacks } from './consumer/rebalance-queue.ts'
export { StreamMessage } from './consumer/stream-message.ts'
export type { FallbackMode, StreamMode, StreamOptions } from './consumer/stream-options.ts'
export {
  BufferError,
  ClosedError,
  ConcurrentModificationException,
  IllegalStateException,
  KafkaError,
  KafkaException,
  KeySerializationError,
  NotImplementedError,
  ProduceError,
  RuntimeError,
  SerializationError,
  ValueError,
  ValueSerializationError,
} from './errors.ts'
export type {
  BrokerEvent,
  ClientEvents,
  ConsumerEvents,
  FetchEvent,
  GroupEvent,
  GroupJoinEvent,
  LagEvent,
  LogEvent,
  OffsetCommitEvent,
  ProducerEvents,
  RebalanceEvent,
  RequestEvent,
} from './events/event-maps.ts'
export type { LogMethod, LogSink } from './log.ts'
export { DeliveryError } from './producer/delivery-error.ts'
export { consistent, fnv1a, murmur2 } from './producer/hashes.ts'
export type { BytesInput, ProduceOptions } from './producer/produce-arguments.ts'
export {
  type BatchMessage,
  type BatchOptions,
  Producer,
  type ProducerExtra,
  type PurgeOptions,
} from './producer/producer.ts'
export {
  type CommitSource,
  type FlushEvent,
  ProducerWritable,
  type WritableMessage,
  type WritableOptions,
} from './producer/producer-writable.ts'
export type {
  DeliveryReport,
  RecordMetadata,
  SendCallOptions,
  SendOptions,
  SendRequest,
  TopicMessages,
} from './producer/send-arguments.ts'
export { Transaction } from './producer/transaction.ts'
export { BufferDeserializer, BufferSerializer } from './serialization/buffer-serializer.ts'
export { type DeserializingConfig, DeserializingConsumer } from './serialization/deserializing-consumer.ts'
export { DeserializingShareConsumer } from './serialization/deserializing-share-consumer.ts'
export { JsonDeserializer, JsonSerializer } from './serialization/json-serializer.ts'
export {
  BigIntDeserializer,
  BigIntSerializer,
  DoubleDeserializer,
  DoubleSerializer,
  IntegerDeserializer,
  IntegerSerializer,
} from './serialization/number-serializers.ts'
export {
  type Deserializer,
  type DeserializerFunction,
  SerializationContext,
  type Serializer,
  type SerializerFunction,
} from './serialization/serializer.ts'
export {
  type SerializingConfig,
  type SerializingProduceOptions,
  SerializingProducer,
} from './serialization/serializing-producer.ts'
export { StringDeserializer, StringSerializer } from './serialization/string-serializer.ts'
export type { AcknowledgementCommitCallback } from './share-consumer/acknowledgement-commits.ts'
export { Messages } from './share-consumer/messages.ts'
export { ShareConsumer } from './share-consumer/share-consumer.ts'
export { type Metric, prometheusText } from './statistics/metrics.ts'
export type { CallOptions, CloseOptions, ListTopicsOptions, Timeout } from './timeouts.ts'
export {
  type ConnectionContext,
  channels as tracingChannels,
  type ProcessContext,
  type ProduceContext,
  type RequestContext,
  type TraceAttributes,
  type TraceContext,
} from './tracing/channels.ts'
export type {
  ContextChannel,
  ContextListener,
  OperationChannel,
  OperationListeners,
} from './tracing/operation-channel.ts'
export { extractTraceContext, injectTraceContext, type Propagation } from './tracing/trace-context.ts'
export {
  type BrokerMetadata,
  type ClusterMetadata,
  type GroupMember,
  type GroupMetadata,
  Node,
  type PartitionMetadata,
  ThrottleEvent,
  type TopicMetadata,
} from './values/cluster-metadata.ts'
export { ConsumerGroupMetadata } from './values/consumer-group-metadata.ts'
export type { Headers, HeadersInput, HeaderValue } from './values/headers.ts'
export { Message, type MessageInit } from './values/message.ts'
export { TopicPartition, type TopicPartitionInit } from './values/topic-partition.ts'
export { Uuid } from './values/uuid.ts'
export { libversion, version } from './version.ts'
