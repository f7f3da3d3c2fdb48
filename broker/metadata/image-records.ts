/**
 * The records that make an image again, in Kafka's order: features (metadata.version first), brokers, controllers, topics
 * with their partitions, configs, quotas, producer ids, ACLs, SCRAM credentials, delegation tokens.
 */

import { METADATA_VERSION_FEATURE } from './features.ts'
import { ConfigResourceType, type EndpointImage, type MetadataImage, type PartitionImage } from './image.ts'
import { type MetadataRecord, metadataRecord } from './metadata-record.ts'

/** Record versions that metadata.version 4.4-IV2 (level 33) writes. */
export const RECORD_VERSIONS = {
  REGISTER_BROKER: 4,
  PARTITION: 2,
  PARTITION_CHANGE: 2,
} as const

export function* imageRecords(image: MetadataImage): Generator<MetadataRecord> {
  yield* featureRecords(image)
  yield* brokerRecords(image)
  yield* controllerRecords(image)
  for (const topic of image.topicsById.values()) {
    yield metadataRecord('TopicRecord', 0, { name: topic.name, topicId: topic.id })
    for (const [index, partition] of topic.partitions.entries()) {
      yield partitionRecord(topic.id, index, partition)
    }
  }
  yield* configRecords(image)
  for (const quota of image.quotas.values()) {
    const entity = [...quota.parts].map(([entityType, entityName]) => ({ entityType, entityName }))
    for (const [key, value] of quota.values) {
      yield metadataRecord('ClientQuotaRecord', 0, { entity, key, value, remove: false })
    }
  }
  if (image.nextProducerId > 0) {
    const nextProducerId = image.nextProducerId
    yield metadataRecord('ProducerIdsRecord', 0, { brokerId: -1, brokerEpoch: -1, nextProducerId })
  }
  for (const acl of image.acls.values()) yield metadataRecord('AccessControlEntryRecord', 0, acl)
  for (const { user: name, ...credential } of image.scramCredentials.values()) {
    yield metadataRecord('UserScramCredentialRecord', 0, { name, ...credential })
  }
  for (const token of image.delegationTokens.values()) {
    yield metadataRecord('DelegationTokenRecord', 0, {
      owner: token.owner,
      requester: token.requester,
      renewers: token.renewers,
      issueTimestamp: token.issueTimestampMs,
      maxTimestamp: token.maxTimestampMs,
      expirationTimestamp: token.expiryTimestampMs,
      tokenId: token.tokenId,
    })
  }
}

/** A whole partition. Empty ELR lists stay away, as Kafka leaves tagged fields without content out. */
export function partitionRecord(
  topicId: string,
  partitionId: number,
  partition: PartitionImage,
): MetadataRecord {
  return metadataRecord('PartitionRecord', RECORD_VERSIONS.PARTITION, {
    partitionId,
    topicId,
    replicas: partition.replicas,
    isr: partition.isr,
    removingReplicas: partition.removingReplicas,
    addingReplicas: partition.addingReplicas,
    leader: partition.leaderId,
    leaderRecoveryState: partition.leaderRecoveryState,
    leaderEpoch: partition.leaderEpoch,
    partitionEpoch: partition.partitionEpoch,
    directories: partition.directories,
    eligibleLeaderReplicas: partition.elr.length > 0 ? partition.elr : null,
    lastKnownElr: partition.lastKnownElr.length > 0 ? partition.lastKnownElr : null,
  })
}

/** Finalized features by name, metadata.version in front: readers need it to understand what follows. */
export function* featureRecords({ features }: Pick<MetadataImage, 'features'>): Generator<MetadataRecord> {
  const names = [...features.keys()].sort()
  const rest = names.filter((name) => name !== METADATA_VERSION_FEATURE)
  for (const name of names.length === rest.length ? rest : [METADATA_VERSION_FEATURE, ...rest]) {
    yield metadataRecord('FeatureLevelRecord', 0, { name, featureLevel: features.get(name) ?? 0 })
  }
}

function* brokerRecords(image: MetadataImage): Generator<MetadataRecord> {
  for (const broker of image.brokers.values()) {
    yield metadataRecord('RegisterBrokerRecord', RECORD_VERSIONS.REGISTER_BROKER, {
      brokerId: broker.id,
      incarnationId: broker.incarnationId,
      brokerEpoch: broker.epoch,
      endPoints: broker.endpoints.map(endpointRecord),
      features: featureRanges(broker.features),
      rack: broker.rack,
      fenced: broker.isFenced,
      inControlledShutdown: broker.inControlledShutdown,
      logDirs: broker.directories,
      cordonedLogDirs: broker.cordonedDirectories,
    })
  }
}

function* controllerRecords(image: MetadataImage): Generator<MetadataRecord> {
  for (const controller of image.controllers.values()) {
    yield metadataRecord('RegisterControllerRecord', 0, {
      controllerId: controller.id,
      incarnationId: controller.incarnationId,
      zkMigrationReady: false,
      endPoints: controller.endpoints.map(endpointRecord),
      features: featureRanges(controller.features),
    })
  }
}

function* configRecords(image: MetadataImage): Generator<MetadataRecord> {
  for (const resourceType of Object.values(ConfigResourceType)) {
    for (const resourceName of image.configuredResources(resourceType)) {
      for (const [name, value] of image.configsOf(resourceType, resourceName)) {
        yield metadataRecord('ConfigRecord', 0, { resourceType, resourceName, name, value })
      }
    }
  }
}

function endpointRecord({ listenerName: name, host, port, securityProtocol }: EndpointImage) {
  return { name, host, port, securityProtocol }
}

function featureRanges(features: ReadonlyMap<string, { readonly min: number; readonly max: number }>) {
  return [...features].map(([name, { min, max }]) => ({
    name,
    minSupportedVersion: min,
    maxSupportedVersion: max,
  }))
}
