/** What the suite writes into a cluster, and everything that it can see of it. The same requests go to kafkito and to Apache Kafka. */
import { Produce } from '../../../common/protocol/apis/00-produce.ts'
import { Fetch } from '../../../common/protocol/apis/01-fetch.ts'
import { ListOffsets } from '../../../common/protocol/apis/02-list-offsets.ts'
import { Metadata } from '../../../common/protocol/apis/03-metadata.ts'
import { OffsetCommit } from '../../../common/protocol/apis/08-offset-commit.ts'
import { OffsetFetch } from '../../../common/protocol/apis/09-offset-fetch.ts'
import { FindCoordinator } from '../../../common/protocol/apis/10-find-coordinator.ts'
import { JoinGroup } from '../../../common/protocol/apis/11-join-group.ts'
import { LeaveGroup } from '../../../common/protocol/apis/13-leave-group.ts'
import { SyncGroup } from '../../../common/protocol/apis/14-sync-group.ts'
import { DescribeGroups } from '../../../common/protocol/apis/15-describe-groups.ts'
import { ListGroups } from '../../../common/protocol/apis/16-list-groups.ts'
import { ApiVersions } from '../../../common/protocol/apis/18-api-versions.ts'
import { CreateTopics } from '../../../common/protocol/apis/19-create-topics.ts'
import { InitProducerId } from '../../../common/protocol/apis/22-init-producer-id.ts'
import { AddPartitionsToTxn } from '../../../common/protocol/apis/24-add-partitions-to-txn.ts'
import { AddOffsetsToTxn } from '../../../common/protocol/apis/25-add-offsets-to-txn.ts'
import { EndTxn } from '../../../common/protocol/apis/26-end-txn.ts'
import { TxnOffsetCommit } from '../../../common/protocol/apis/28-txn-offset-commit.ts'
import { DescribeConfigs } from '../../../common/protocol/apis/32-describe-configs.ts'
import { IncrementalAlterConfigs } from '../../../common/protocol/apis/44-incremental-alter-configs.ts'
import { DescribeTransactions } from '../../../common/protocol/apis/65-describe-transactions.ts'
import { ConsumerGroupHeartbeat } from '../../../common/protocol/apis/68-consumer-group-heartbeat.ts'
import { ConsumerGroupDescribe } from '../../../common/protocol/apis/69-consumer-group-describe.ts'
import { ErrorCode } from '../../../common/protocol/errors.ts'
import { encodeRecordValue } from '../../../common/protocol/record-codec.ts'
import { ConsumerProtocolSubscription } from '../../../common/protocol/records/consumer-protocol-subscription.ts'
import { BatchCursor } from '../../../common/record/batch.ts'
import { BatchBuilder, type BatchBuilderOptions } from '../../../common/record/batch-builder.ts'
import { CompressionType } from '../../../common/record/codecs.ts'
import { RecordReader } from '../../../common/record/record-reader.ts'
import type { RawClient } from '../../support/raw-client.ts'
import { check } from '../lib/cases.ts'

const DAY_MS = 86_400_000
const TIMEOUT_MS = 10_000
const TOPIC = 2
const BROKER = 4
const GROUPS = ['classic', 'another classic', 'group of pays', 'group of cancels', 'modern', 'standalone']
const CONSUMER_MEMBER = 'AAAAAAAAAAAAAAAAAAAAAA'

