/** Constants and enumerations of the documented API, and their flat names. */
export const OFFSET_BEGINNING = -2
export const OFFSET_END = -1
export const OFFSET_STORED = -1000
export const OFFSET_INVALID = -1001
/** `OFFSET_TAIL_BASE - n` is n records before the end. */
export const OFFSET_TAIL_BASE = -2000

export const TIMESTAMP_NOT_AVAILABLE = 0
export const TIMESTAMP_CREATE_TIME = 1
export const TIMESTAMP_LOG_APPEND_TIME = 2

/** The partitioner decides. */
export const PARTITION_UA = -1

export const ResourceType = {
  UNKNOWN: 0,
  ANY: 1,
  TOPIC: 2,
  GROUP: 3,
  BROKER: 4,
  TRANSACTIONAL_ID: 5,
} as const
export type ResourceType = (typeof ResourceType)[keyof typeof ResourceType]

export const ResourcePatternType = { UNKNOWN: 0, ANY: 1, MATCH: 2, LITERAL: 3, PREFIXED: 4 } as const
export type ResourcePatternType = (typeof ResourcePatternType)[keyof typeof ResourcePatternType]

export const AclOperation = {
  UNKNOWN: 0,
  ANY: 1,
  ALL: 2,
  READ: 3,
  WRITE: 4,
  CREATE: 5,
  DELETE: 6,
  ALTER: 7,
  DESCRIBE: 8,
  CLUSTER_ACTION: 9,
  DESCRIBE_CONFIGS: 10,
  ALTER_CONFIGS: 11,
  IDEMPOTENT_WRITE: 12,
} as const
export type AclOperation = (typeof AclOperation)[keyof typeof AclOperation]

export const AclPermissionType = { UNKNOWN: 0, ANY: 1, DENY: 2, ALLOW: 3 } as const
export type AclPermissionType = (typeof AclPermissionType)[keyof typeof AclPermissionType]

export const ConfigSource = {
  UNKNOWN_CONFIG: 0,
  DYNAMIC_TOPIC_CONFIG: 1,
  DYNAMIC_BROKER_CONFIG: 2,
  DYNAMIC_DEFAULT_BROKER_CONFIG: 3,
  STATIC_BROKER_CONFIG: 4,
  DEFAULT_CONFIG: 5,
  GROUP_CONFIG: 8,
} as const
export type ConfigSource = (typeof ConfigSource)[keyof typeof ConfigSource]

export const AlterConfigOpType = { SET: 0, DELETE: 1, APPEND: 2, SUBTRACT: 3 } as const
export type AlterConfigOpType = (typeof AlterConfigOpType)[keyof typeof AlterConfigOpType]

export const ConsumerGroupState = {
  UNKNOWN: 0,
  /** Deprecated misspelling of the documented API. */
  UNKOWN: 0,
  PREPARING_REBALANCING: 1,
  COMPLETING_REBALANCING: 2,
  STABLE: 3,
  DEAD: 4,
  EMPTY: 5,
  ASSIGNING: 6,
  RECONCILING: 7,
} as const
export type ConsumerGroupState = (typeof ConsumerGroupState)[keyof typeof ConsumerGroupState]

export const ConsumerGroupType = { UNKNOWN: 0, CONSUMER: 1, CLASSIC: 2 } as const
export type ConsumerGroupType = (typeof ConsumerGroupType)[keyof typeof ConsumerGroupType]

export const IsolationLevel = { READ_UNCOMMITTED: 0, READ_COMMITTED: 1 } as const
export type IsolationLevel = (typeof IsolationLevel)[keyof typeof IsolationLevel]

export const ElectionType = { PREFERRED: 0, UNCLEAN: 1 } as const
export type ElectionType = (typeof ElectionType)[keyof typeof ElectionType]

export const ScramMechanism = { UNKNOWN: 0, SCRAM_SHA_256: 1, SCRAM_SHA_512: 2 } as const
export type ScramMechanism = (typeof ScramMechanism)[keyof typeof ScramMechanism]

export const AcknowledgeType = { ACCEPT: 1, RELEASE: 2, REJECT: 3 } as const
export type AcknowledgeType = (typeof AcknowledgeType)[keyof typeof AcknowledgeType]

export const MessageField = { NONE: 'none', KEY: 'key', VALUE: 'value' } as const
export type MessageField = (typeof MessageField)[keyof typeof MessageField]

/** What is known about a produced message. */
export const PersistenceStatus = { NOT_PERSISTED: 0, POSSIBLY_PERSISTED: 1, PERSISTED: 2 } as const
export type PersistenceStatus = (typeof PersistenceStatus)[keyof typeof PersistenceStatus]

export const OFFSET_SPEC_MAX_TIMESTAMP = -3
export const OFFSET_SPEC_EARLIEST = -2
export const OFFSET_SPEC_LATEST = -1
