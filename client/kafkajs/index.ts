/**
 * The public names of `kafkito/kafkajs`: programs written for kafkajs run on this client when they import from here. What
 * differs is said where it is: `producer.ts`, `consumer.ts`, `client-settings.ts`.
 */
export type { Admin } from './admin.ts'
export {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  ConfigResourceTypes,
  ConfigSource,
  type ITopicConfig,
  ResourcePatternTypes,
  type SeekEntry,
} from './admin-types.ts'
export type { KafkaConfig, RetryOptions, SaslOptions, SslOptions } from './client-settings.ts'
export type { Consumer, GroupDescription } from './consumer.ts'
export type {
  Batch,
  ConsumerConfig,
  ConsumerRunConfig,
  ConsumerSubscription,
  EachBatchHandler,
  EachBatchPayload,
  EachMessageHandler,
  EachMessagePayload,
  Offsets,
  TopicPartitionOffset,
  TopicPartitionOffsetAndMetadata,
  TopicPartitions,
} from './consumer-types.ts'
export {
  KafkaJSAggregateError,
  KafkaJSConnectionError,
  KafkaJSDeleteGroupsError,
  KafkaJSError,
  KafkaJSNonRetriableError,
  KafkaJSNotImplemented,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSOffsetOutOfRange,
  KafkaJSProtocolError,
  KafkaJSRequestTimeoutError,
  KafkaJSSASLAuthenticationError,
} from './errors.ts'
export type { InstrumentationEvent, Payloads } from './instrumentation.ts'
export { Kafka } from './kafka.ts'
export { type LogCreator, type LogEntry, type Logger, logLevel } from './logger.ts'
export type { IHeaders, KafkaMessage, ProducedMessage as Message } from './messages.ts'
export {
  type ICustomPartitioner,
  type PartitionerArgs,
  Partitioners,
  type PartitionMetadata,
} from './partitioners.ts'
export {
  CompressionTypes,
  type Producer,
  type ProducerBatch,
  type ProducerConfig,
  type ProducerRecord,
  type Transaction,
} from './producer.ts'
