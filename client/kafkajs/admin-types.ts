/** The shapes and numbers of kafkajs's admin calls. Numbers are Kafka's own. */
export const ConfigResourceTypes = { UNKNOWN: 0, TOPIC: 2, BROKER: 4, BROKER_LOGGER: 8 } as const
export const AclResourceTypes = {
  UNKNOWN: 0,
  ANY: 1,
  TOPIC: 2,
  GROUP: 3,
  CLUSTER: 4,
  TRANSACTIONAL_ID: 5,
  DELEGATION_TOKEN: 6,
} as const
export {
  AclOperation as AclOperationTypes,
  AclPermissionType as AclPermissionTypes,
  ResourcePatternType as ResourcePatternTypes,
} from '../constants.ts'

export const ConfigSource = {
  UNKNOWN: 0,
  TOPIC_CONFIG: 1,
  DYNAMIC_BROKER_CONFIG: 2,
  DYNAMIC_DEFAULT_BROKER_CONFIG: 3,
  STATIC_BROKER_CONFIG: 4,
  DEFAULT_CONFIG: 5,
  DYNAMIC_BROKER_LOGGER_CONFIG: 6,
} as const

export interface SeekEntry {
  readonly partition: number
  readonly offset: string
}

export interface ReplicaAssignment {
  readonly partition: number
  readonly replicas: readonly number[]
}

export interface ITopicConfig {
  readonly topic: string
  readonly numPartitions?: number
  readonly replicationFactor?: number
  readonly replicaAssignment?: readonly ReplicaAssignment[]
  readonly configEntries?: readonly { readonly name: string; readonly value: string }[]
}

export interface PartitionReassignment {
  readonly topic: string
  readonly partitionAssignment: readonly ReplicaAssignment[]
}

/** A topic with partitions on their way to other brokers. */
export interface OngoingTopicReassignment {
  readonly topic: string
  readonly partitions: {
    readonly partitionIndex: number
    readonly replicas: readonly number[]
    readonly addingReplicas: readonly number[]
    readonly removingReplicas: readonly number[]
  }[]
}

export interface ResourceConfigQuery {
  readonly type: 2 | 4
  readonly name: string
  readonly configNames?: readonly string[]
}

export interface ResourceConfig {
  readonly type: 2 | 4
  readonly name: string
  readonly configEntries: readonly { readonly name: string; readonly value: string }[]
}

export interface DescribeConfigResponse {
  readonly throttleTime: number
  readonly resources: readonly {
    readonly errorCode: number
    readonly errorMessage: string
    readonly resourceName: string
    readonly resourceType: number
    readonly configEntries: readonly {
      readonly configName: string
      readonly configValue: string
      readonly configSource: number
      readonly isDefault: boolean
      readonly isSensitive: boolean
      readonly readOnly: boolean
      readonly configSynonyms: readonly {
        readonly configName: string
        readonly configValue: string
        readonly configSource: number
      }[]
    }[]
  }[]
}

export interface Acl {
  readonly principal: string
  readonly host: string
  readonly operation: number
  readonly permissionType: number
}

export interface AclResource {
  readonly resourceType: number
  readonly resourceName: string
  readonly resourcePatternType: number
}

export type AclEntry = Acl & AclResource

export interface AclFilter {
  readonly resourceType: number
  readonly resourceName?: string
  readonly resourcePatternType: number
  readonly principal?: string
  readonly host?: string
  readonly operation: number
  readonly permissionType: number
}

export interface DescribeAclResponse {
  readonly throttleTime: number
  readonly errorCode: number
  readonly resources: readonly (AclResource & { readonly acls: readonly Acl[] })[]
}

export interface DeleteAclResponse {
  readonly throttleTime: number
  readonly filterResponses: readonly {
    readonly errorCode: number
    readonly matchingAcls: readonly (AclEntry & { readonly errorCode: number })[]
  }[]
}
