/** The flat names that old code uses for members of the enumerations. */
import {
  AcknowledgeType,
  AclOperation,
  AclPermissionType,
  AlterConfigOpType,
  ConfigSource,
  ConsumerGroupState,
  ConsumerGroupType,
  ElectionType,
  IsolationLevel,
  ResourcePatternType,
  ResourceType,
  ScramMechanism,
} from './constants.ts'

export { OFFSET_SPEC_EARLIEST, OFFSET_SPEC_LATEST, OFFSET_SPEC_MAX_TIMESTAMP } from './constants.ts'

export const RESOURCE_UNKNOWN = ResourceType.UNKNOWN
export const RESOURCE_ANY = ResourceType.ANY
export const RESOURCE_TOPIC = ResourceType.TOPIC
export const RESOURCE_GROUP = ResourceType.GROUP
export const RESOURCE_BROKER = ResourceType.BROKER
export const RESOURCE_TRANSACTIONAL_ID = ResourceType.TRANSACTIONAL_ID

export const RESOURCE_PATTERN_UNKNOWN = ResourcePatternType.UNKNOWN
export const RESOURCE_PATTERN_ANY = ResourcePatternType.ANY
export const RESOURCE_PATTERN_MATCH = ResourcePatternType.MATCH
export const RESOURCE_PATTERN_LITERAL = ResourcePatternType.LITERAL
export const RESOURCE_PATTERN_PREFIXED = ResourcePatternType.PREFIXED

export const ACL_OPERATION_UNKNOWN = AclOperation.UNKNOWN
export const ACL_OPERATION_ANY = AclOperation.ANY
export const ACL_OPERATION_ALL = AclOperation.ALL
export const ACL_OPERATION_READ = AclOperation.READ
export const ACL_OPERATION_WRITE = AclOperation.WRITE
export const ACL_OPERATION_CREATE = AclOperation.CREATE
export const ACL_OPERATION_DELETE = AclOperation.DELETE
export const ACL_OPERATION_ALTER = AclOperation.ALTER
export const ACL_OPERATION_DESCRIBE = AclOperation.DESCRIBE
export const ACL_OPERATION_CLUSTER_ACTION = AclOperation.CLUSTER_ACTION
export const ACL_OPERATION_DESCRIBE_CONFIGS = AclOperation.DESCRIBE_CONFIGS
export const ACL_OPERATION_ALTER_CONFIGS = AclOperation.ALTER_CONFIGS
export const ACL_OPERATION_IDEMPOTENT_WRITE = AclOperation.IDEMPOTENT_WRITE

export const ACL_PERMISSION_TYPE_UNKNOWN = AclPermissionType.UNKNOWN
export const ACL_PERMISSION_TYPE_ANY = AclPermissionType.ANY
export const ACL_PERMISSION_TYPE_DENY = AclPermissionType.DENY
export const ACL_PERMISSION_TYPE_ALLOW = AclPermissionType.ALLOW

export const CONFIG_SOURCE_UNKNOWN_CONFIG = ConfigSource.UNKNOWN_CONFIG
export const CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG = ConfigSource.DYNAMIC_TOPIC_CONFIG
export const CONFIG_SOURCE_DYNAMIC_BROKER_CONFIG = ConfigSource.DYNAMIC_BROKER_CONFIG
export const CONFIG_SOURCE_DYNAMIC_DEFAULT_BROKER_CONFIG = ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG
export const CONFIG_SOURCE_STATIC_BROKER_CONFIG = ConfigSource.STATIC_BROKER_CONFIG
export const CONFIG_SOURCE_DEFAULT_CONFIG = ConfigSource.DEFAULT_CONFIG
export const CONFIG_SOURCE_GROUP_CONFIG = ConfigSource.GROUP_CONFIG

export const ALTER_CONFIG_OP_TYPE_SET = AlterConfigOpType.SET
export const ALTER_CONFIG_OP_TYPE_DELETE = AlterConfigOpType.DELETE
export const ALTER_CONFIG_OP_TYPE_APPEND = AlterConfigOpType.APPEND
export const ALTER_CONFIG_OP_TYPE_SUBTRACT = AlterConfigOpType.SUBTRACT

export const CONSUMER_GROUP_STATE_UNKNOWN = ConsumerGroupState.UNKNOWN
export const CONSUMER_GROUP_STATE_PREPARING_REBALANCE = ConsumerGroupState.PREPARING_REBALANCING
export const CONSUMER_GROUP_STATE_COMPLETING_REBALANCE = ConsumerGroupState.COMPLETING_REBALANCING
export const CONSUMER_GROUP_STATE_STABLE = ConsumerGroupState.STABLE
export const CONSUMER_GROUP_STATE_DEAD = ConsumerGroupState.DEAD
export const CONSUMER_GROUP_STATE_EMPTY = ConsumerGroupState.EMPTY

export const CONSUMER_GROUP_TYPE_UNKNOWN = ConsumerGroupType.UNKNOWN
export const CONSUMER_GROUP_TYPE_CONSUMER = ConsumerGroupType.CONSUMER
export const CONSUMER_GROUP_TYPE_CLASSIC = ConsumerGroupType.CLASSIC

export const ISOLATION_LEVEL_READ_UNCOMMITTED = IsolationLevel.READ_UNCOMMITTED
export const ISOLATION_LEVEL_READ_COMMITTED = IsolationLevel.READ_COMMITTED

export const ELECTION_TYPE_PREFERRED = ElectionType.PREFERRED
export const ELECTION_TYPE_UNCLEAN = ElectionType.UNCLEAN

export const SCRAM_MECHANISM_UNKNOWN = ScramMechanism.UNKNOWN
export const SCRAM_MECHANISM_SHA_256 = ScramMechanism.SCRAM_SHA_256
export const SCRAM_MECHANISM_SHA_512 = ScramMechanism.SCRAM_SHA_512

export const SHARE_ACKNOWLEDGE_TYPE_ACCEPT = AcknowledgeType.ACCEPT
export const SHARE_ACKNOWLEDGE_TYPE_RELEASE = AcknowledgeType.RELEASE
export const SHARE_ACKNOWLEDGE_TYPE_REJECT = AcknowledgeType.REJECT
