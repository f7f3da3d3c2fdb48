/**
 * The metadata image that can be written: the replay of metadata records, in order, is its only mutator.
 *
 * Owner: a broker's loader, or the controller. Invariants: entities are replaced, never changed, once a step is published;
 * a replay costs what it changes. Within one step a topic that was touched already has a partition list that nobody else has
 * seen, so it is filled in place: creating n partitions costs n and not n². Records that name something unknown are a broken
 * log, which no node can go on with: they raise.
 */
import { ZERO_UUID } from '../../common/protocol/schema.ts'
import { MutableMetadataDelta } from './delta.ts'
import type {
  AclImage,
  BrokerImage,
  ConfigResourceType,
  ControllerImage,
  DelegationTokenImage,
  MetadataImage,
  PartitionImage,
  QuotaImage,
  ScramCredentialImage,
  TopicImage,
} from './image.ts'
import type { MetadataRecord, MetadataRecordOf } from './metadata-record.ts'

interface OwnedTopic extends TopicImage {
  readonly partitions: PartitionImage[]
}

type Configs = ReadonlyMap<string, string>

const NO_CONFIGS: Configs = new Map()
const NO_NODES: readonly number[] = []

export class MutableMetadataImage implements MetadataImage {
  offset = -1
  epoch = -1
  timestampMs = -1
  nextProducerId = 0
  readonly brokers = new Map<number, BrokerImage>()
  readonly controllers = new Map<number, ControllerImage>()
  readonly topicsByName = new Map<string, TopicImage>()
  readonly topicsById = new Map<string, TopicImage>()
  readonly features = new Map<string, number>()
  readonly acls = new Map<string, AclImage>()
  readonly scramCredentials = new Map<string, ScramCredentialImage>()
  readonly quotas = new Map<string, QuotaImage>()
  readonly delegationTokens = new Map<string, DelegationTokenImage>()
  readonly #configs = new Map<number, Map<string, Configs>>()
  #delta = new MutableMetadataDelta()
  /** Topics whose partition lists were made in this step. */
  readonly #owned = new Map<string, OwnedTopic>()

  configsOf(type: ConfigResourceType, name: string): Configs {
    return this.#configs.get(type)?.get(name) ?? NO_CONFIGS
  }