const TOPICS = {
  plain: { 'segment.bytes': '1048576', 'retention.ms': '-1' },
  compacted: { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.9' },
  cleaned: { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.01', 'segment.ms': '1' },
  transactional: { 'max.message.bytes': '200000' },
} as const
type TopicName = keyof typeof TOPICS

interface ShownRecord {
  readonly isControl: boolean
  readonly producer: string
  readonly offset: number
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
}

export class Contents {
  readonly #client: RawClient
  readonly #ids = new Map<string, string>()

  constructor(client: RawClient) {
    this.#client = client
  }

  // --- writing ---------------------------------------------------------------------------------------------------------

  async write(): Promise<void> {
    await this.#createTopics()
    await this.#alterConfigs()
    for (let round = 0; round < 6; round++) await this.#writePlain(round)
    for (let round = 0; round < 8; round++) {
      const builder = new BatchBuilder({ compressionType: CompressionType.lz4 })
      for (let key = 0; key < 5; key++) builder.append(Date.now(), text(`k${key}`), text(`round ${round}`))
      builder.append(Date.now(), text('gone'), round === 7 ? null : text('still there'))
      await this.#produce('compacted', 0, builder.build())
    }
    await this.#writeUntilCleaned()
    await this.#untilCoordinated()
    await this.#commitOffsets('standalone', 3)
    await this.#transaction('pays', true)
    await this.#transaction('cancels', false)
    await this.#transaction('pays', true)
    await this.#classicGroup('classic')
    await this.#consumerGroup('modern')
  }

  /** Something of each kind, on top of what is there. */
  async writeMore(): Promise<void> {
    await this.#learnIds()
    await this.#untilCoordinated()
    await this.#writePlain(6)
    await this.#transaction('pays', true)
    await this.#transaction('cancels', false)
    await this.#commitOffsets('standalone', 5)
    await this.#classicGroup('another classic')
  }

  async #createTopics(): Promise<void> {
    const topics = Object.entries(TOPICS).map(([name, configs]) => ({
      name,
      numPartitions: name === 'plain' ? 3 : 1,
      replicationFactor: 1,
      assignments: [],
      configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
    }))
    const created = await this.#client.call(CreateTopics, { topics, timeoutMs: TIMEOUT_MS })
    for (const { name, topicId, errorCode } of created.topics) {
      check(errorCode === 0, `creating ${name} answered ${errorCode}`)
      this.#ids.set(name, topicId)
    }
  }

  async #learnIds(): Promise<void> {
    const { topics } = await this.#client.call(Metadata, { topics: null, allowAutoTopicCreation: false })
    for (const { name, topicId } of topics) this.#ids.set(name ?? '', topicId)
  }

  async #alterConfigs(): Promise<void> {
    const change = (resourceType: number, resourceName: string, name: string, value: string) => ({
      resourceType,
      resourceName,
      configs: [{ name, configOperation: 0, value }],
    })
    const { responses } = await this.#client.call(IncrementalAlterConfigs, {
      resources: [
        change(TOPIC, 'plain', 'retention.ms', String(30 * DAY_MS)),
        change(BROKER, '', 'message.max.bytes', '2000000'),
        change(BROKER, '1', 'log.cleaner.threads', '2'),
        change(32, 'modern', 'consumer.session.timeout.ms', '50000'),
        change(16, 'all', 'interval.ms', '60000'),
      ],
      validateOnly: false,
    })
    for (const { resourceName, errorCode, errorMessage } of responses)
      check(errorCode === 0, `altering ${resourceName} answered ${errorCode} ${errorMessage}`)
  }

  /** Every codec in every round, with keys, headers' absence, empty and null values. */
  async #writePlain(round: number): Promise<void> {
    for (const compressionType of Object.values(CompressionType)) {
      const builder = new BatchBuilder({ compressionType })
      for (let record = 0; record < 10; record++) {
        const value = record === 0 ? null : record === 1 ? text('') : text(`${round}.${record} `.repeat(20))
        builder.append(Date.now() - record, record % 2 === 0 ? text(`key ${record}`) : null, value)
      }
      await this.#produce('plain', (round + compressionType) % 3, builder.build())
    }
  }

  /** Goes on until the cleaner has taken what later records replace. */
  async #writeUntilCleaned(): Promise<void> {
    let round = 0
    await until(async () => {
      const builder = new BatchBuilder({ compressionType: CompressionType.zstd })
      for (const key of ['a', 'b', 'c']) builder.append(Date.now(), text(key), text(`round ${round}`))
      await this.#produce('cleaned', 0, builder.build())
      round += 1
      return (await this.#recordsOf('cleaned')).length < 3 * round
    }, 'compaction')
  }

  async #produce(
    topic: TopicName,
    partition: number,
    records: Buffer,
    transactionalId: string | null = null,
  ) {
    const topicData = [{ topicId: this.#idOf(topic), partitionData: [{ index: partition, records }] }]
    const request = { transactionalId, acks: -1, timeoutMs: TIMEOUT_MS, topicData }
    const answer = await this.#unlessMoving(async () => {
      const { responses } = await this.#client.call(Produce, request)
      return responses[0]?.partitionResponses[0]
    })
    check(answer.errorCode === 0, `producing to ${topic} answered ${answer.errorCode} ${answer.errorMessage}`)
  }

  /** Repeats while a broker that has just started does not lead yet, as any client does. */
  #unlessMoving<T extends { readonly errorCode: number }>(ask: () => Promise<T | undefined>): Promise<T> {
    return untilValue(async () => {
      const answer = await ask()
      return answer?.errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER ? undefined : answer
    }, 'leader')
  }

  #idOf(topic: string): string {
    const id = this.#ids.get(topic)
    check(id !== undefined, `no id of topic ${topic}`)
    return id
  }

  async #untilCoordinated(): Promise<void> {
    for (const keyType of [0, 1]) {
      await until(async () => {
        const { coordinators } = await this.#client.call(FindCoordinator, {
          keyType,
          coordinatorKeys: ['any'],
        })
        return coordinators[0]?.errorCode === 0
      }, 'coordinator')
    }
  }

  async #commitOffsets(groupId: string, committedOffset: number): Promise<void> {
    const partitions = [{ partitionIndex: 0, committedOffset, committedMetadata: `at ${committedOffset}` }]
    await until(async () => {
      const topics = [{ topicId: this.#idOf('plain'), partitions }]
      const answer = await this.#client.call(OffsetCommit, { groupId, memberId: '', topics })
      return answer.topics[0]?.partitions[0]?.errorCode === 0
    }, 'commit')
  }

  async #transaction(transactionalId: string, committed: boolean): Promise<void> {
    const begun = await untilValue(async () => {
      const answer = await this.#client.call(
        InitProducerId,
        { transactionalId, transactionTimeoutMs: 60_000 },
        4,
      )
      return answer.errorCode === 0 ? answer : undefined
    }, 'producer id')
    const { producerId, producerEpoch } = begun
    const producer = { transactionalId, producerId, producerEpoch }
    const topics = [{ name: 'transactional', partitions: [0] }]
    await this.#client.call(
      AddPartitionsToTxn,
      {
        v3AndBelowTransactionalId: transactionalId,
        v3AndBelowProducerId: producerId,
        v3AndBelowProducerEpoch: producerEpoch,
        v3AndBelowTopics: topics,
      },
      3,
    )
    const batch: BatchBuilderOptions = { producerId, producerEpoch, baseSequence: 0, isTransactional: true }
    const builder = new BatchBuilder(batch)
    for (const word of ['one', 'two']) builder.append(Date.now(), null, text(`${transactionalId} ${word}`))
    await this.#produce('transactional', 0, builder.build(), transactionalId)
    const groupId = `group of ${transactionalId}`
    await this.#client.call(AddOffsetsToTxn, { ...producer, groupId }, 3)
    const partitions = [{ partitionIndex: 0, committedOffset: producerEpoch + 1, committedMetadata: null }]
    await this.#client.call(
      TxnOffsetCommit,
      { ...producer, groupId, topics: [{ name: 'plain', partitions }] },
      3,
    )
    const ended = await this.#client.call(EndTxn, { ...producer, committed }, 3)
    check(ended.errorCode === 0, `ending the transaction answered ${ended.errorCode}`)
    await until(async () => {
      const { transactionStates } = await this.#client.call(DescribeTransactions, {
        transactionalIds: [transactionalId],
      })
      return transactionStates[0]?.transactionState.startsWith('Complete') === true
    }, 'end of the transaction')
  }

  /** Joins, is assigned, commits and leaves: an empty group with a generation stays. */
  async #classicGroup(groupId: string): Promise<void> {
    const metadata = Buffer.concat([
      Buffer.from([0, 0]),
      encodeRecordValue(ConsumerProtocolSubscription, 0, { topics: ['plain'], userData: null }).subarray(2),
    ])
    const join = (memberId: string) =>
      this.#client.call(JoinGroup, {
        groupId,
        memberId,
        sessionTimeoutMs: 30_000,
        rebalanceTimeoutMs: 30_000,
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata }],
      })
    const { memberId } = await join('')
    const { generationId, errorCode } = await join(memberId)
    check(errorCode === 0, `joining answered ${errorCode}`)
    const assignment = Buffer.from('000000000000ffffffff', 'hex')
    await this.#client.call(SyncGroup, {
      ...{ groupId, generationId, memberId, protocolType: 'consumer', protocolName: 'range' },
      assignments: [{ memberId, assignment }],
    })
    const partitions = [
      { partitionIndex: 1, committedOffset: 2, committedLeaderEpoch: 0, committedMetadata: 'm' },
    ]
    const topics = [{ topicId: this.#idOf('plain'), partitions }]
    const request = { groupId, memberId, generationIdOrMemberEpoch: generationId, topics }
    const committed = await this.#client.call(OffsetCommit, request)
    check(committed.topics[0]?.partitions[0]?.errorCode === 0, 'the commit of a member was refused')
    await this.#client.call(LeaveGroup, { groupId, members: [{ memberId }] })
  }

  /** Its one member stays, as a member of a process that does not know of the restart. */
  async #consumerGroup(groupId: string): Promise<void> {
    const joining = { groupId, memberId: CONSUMER_MEMBER, memberEpoch: 0, rebalanceTimeoutMs: 60_000 }
    const subscription = { subscribedTopicNames: ['plain'], topicPartitions: [] }
    const joined = await this.#client.call(ConsumerGroupHeartbeat, { ...joining, ...subscription })
    check(joined.errorCode === 0, `joining answered ${joined.errorCode} ${joined.errorMessage}`)
    const topicPartitions = joined.assignment?.topicPartitions ?? []
    const { memberEpoch } = joined
    await this.#client.call(ConsumerGroupHeartbeat, { ...joining, memberEpoch, topicPartitions })
    const partitions = [{ partitionIndex: 2, committedOffset: 4, committedMetadata: '' }]
    const topics = [{ topicId: this.#idOf('plain'), partitions }]
    const request = { groupId, memberId: CONSUMER_MEMBER, generationIdOrMemberEpoch: memberEpoch, topics }
    const committed = await this.#client.call(OffsetCommit, request)
    check(committed.topics[0]?.partitions[0]?.errorCode === 0, 'the commit of a consumer was refused')
  }

  // --- seeing ----------------------------------------------------------------------------------------------------------

  /** Everything a client can see that a restart must not change, part by part. */
  async observe(): Promise<Record<string, unknown>> {
    await this.#learnIds()
    await this.#untilCoordinated()
    return {
      topics: await this.#topics(),
      features: await this.#features(),
      configs: await this.#configs(),
      plain: await Promise.all([0, 1, 2].map((partition) => this.#partition('plain', partition))),
      compacted: await this.#partition('compacted', 0),
      transactional: await this.#partition('transactional', 0),
      // How much is cleaned is a matter of time: the last value of each key is not.
      cleaned: Object.fromEntries((await this.#recordsOf('cleaned')).map(({ key, value }) => [key, value])),
      groups: await this.#groups(),
      transactions: await this.#transactions(),
    }
  }

  async #topics(): Promise<unknown> {
    const { clusterId, topics } = await this.#client.call(Metadata, {
      topics: null,
      allowAutoTopicCreation: false,
    })
    const shown = topics.map(({ name, topicId, partitions, isInternal }) => ({
      ...{ name, topicId, isInternal },
      partitions: partitions
        .map(({ partitionIndex, leaderId, replicaNodes, isrNodes }) => ({
          partitionIndex,
          leaderId,
          replicaNodes,
          isrNodes,
        }))
        .sort((left, right) => left.partitionIndex - right.partitionIndex),
    }))
    return { clusterId, topics: byName(shown, ({ name }) => name ?? '') }
  }

  async #features(): Promise<unknown> {
    const request = { clientSoftwareName: 'suite', clientSoftwareVersion: '1' }
    const { finalizedFeatures, supportedFeatures } = await this.#client.call(ApiVersions, request, 4)
    return {
      finalized: byName(finalizedFeatures, ({ name }) => name),
      supported: byName(supportedFeatures, ({ name }) => name),
    }
  }

  async #configs(): Promise<unknown> {
    const internal = ['__consumer_offsets', '__transaction_state']
    const resources = [
      ...[...Object.keys(TOPICS), ...internal].map((name) => [TOPIC, name] as const),
      ...([
        [BROKER, ''],
        [32, 'modern'],
        [16, 'all'],
      ] as const),
    ]
    const { results } = await this.#client.call(DescribeConfigs, {
      resources: resources.map(([resourceType, resourceName]) => ({
        resourceType,
        resourceName,
        configurationKeys: null,
      })),
    })
    return results.map(({ resourceType, resourceName, configs }) => {
      // What was set, not where the rest comes from: the two are started with different settings.
      const set = configs.filter(({ configSource }) => [1, 2, 3, 7, 8].includes(configSource))
      const dynamic = resourceType === TOPIC ? set.filter(({ configSource }) => configSource === 1) : set
      return [
        resourceType,
        resourceName,
        byName(
          dynamic.map(({ name, value }) => ({ name, value })),
          ({ name }) => name,
        ),
      ]
    })
  }

  async #partition(topic: TopicName, partition: number) {
    const offsetAt = async (timestamp: number) => {
      const partitions = [{ partitionIndex: partition, timestamp }]
      const request = { replicaId: -1, topics: [{ name: topic, partitions }] }
      const { errorCode, offset, leaderEpoch } = await this.#unlessMoving(async () => {
        const { topics } = await this.#client.call(ListOffsets, request)
        return topics[0]?.partitions[0]
      })
      return { errorCode, offset, leaderEpoch }
    }
    const end = (await offsetAt(-1)).offset
    return {
      earliest: await offsetAt(-2),
      // The epoch that the end is told with is that of the leader, which a restart moves on.
      end,
      largestTimestamp: await offsetAt(-3),
      since: await offsetAt(Date.UTC(2020, 0, 1)),
      all: await this.#read(topic, partition, end, 0),
      committed: await this.#read(topic, partition, end, 1),
    }
  }

  async #recordsOf(topic: TopicName): Promise<readonly ShownRecord[]> {
    const { end } = await this.#partition(topic, 0)
    return (await this.#read(topic, 0, end, 0)).records
  }

  async #read(topic: TopicName, partition: number, end: number, isolationLevel: number) {
    const records: ShownRecord[] = []
    const aborted: unknown[] = []
    for (let offset = 0; offset < end; ) {
      const partitions = [{ partition, fetchOffset: offset, partitionMaxBytes: 1 << 20 }]
      const topics = [{ topicId: this.#idOf(topic), partitions }]
      const request = { maxWaitMs: 1_000, minBytes: 1, isolationLevel, topics }
      const answer = await this.#unlessMoving(async () => {
        const { responses } = await this.#client.call(Fetch, request)
        return responses[0]?.partitions[0]
      })
      check(answer.errorCode === 0, `fetching ${topic} answered ${answer.errorCode}`)
      check((answer.records?.length ?? 0) > 0, `${topic} has nothing at offset ${offset} of ${end}`)
      aborted.push(
        ...(answer.abortedTransactions ?? []).map(({ producerId, firstOffset }) => ({
          producerId,
          firstOffset,
        })),
      )
      const cursor = new BatchCursor(answer.records ?? Buffer.alloc(0))
      while (cursor.next()) {
        const { batch } = cursor
        check(batch.isValid, `a batch of ${topic} at ${batch.baseOffset} has a wrong checksum`)
        const reader = new RecordReader(batch)
        while (reader.next()) {
          records.push({
            isControl: batch.isControl,
            producer: batch.isTransactional ? `${batch.producerId}/${batch.producerEpoch}` : '',
            offset: reader.offset,
            timestamp: reader.timestamp,
            key: reader.key?.toString('latin1') ?? null,
            value: reader.value?.toString('latin1') ?? null,
          })
        }
        offset = batch.lastOffset + 1
      }
    }
    return { records, aborted }
  }

  /**
   * A coordinator that has only just started lists no groups, without an error, until the partition of each is loaded; asking for
   * each group by name is the one way to learn of that.
   */
  async #untilGroupsAreLoaded(): Promise<void> {
    await until(async () => {
      const groups = GROUPS.map((groupId) => ({ groupId, topics: null }))
      const answer = await this.#client.call(OffsetFetch, { groups, requireStable: false })
      const listed = await this.#client.call(ListGroups, { statesFilter: [], typesFilter: [] })
      const errorCodes = [listed.errorCode, ...answer.groups.map(({ errorCode }) => errorCode)]
      return !errorCodes.some(isStillLoading)
    }, 'groups')
  }

  async #groups(): Promise<unknown> {
    await this.#untilGroupsAreLoaded()
    const listed = await this.#client.call(ListGroups, { statesFilter: [], typesFilter: [] })
    const names = listed.groups.map(({ groupId }) => groupId).sort()
    const offsets = await untilValue(async () => {
      const groups = names.map((groupId) => ({ groupId, topics: null }))
      const answer = await this.#client.call(OffsetFetch, { groups, requireStable: true })
      const shown = answer.groups.map(({ groupId, errorCode, topics }) => ({
        ...{ groupId, errorCode },
        topics: byName(topics, ({ topicId }) => topicId),
      }))
      return shown.every(({ errorCode }) => errorCode === 0) ? shown : undefined
    }, 'offsets of all groups')
    const classic = names.filter((name) => name.includes('classic'))
    const { groups } = await this.#client.call(DescribeGroups, { groups: classic })
    const modern = await this.#client.call(ConsumerGroupDescribe, {
      groupIds: ['modern'],
      includeAuthorizedOperations: false,
    })
    return {
      listed: byName(listed.groups, ({ groupId }) => groupId),
      offsets,
      classic: groups,
      modern: modern.groups.map((group) => ({ ...group, members: group.members.map(withoutHost) })),
    }
  }

  async #transactions(): Promise<unknown> {
    return untilValue(async () => {
      const { transactionStates } = await this.#client.call(DescribeTransactions, {
        transactionalIds: ['pays', 'cancels'],
      })
      return transactionStates.some(({ errorCode }) => isStillLoading(errorCode))
        ? undefined
        : transactionStates
    }, 'transactions')
  }
}

function withoutHost<Member extends { readonly clientHost: string }>(
  member: Member,
): Omit<Member, 'clientHost'> {
  const { clientHost: _, ...rest } = member
  return rest
}

function isStillLoading(errorCode: number): boolean {
  return (
    errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS ||
    errorCode === ErrorCode.COORDINATOR_NOT_AVAILABLE ||
    errorCode === ErrorCode.NOT_COORDINATOR
  )
}

function text(value: string): Buffer {
  return Buffer.from(value)
}

function byName<T>(items: readonly T[], nameOf: (item: T) => string): T[] {
  return [...items].sort((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1))
}

async function until(isReached: () => Promise<boolean>, what: string): Promise<void> {
  await untilValue(async () => ((await isReached()) ? true : undefined), what)
}

/** Asks until there is a value. */
async function untilValue<T>(read: () => Promise<T | undefined>, what: string): Promise<T> {
  for (const deadlineMs = Date.now() + 30_000; Date.now() < deadlineMs; ) {
    const value = await read()
    if (value !== undefined) return value
  }
  check(false, `no ${what} within 30 s`)
}
