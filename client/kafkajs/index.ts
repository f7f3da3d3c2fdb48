/**
 * The public names of `kafkito/kafkajs`: programs written for kafkajs run on this client when they import from here. What
 * differs is said where it is: `producer.ts`, `consumer.ts`, `client-settings.ts`.
 */

export type { RecordMetadata } from '../producer/send-arguments.ts'
export type { Admin } from './admin.ts'
export {
  type Acl,
  type AclEntry,
  type AclFilter,
  AclOperationTypes,
  AclPermissionTypes,
  type AclResource,
  AclResourceTypes,
  ConfigResourceTypes,
  ConfigSource,
  type DeleteAclResponse,
  type DescribeAclResponse,
  type DescribeConfigResponse,
  type ITopicConfig,
  type OngoingTopicReassignment,
  type PartitionReassignment,
  type ReplicaAssignment,
  type ResourceConfig as IResourceConfig,
  type ResourceConfigQuery,
  ResourcePatternTypes,
  type SeekEntry,
} from './admin-types.ts'
export type {
  KafkaConfig,
  RetryOptions,
  SaslOptions,
  SaslOptions as SASLOptions,
  SslOptions,
} from './client-settings.ts'
export type { Consumer, GroupDescription } from './consumer.ts'
export {
  type Batch,
  type ConsumerConfig,
  type ConsumerRunConfig,
  type ConsumerSubscribeTopic,
  type ConsumerSubscribeTopics,
  type ConsumerSubscription,
  type EachBatchHandler,
  type EachBatchPayload,
  type EachMessageHandler,
  type EachMessagePayload,
  type Offsets,
  PartitionAssigners,
  type TopicPartitionOffset,
  type TopicPartitionOffsetAndMetadata,
  type TopicPartitions,
} from './consumer-types.ts'
export {
  KafkaJSAggregateError,
  KafkaJSConnectionError,
  KafkaJSCreateTopicError,
  KafkaJSDeleteGroupsError,
  KafkaJSDeleteTopicRecordsError,
  KafkaJSError,
  KafkaJSNonRetriableError,
  KafkaJSNotImplemented,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSOffsetOutOfRange,
  KafkaJSProtocolError,
  KafkaJSRequestTimeoutError,
  KafkaJSSASLAuthenticationError,
} from './errors.ts'
export type {
  ConsumerCommitOffsetsEvent,
  ConsumerCrashEvent,
  ConsumerFetchEvent,
  ConsumerGroupJoinEvent,
  ConsumerHeartbeatEvent,
  ConsumerRebalancingEvent,
  InstrumentationEvent,
  Listener,
  Payloads,
  RequestEvent,
} from './instrumentation.ts'
export { Kafka } from './kafka.ts'
export {
  type LogCreator,
  type LogCreator as logCreator,
  type LogEntry,
  type Logger,
  logLevel,
} from './logger.ts'
export type { IHeaders, KafkaMessage, ProducedMessage as Message } from './messages.ts'
export {
  type ICustomPartitioner,
  type Partitioner,
  type PartitionerArgs,
  Partitioners,
  type PartitionMetadata,
} from './partitioners.ts'
export {
  CompressionCodecs,
  CompressionTypes,
  type OffsetsToSend,
  type Producer,
  type ProducerBatch,
  type ProducerConfig,
  type ProducerRecord,
  type TopicMessages,
  type Transaction,
} from './producer.ts'