  configuredResources(type: ConfigResourceType): readonly string[] {
    return [...(this.#configs.get(type)?.keys() ?? [])]
  }

  isBrokerActive(id: number): boolean {
    return this.brokers.get(id)?.isFenced === false
  }

  /** Where the image stands now: the last record that it holds. */
  advanceTo(position: { offset: number; epoch: number; timestampMs: number }): void {
    this.offset = position.offset
    this.epoch = position.epoch
    this.timestampMs = position.timestampMs
  }

  /** Ends a step: what was changed since the last call. From now on those entities are shared and stay as they are. */
  takeDelta(): MutableMetadataDelta {
    const delta = this.#delta
    this.#delta = new MutableMetadataDelta()
    this.#owned.clear()
    return delta
  }

  replay(record: MetadataRecord): void {
    switch (record.type) {
      case 'TopicRecord':
        this.#replayTopic(record)
        break
      case 'PartitionRecord':
        this.#replayPartition(record)
        break
      case 'PartitionChangeRecord':
        this.#replayPartitionChange(record)
        break
      case 'RemoveTopicRecord':
        this.#replayRemoveTopic(record)
        break
      case 'ClearElrRecord':
        this.#replayClearElr(record)
        break
      case 'ConfigRecord':
        this.#replayConfig(record)
        break
      case 'RegisterBrokerRecord':
        this.#replayRegisterBroker(record)
        break
      case 'UnregisterBrokerRecord':
        this.brokers.delete(record.value.brokerId)
        this.#delta.changedBrokers.add(record.value.brokerId)
        break
      case 'FenceBrokerRecord':
        this.#changeBroker(record.value.id, record.value.epoch, { isFenced: true })
        break
      case 'UnfenceBrokerRecord':
        this.#changeBroker(record.value.id, record.value.epoch, { isFenced: false })
        break
      case 'BrokerRegistrationChangeRecord':
        this.#replayRegistrationChange(record)
        break
      case 'RegisterControllerRecord':
        this.#replayRegisterController(record)
        break
      case 'UnregisterControllerRecord':
        this.controllers.delete(record.value.controllerId)
        break
      case 'FeatureLevelRecord':
        if (record.value.featureLevel === 0) this.features.delete(record.value.name)
        else this.features.set(record.value.name, record.value.featureLevel)
        this.#delta.changedFeatures = true
        break
      case 'ProducerIdsRecord':
        this.nextProducerId = record.value.nextProducerId
        break
      case 'ClientQuotaRecord':
        this.#replayQuota(record)
        break
      case 'AccessControlEntryRecord': {
        const { unknownTaggedFields: _, ...acl } = record.value
        this.acls.set(acl.id, acl)
        this.#delta.changedAcls = true
        break
      }
      case 'RemoveAccessControlEntryRecord':
        this.acls.delete(record.value.id)
        this.#delta.changedAcls = true
        break
      case 'UserScramCredentialRecord':
        this.#replayScramCredential(record)
        break
      case 'RemoveUserScramCredentialRecord':
        this.scramCredentials.delete(scramKey(record.value.name, record.value.mechanism))
        this.#delta.changedScram = true
        break
      case 'DelegationTokenRecord':
        this.#replayDelegationToken(record)
        break
      case 'RemoveDelegationTokenRecord':
        this.delegationTokens.delete(record.value.tokenId)
        this.#delta.changedTokens = true
        break
      case 'NoOpRecord':
      case 'ZkMigrationStateRecord':
      // Transactions are resolved before the replay (`TransactionFilter`).
      case 'BeginTransactionRecord':
      case 'EndTransactionRecord':
      case 'AbortTransactionRecord':
        break
    }
  }

  /**
   * Becomes equal to `other` (a snapshot that was just read), in place. The delta tells what that changes; `other` is used up.
   */
  resetTo(other: MutableMetadataImage): void {
    const delta = this.#delta
    delta.isReset = true
    for (const topic of this.topicsById.values()) {
      if (!other.topicsById.has(topic.id)) delta.topicDeleted(topic)
    }
    for (const id of other.topicsById.keys()) delta.topicChanges(id, this.topicsById.get(id))
    for (const id of [...this.brokers.keys(), ...other.brokers.keys()]) delta.changedBrokers.add(id)
    for (const [type, resources] of [...this.#configs, ...other.#configs]) {
      for (const name of resources.keys()) delta.changedConfigs.add(`${type}\n${name}`)
    }
    delta.changedFeatures = true
    delta.changedAcls = true
    delta.changedQuotas = true
    delta.changedScram = true
    delta.changedTokens = true
    refill(this.brokers, other.brokers)
    refill(this.controllers, other.controllers)
    refill(this.topicsByName, other.topicsByName)
    refill(this.topicsById, other.topicsById)
    refill(this.features, other.features)
    refill(this.acls, other.acls)
    refill(this.scramCredentials, other.scramCredentials)
    refill(this.quotas, other.quotas)
    refill(this.delegationTokens, other.delegationTokens)
    refill(this.#configs, other.#configs)
    this.nextProducerId = other.nextProducerId
    this.advanceTo(other)
    this.#owned.clear()
  }

  #replayTopic({ value }: MetadataRecordOf<'TopicRecord'>): void {
    if (this.topicsByName.has(value.name)) throw broken(`topic ${value.name} exists already`)
    const topic: OwnedTopic = { name: value.name, id: value.topicId, partitions: [] }
    this.#delta.topicChanges(topic.id, undefined)
    this.#setTopic(topic)
  }

  #replayPartition({ value }: MetadataRecordOf<'PartitionRecord'>): void {
    const topic = this.#ownTopic(value.topicId)
    topic.partitions[value.partitionId] = {
      replicas: value.replicas,
      directories:
        value.directories.length > 0 ? value.directories : value.replicas.map(() => MIGRATING_DIRECTORY),
      isr: value.isr,
      removingReplicas: value.removingReplicas,
      addingReplicas: value.addingReplicas,
      elr: value.eligibleLeaderReplicas ?? NO_NODES,
      lastKnownElr: value.lastKnownElr ?? NO_NODES,
      leaderId: value.leader,
      leaderRecoveryState: value.leaderRecoveryState === 1 ? 1 : 0,
      leaderEpoch: value.leaderEpoch,
      partitionEpoch: value.partitionEpoch,
    }
  }

  #replayPartitionChange(record: MetadataRecordOf<'PartitionChangeRecord'>): void {
    const topic = this.#ownTopic(record.value.topicId)
    const partition = topic.partitions[record.value.partitionId]
    if (partition === undefined) throw broken(`${topic.name} has no partition ${record.value.partitionId}`)
    topic.partitions[record.value.partitionId] = changedPartition(partition, record)
  }

  #replayRemoveTopic({ value }: MetadataRecordOf<'RemoveTopicRecord'>): void {
    const topic = this.topicsById.get(value.topicId)
    if (topic === undefined) throw broken(`there is no topic of id ${value.topicId}`)
    this.#delta.topicDeleted(topic)
    this.#owned.delete(topic.id)
    this.topicsById.delete(topic.id)
    this.topicsByName.delete(topic.name)
    if (this.#configs.get(TOPIC_RESOURCE)?.delete(topic.name) === true) {
      this.#delta.changedConfigs.add(`${TOPIC_RESOURCE}\n${topic.name}`)
    }
  }

