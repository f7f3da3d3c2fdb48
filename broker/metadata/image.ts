/**
 * What the cluster looks like, as the replay of the metadata log: topics, partitions, brokers, configs, features and the rest.
 *
 * Entities (a topic, a partition, a broker) are immutable values; a change replaces the entity in its map. The maps are
 * changed in place by the loader only, between turns' tasks, so nobody sees half a batch, and a change costs what it changes
 * instead of a copy of everything (docs/adr). Who must compare old and new gets the old entities in the `MetadataDelta`.
 */
export interface PartitionImage {
  readonly replicas: readonly number[]
  /** Directory id of each replica, in the order of `replicas`. */
  readonly directories: readonly string[]
  readonly isr: readonly number[]
  readonly removingReplicas: readonly number[]
  readonly addingReplicas: readonly number[]
  /** Eligible leader replicas and last known ones (KIP-966). */
  readonly elr: readonly number[]
  readonly lastKnownElr: readonly number[]
  /** -1: no leader. */
  readonly leaderId: number
  /** 1 while recovering from an unclean election. */
  readonly leaderRecoveryState: 0 | 1
  readonly leaderEpoch: number
  readonly partitionEpoch: number
}

export interface TopicImage {
  readonly name: string
  readonly id: string
  /** Index = partition. */
  readonly partitions: readonly PartitionImage[]
}

export interface EndpointImage {
  readonly listenerName: string
  readonly host: string
  readonly port: number
  /** Kafka's security protocol id: 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL. */
  readonly securityProtocol: number
}

export interface BrokerImage {
  readonly id: number
  /** Offset of its registration record: identifies this incarnation to the controller. */
  readonly epoch: number
  readonly incarnationId: string
  readonly endpoints: readonly EndpointImage[]
  readonly features: ReadonlyMap<string, { readonly min: number; readonly max: number }>
  readonly rack: string | null
  readonly isFenced: boolean
  readonly inControlledShutdown: boolean
  readonly directories: readonly string[]
  /** null until the broker has told (its first heartbeat). */
  readonly cordonedDirectories: readonly string[] | null
}

export interface ControllerImage {
  readonly id: number
  readonly incarnationId: string
  readonly endpoints: readonly EndpointImage[]
  readonly features: ReadonlyMap<string, { readonly min: number; readonly max: number }>
}

/** Kafka's resource type ids, as in ConfigRecord. */
export const ConfigResourceType = {
  TOPIC: 2,
  BROKER: 4,
  BROKER_LOGGER: 8,
  CLIENT_METRICS: 16,
  GROUP: 32,
} as const
export type ConfigResourceType = (typeof ConfigResourceType)[keyof typeof ConfigResourceType]

export interface AclImage {
  readonly id: string
  readonly resourceType: number
  readonly resourceName: string
  readonly patternType: number
  readonly principal: string
  readonly host: string
  readonly operation: number
  readonly permissionType: number
}

export interface ScramCredentialImage {
  readonly user: string
  readonly mechanism: number
  readonly salt: Buffer
  readonly storedKey: Buffer
  readonly serverKey: Buffer
  readonly iterations: number
}

export interface QuotaEntity {
  /** entity type (user, client-id, ip) -> name, null for the default entity. */
  readonly parts: ReadonlyMap<string, string | null>
}

export interface QuotaImage extends QuotaEntity {
  readonly values: ReadonlyMap<string, number>
}

export interface DelegationTokenImage {
  readonly tokenId: string
  readonly owner: string
  readonly requester: string
  readonly renewers: readonly string[]
  readonly issueTimestampMs: number
  readonly maxTimestampMs: number
  readonly expiryTimestampMs: number
}

/** The reading side. `metadata/loader.ts` owns the writing side. */
export interface MetadataImage {
  /** Offset of the last record that is in the image, -1 when there is none, and its epoch and batch time. */
  readonly offset: number
  readonly epoch: number
  readonly timestampMs: number
  readonly brokers: ReadonlyMap<number, BrokerImage>
  readonly controllers: ReadonlyMap<number, ControllerImage>
  readonly topicsByName: ReadonlyMap<string, TopicImage>
  readonly topicsById: ReadonlyMap<string, TopicImage>
  /** feature -> finalized level. `metadata.version` among them. */
  readonly features: ReadonlyMap<string, number>
  /** Dynamic configs of a resource; empty when it has none. Broker defaults have the name ''. */
  configsOf(type: ConfigResourceType, name: string): ReadonlyMap<string, string>
  /** Names of resources of this type that have dynamic configs. */
  configuredResources(type: ConfigResourceType): readonly string[]
  readonly acls: ReadonlyMap<string, AclImage>
  /** Key: user + '\n' + mechanism. */
  readonly scramCredentials: ReadonlyMap<string, ScramCredentialImage>
  readonly quotas: ReadonlyMap<string, QuotaImage>
  readonly delegationTokens: ReadonlyMap<string, DelegationTokenImage>
  /** First producer id that no block has been handed out for. */
  readonly nextProducerId: number
  /** Live and unfenced: what Metadata answers list. */
  isBrokerActive(id: number): boolean
}

/** What one published step changed: old entities, so that listeners can compare. */
export interface MetadataDelta {
  /** The image was replaced by a snapshot: whoever keeps something derived from all of it begins anew. */
  readonly isReset: boolean
  /** topic id -> the topic before (undefined: it is new). Look into the image for what it is now. */
  readonly changedTopics: ReadonlyMap<string, TopicImage | undefined>
  /** topic id -> the topic as it was before it was deleted. */
  readonly deletedTopics: ReadonlyMap<string, TopicImage>
  readonly changedBrokers: ReadonlySet<number>
  /** `${type}\n${name}` of resources whose dynamic configs changed. */
  readonly changedConfigs: ReadonlySet<string>
  readonly changedFeatures: boolean
  readonly changedAcls: boolean
  readonly changedQuotas: boolean
  readonly changedScram: boolean
  readonly changedTokens: boolean
}

/** Told after each published step, in the order of subscription. */
export interface MetadataListener {
  onMetadata(image: MetadataImage, delta: MetadataDelta): void
}
