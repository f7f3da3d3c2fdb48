/** Metadata records of random clusters, valid in their order, for property tests. */
import { type MetadataRecord, metadataRecord } from '../../../../broker/metadata/metadata-record.ts'
import type { Random } from '../../../../common/runtime/random.ts'

/** A history: topics come, change and go, brokers register and are fenced, and so on. */
export function randomHistory(random: Random, steps: number): MetadataRecord[] {
  const records: MetadataRecord[] = []
  const brokers = new Map<number, number>()
  const topics: { id: string; name: string; partitions: number }[] = []
  const acls: string[] = []
  const pick = <T>(items: readonly T[]): T | undefined => items[random.int(Math.max(items.length, 1))]
  const actions: (() => void)[] = [
    () => {
      const brokerId = random.int(5)
      const brokerEpoch = records.length
      brokers.set(brokerId, brokerEpoch)
      records.push(
        metadataRecord('RegisterBrokerRecord', 4, {
          brokerId,
          brokerEpoch,
          incarnationId: random.uuid(),
          endPoints: [{ name: 'PLAINTEXT', host: 'localhost', port: random.int(65536), securityProtocol: 0 }],
          features: [{ name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 33 }],
          rack: random.int(2) === 0 ? null : `rack-${random.int(3)}`,
          logDirs: [random.uuid()],
        }),
      )
    },
    () => {
      const [brokerId, brokerEpoch] = pick([...brokers]) ?? []
      if (brokerId === undefined || brokerEpoch === undefined) return
      records.push(
        metadataRecord('BrokerRegistrationChangeRecord', 3, {
          brokerId,
          brokerEpoch,
          fenced: random.int(3) - 1,
          inControlledShutdown: random.int(2),
          cordonedLogDirs: random.int(2) === 0 ? null : [],
        }),
      )
    },
    () => {
      const topic = { id: random.uuid(), name: `topic-${records.length}`, partitions: 1 + random.int(4) }
      topics.push(topic)
      records.push(metadataRecord('TopicRecord', 0, { name: topic.name, topicId: topic.id }))
      for (let partitionId = 0; partitionId < topic.partitions; partitionId++) {
        records.push(
          metadataRecord('PartitionRecord', 2, {
            partitionId,
            topicId: topic.id,
            replicas: [1, 2, 3],
            isr: [1, 2],
            removingReplicas: [],
            addingReplicas: [],
            leader: 1,
            leaderEpoch: 0,
            partitionEpoch: 0,
            directories: [random.uuid(), random.uuid(), random.uuid()],
          }),
        )
      }
    },
    () => {
      const topic = pick(topics)
      if (topic === undefined) return
      records.push(
        metadataRecord('PartitionChangeRecord', 2, {
          topicId: topic.id,
          partitionId: random.int(topic.partitions),
          isr: random.int(2) === 0 ? null : [1 + random.int(3)],
          leader: random.int(5) - 2,
          eligibleLeaderReplicas: random.int(2) === 0 ? null : [3],
          lastKnownElr: random.int(2) === 0 ? null : [2],
          leaderRecoveryState: random.int(3) - 1,
        }),
      )
    },
    () => {
      const index = random.int(Math.max(topics.length, 1))
      const topic = topics[index]
      if (topic === undefined || random.int(3) > 0) return
      topics.splice(index, 1)
      records.push(metadataRecord('RemoveTopicRecord', 0, { topicId: topic.id }))
    },
    () => {
      const topic = pick(topics)
      const value = random.int(3) === 0 ? null : String(random.int(1000))
      const name = pick(['retention.ms', 'segment.bytes', 'cleanup.policy']) as string
      records.push(
        metadataRecord('ConfigRecord', 0, {
          resourceType: topic === undefined ? 4 : 2,
          resourceName: topic?.name ?? String(random.int(3)),
          name,
          value,
        }),
      )
    },
    () => {
      const entity = [
        { entityType: 'user', entityName: random.int(2) === 0 ? null : `user-${random.int(3)}` },
      ]
      const remove = random.int(3) === 0
      records.push(
        metadataRecord('ClientQuotaRecord', 0, {
          entity,
          key: 'producer_byte_rate',
          value: remove ? 0 : 1024.5,
          remove,
        }),
      )
    },
    () => {
      const id = random.uuid()
      acls.push(id)
      records.push(
        metadataRecord('AccessControlEntryRecord', 0, {
          id,
          resourceType: 2,
          resourceName: 'orders',
          patternType: 3,
          principal: 'User:alice',
          host: '*',
          operation: 3,
          permissionType: 3,
        }),
      )
    },
    () => {
      const id = acls.pop()
      if (id !== undefined) records.push(metadataRecord('RemoveAccessControlEntryRecord', 0, { id }))
    },
    () => {
      const bytes = { salt: random.bytes(16), storedKey: random.bytes(32), serverKey: random.bytes(32) }
      const name = `user-${random.int(4)}`
      records.push(
        metadataRecord('UserScramCredentialRecord', 0, { name, mechanism: 1, iterations: 4096, ...bytes }),
      )
    },
    () => {
      records.push(
        metadataRecord('FeatureLevelRecord', 0, {
          name: `feature-${random.int(3)}`,
          featureLevel: random.int(3),
        }),
      )
    },
    () => {
      const nextProducerId = (records.length + 1) * 1000
      records.push(metadataRecord('ProducerIdsRecord', 0, { brokerId: 1, brokerEpoch: 1, nextProducerId }))
    },
    () => {
      records.push(
        metadataRecord('RegisterControllerRecord', 0, {
          controllerId: random.int(3),
          incarnationId: random.uuid(),
          zkMigrationReady: false,
          endPoints: [{ name: 'CONTROLLER', host: 'localhost', port: 9093, securityProtocol: 0 }],
          features: [{ name: 'kraft.version', minSupportedVersion: 0, maxSupportedVersion: 1 }],
        }),
      )
    },
    () => {
      records.push(
        metadataRecord('DelegationTokenRecord', 0, {
          owner: 'User:alice',
          requester: 'User:bob',
          renewers: ['User:carol'],
          issueTimestamp: 1,
          maxTimestamp: 3,
          expirationTimestamp: 2,
          tokenId: `token-${random.int(3)}`,
        }),
      )
    },
  ]
  for (let step = 0; step < steps; step++) pick(actions)?.()
  return records
}