  #replayClearElr({ value }: MetadataRecordOf<'ClearElrRecord'>): void {
    const named = this.topicsByName.get(value.topicName)
    if (value.topicName !== '' && named === undefined) throw broken(`there is no topic ${value.topicName}`)
    for (const { id, partitions } of named === undefined ? [...this.topicsById.values()] : [named]) {
      if (!partitions.some(hasElr)) continue
      const owned = this.#ownTopic(id).partitions
      owned.forEach((partition, index) => {
        if (!hasElr(partition)) return
        const partitionEpoch = partition.partitionEpoch + 1
        owned[index] = { ...partition, elr: NO_NODES, lastKnownElr: NO_NODES, partitionEpoch }
      })
    }
  }

  #replayConfig({ value }: MetadataRecordOf<'ConfigRecord'>): void {
    let resources = this.#configs.get(value.resourceType)
    if (resources === undefined) {
      resources = new Map()
      this.#configs.set(value.resourceType, resources)
    }
    const configs = new Map(resources.get(value.resourceName))
    if (value.value === null) configs.delete(value.name)
    else configs.set(value.name, value.value)
    if (configs.size === 0) resources.delete(value.resourceName)
    else resources.set(value.resourceName, configs)
    this.#delta.changedConfigs.add(`${value.resourceType}\n${value.resourceName}`)
  }

  #replayRegisterBroker({ value }: MetadataRecordOf<'RegisterBrokerRecord'>): void {
    this.brokers.set(value.brokerId, {
      id: value.brokerId,
      epoch: value.brokerEpoch,
      incarnationId: value.incarnationId,
      endpoints: value.endPoints.map(endpointOf),
      features: featuresOf(value.features),
      rack: value.rack,
      isFenced: value.fenced,
      inControlledShutdown: value.inControlledShutdown,
      directories: value.logDirs,
      cordonedDirectories: value.cordonedLogDirs,
    })
    this.#delta.changedBrokers.add(value.brokerId)
  }

  #replayRegistrationChange({ value }: MetadataRecordOf<'BrokerRegistrationChangeRecord'>): void {
    this.#changeBroker(value.brokerId, value.brokerEpoch, {
      ...(value.fenced === 0 ? {} : { isFenced: value.fenced > 0 }),
      ...(value.inControlledShutdown === 0 ? {} : { inControlledShutdown: true }),
      ...(value.logDirs.length === 0 ? {} : { directories: value.logDirs }),
      ...(value.cordonedLogDirs === null ? {} : { cordonedDirectories: value.cordonedLogDirs }),
    })
  }

  #changeBroker(id: number, epoch: number, change: Partial<BrokerImage>): void {
    const broker = this.brokers.get(id)
    if (broker === undefined) throw broken(`broker ${id} is not registered`)
    if (broker.epoch !== epoch) throw broken(`broker ${id} has epoch ${broker.epoch}, not ${epoch}`)
    this.brokers.set(id, { ...broker, ...change })
    this.#delta.changedBrokers.add(id)
  }

  #replayRegisterController({ value }: MetadataRecordOf<'RegisterControllerRecord'>): void {
    this.controllers.set(value.controllerId, {
      id: value.controllerId,
      incarnationId: value.incarnationId,
      endpoints: value.endPoints.map(endpointOf),
      features: featuresOf(value.features),
    })
  }

  #replayQuota({ value }: MetadataRecordOf<'ClientQuotaRecord'>): void {
    const parts = new Map(value.entity.map(({ entityType, entityName }) => [entityType, entityName]))
    const key = quotaKey(parts)
    const values = new Map(this.quotas.get(key)?.values)
    if (value.remove) values.delete(value.key)
    else values.set(value.key, value.value)
    if (values.size === 0) this.quotas.delete(key)
    else this.quotas.set(key, { parts, values })
    this.#delta.changedQuotas = true
  }

  #replayScramCredential({ value }: MetadataRecordOf<'UserScramCredentialRecord'>): void {
    this.scramCredentials.set(scramKey(value.name, value.mechanism), {
      user: value.name,
      mechanism: value.mechanism,
      salt: Buffer.from(value.salt),
      storedKey: Buffer.from(value.storedKey),
      serverKey: Buffer.from(value.serverKey),
      iterations: value.iterations,
    })
    this.#delta.changedScram = true
  }

  #replayDelegationToken({ value }: MetadataRecordOf<'DelegationTokenRecord'>): void {
    this.delegationTokens.set(value.tokenId, {
      tokenId: value.tokenId,
      owner: value.owner,
      requester: value.requester,
      renewers: value.renewers,
      issueTimestampMs: value.issueTimestamp,
      maxTimestampMs: value.maxTimestamp,
      expiryTimestampMs: value.expirationTimestamp,
    })
    this.#delta.changedTokens = true
  }

  #setTopic(topic: OwnedTopic): void {
    this.#owned.set(topic.id, topic)
    this.topicsById.set(topic.id, topic)
    this.topicsByName.set(topic.name, topic)
  }

  #ownTopic(id: string): OwnedTopic {
    const owned = this.#owned.get(id)
    if (owned !== undefined) return owned
    const topic = this.topicsById.get(id)
    if (topic === undefined) throw broken(`there is no topic of id ${id}`)
    this.#delta.topicChanges(id, topic)
    const copy: OwnedTopic = { name: topic.name, id, partitions: topic.partitions.slice() }
    this.#setTopic(copy)
    return copy
  }
}

const TOPIC_RESOURCE = 2

/** Directory ids with a meaning of their own (KIP-858). */
export const UNASSIGNED_DIRECTORY = ZERO_UUID
export const LOST_DIRECTORY = 'AAAAAAAAAAAAAAAAAAAAAQ'
export const MIGRATING_DIRECTORY = 'AAAAAAAAAAAAAAAAAAAAAg'

function hasElr({ elr, lastKnownElr }: PartitionImage): boolean {
  return elr.length > 0 || lastKnownElr.length > 0
}

/**
 * The partition after the change. Leader epoch: +1 when the record names a leader, even the same one or none (-1); partition
 * epoch: +1 with every change.
 */
export function changedPartition(
  partition: PartitionImage,
  { value }: MetadataRecordOf<'PartitionChangeRecord'>,
): PartitionImage {
  const hasLeader = value.leader !== -2
  return {
    replicas: value.replicas ?? partition.replicas,
    directories: value.directories ?? partition.directories,
    isr: value.isr ?? partition.isr,
    removingReplicas: value.removingReplicas ?? partition.removingReplicas,
    addingReplicas: value.addingReplicas ?? partition.addingReplicas,
    elr: value.eligibleLeaderReplicas ?? partition.elr,
    lastKnownElr: value.lastKnownElr ?? partition.lastKnownElr,
    leaderId: hasLeader ? value.leader : partition.leaderId,
    leaderRecoveryState:
      value.leaderRecoveryState === -1
        ? partition.leaderRecoveryState
        : value.leaderRecoveryState === 1
          ? 1
          : 0,
    leaderEpoch: partition.leaderEpoch + (hasLeader ? 1 : 0),
    partitionEpoch: partition.partitionEpoch + 1,
  }
}

export function scramKey(user: string, mechanism: number): string {
  return `${user}\n${mechanism}`
}

/** One string for an entity, whatever the order of its parts. */
export function quotaKey(parts: ReadonlyMap<string, string | null>): string {
  return JSON.stringify([...parts].sort(([left], [right]) => (left < right ? -1 : 1)))
}

function endpointOf(endpoint: { name: string; host: string; port: number; securityProtocol: number }) {
  const { name, host, port, securityProtocol } = endpoint
  return { listenerName: name, host, port, securityProtocol }
}

function featuresOf(
  features: readonly { name: string; minSupportedVersion: number; maxSupportedVersion: number }[],
): BrokerImage['features'] {
  return new Map(
    features.map((feature) => [
      feature.name,
      { min: feature.minSupportedVersion, max: feature.maxSupportedVersion },
    ]),
  )
}

function refill<Key, Value>(map: Map<Key, Value>, other: ReadonlyMap<Key, Value>): void {
  map.clear()
  for (const [key, value] of other) map.set(key, value)
}

function broken(what: string): Error {
  return new Error(`the metadata log is broken: ${what}`)
}
