/**
 * Every item of the documented client API, and what the ecosystem adds to it: names, and where a test of each is found. What is
 * implemented is not written here; `client-api-reflection.ts` looks.
 */
import { brokerCodes, localCodes } from '../support/client-api/codes.ts'
import {
  type DocumentedProperty,
  effectiveProperties,
  idleProperties,
  refusedNames,
  refusedValues,
} from '../support/client-api/properties.ts'
import { fieldsOf, statisticsFields } from '../support/client-api/statistics.ts'
import { produceErrors, quirks, robustness, validationRules } from './client-api-behaviours.ts'
import { edgeCases } from './client-api-edge-cases.ts'

/** A test by its file (below test/, without .test.ts) and title. */
export type TestName = readonly [file: string, title: string]

export type ItemKind =
  | 'export'
  | 'member'
  | 'values'
  | 'code'
  | 'property'
  | 'refused property'
  | 'refused value'
  | 'statistic'
  | 'behaviour'

export interface Item {
  /** Unique in its section. */
  readonly name: string
  readonly kind: ItemKind
  readonly owner?: string
  readonly member?: string
  readonly entry?: string
  /** What the export must hold. */
  readonly values?: unknown
  readonly property?: DocumentedProperty
  /** A test of the item names this. */
  readonly mention?: RegExp
  /** Where tests are looked for, below test/. */
  readonly files?: RegExp
  /** In place of looking. */
  readonly tests?: readonly TestName[]
  /** The case behind TLS or SASL that shows it, in place of looking. */
  readonly securedBy?: string
}

export interface Section {
  readonly title: string
  readonly items: readonly Item[]
  /** Why a test without a broker is enough where no end-to-end test names the item. */
  readonly withoutBroker?: string
  /** The test that covers the items which no test names by themselves, or no end-to-end test if it is one. */
  readonly coveredBy?: TestName
}

interface Where {
  readonly files?: RegExp
  /** Names of variables that hold an instance, as an alternation. */
  readonly receiver?: string
  readonly entry?: string
  readonly tests?: Readonly<Record<string, readonly TestName[]>>
  readonly securedBy?: Readonly<Record<string, string>>
}

const words = (text: string): string[] => text.trim().split(/\s+/)
const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

function exportsOf(names: string, where: Where = {}): Item[] {
  return words(names).map((name) => ({
    name,
    kind: 'export',
    mention: new RegExp(`\\b${escaped(name)}\\b`),
    ...located(where, name),
  }))
}

/** Methods are `name()`, everything else are attributes. */
function members(owner: string, names: string, where: Where = {}): Item[] {
  const receiver = where.receiver === undefined ? '' : `\\b(?:${where.receiver})\\)?\\??`
  return words(names).map((given) => {
    const member = given.replace('()', '')
    const isMethod = given.endsWith('()')
    const plain = isMethod
      ? `${receiver}\\.${escaped(member)}\\(`
      : `${receiver}\\.${escaped(member)}\\b|[{,]\\s*${escaped(member)}\\b|^\\s*${escaped(member)}:`
    const mention = member.startsWith('[') ? /await using|for await|Symbol\./ : new RegExp(plain, 'm')
    return { name: `${owner}.${given}`, kind: 'member', owner, member, mention, ...located(where, given) }
  })
}

function located({ files, entry, tests, securedBy }: Where, name: string): Partial<Item> {
  const named = tests?.[name]
  const secured = securedBy?.[name]
  return {
    ...(files === undefined ? {} : { files }),
    ...(entry === undefined ? {} : { entry }),
    ...(named === undefined ? {} : { tests: named }),
    ...(secured === undefined ? {} : { securedBy: secured }),
  }
}

function values(name: string, held: unknown, where: Where = {}): Item {
  return {
    name,
    kind: 'values',
    owner: name,
    values: held,
    mention: new RegExp(`\\b${escaped(name)}\\b`),
    ...located(where, name),
  }
}

function behaviour(name: string, ...tests: TestName[]): Item {
  return { name, kind: 'behaviour', tests }
}

/** Members numbered from 0 in order; `NAME=n` starts anew at n. */
function numbered(names: string): Record<string, number> {
  let next = 0
  const entries = words(names).map((given): [string, number] => {
    const [name = '', value] = given.split('=')
    const number = value === undefined ? next : Number(value)
    next = number + 1
    return [name, number]
  })
  return Object.fromEntries(entries)
}

const enumerations: readonly Item[] = [
  values('ResourceType', numbered('UNKNOWN ANY TOPIC GROUP BROKER TRANSACTIONAL_ID')),
  values('ConfigResource.Type', numbered('UNKNOWN ANY TOPIC GROUP BROKER TRANSACTIONAL_ID')),
  values('ResourcePatternType', numbered('UNKNOWN ANY MATCH LITERAL PREFIXED')),
  values(
    'AclOperation',
    numbered(
      'UNKNOWN ANY ALL READ WRITE CREATE DELETE ALTER DESCRIBE CLUSTER_ACTION DESCRIBE_CONFIGS ALTER_CONFIGS IDEMPOTENT_WRITE',
    ),
  ),
  values('AclPermissionType', numbered('UNKNOWN ANY DENY ALLOW')),
  values(
    'ConfigSource',
    numbered(
      'UNKNOWN_CONFIG DYNAMIC_TOPIC_CONFIG DYNAMIC_BROKER_CONFIG DYNAMIC_DEFAULT_BROKER_CONFIG STATIC_BROKER_CONFIG DEFAULT_CONFIG GROUP_CONFIG=8',
    ),
  ),
  values('AlterConfigOpType', numbered('SET DELETE APPEND SUBTRACT')),
  values(
    'ConsumerGroupState',
    numbered(
      'UNKNOWN UNKOWN=0 PREPARING_REBALANCING COMPLETING_REBALANCING STABLE DEAD EMPTY ASSIGNING RECONCILING',
    ),
  ),
  values('ConsumerGroupType', numbered('UNKNOWN CONSUMER CLASSIC')),
  values('IsolationLevel', numbered('READ_UNCOMMITTED READ_COMMITTED')),
  values('ElectionType', numbered('PREFERRED UNCLEAN')),
  values('ScramMechanism', numbered('UNKNOWN SCRAM_SHA_256 SCRAM_SHA_512')),
  values('AcknowledgeType', numbered('ACCEPT=1 RELEASE REJECT')),
  values('MessageField', { NONE: 'none', KEY: 'key', VALUE: 'value' }),
  values('PersistenceStatus', numbered('NOT_PERSISTED POSSIBLY_PERSISTED PERSISTED')),
]

const flatNames: Readonly<Record<string, string>> = {
  RESOURCE: 'UNKNOWN ANY TOPIC GROUP BROKER TRANSACTIONAL_ID',
  RESOURCE_PATTERN: 'UNKNOWN ANY MATCH LITERAL PREFIXED',
  ACL_OPERATION:
    'UNKNOWN ANY ALL READ WRITE CREATE DELETE ALTER DESCRIBE CLUSTER_ACTION DESCRIBE_CONFIGS ALTER_CONFIGS IDEMPOTENT_WRITE',
  ACL_PERMISSION_TYPE: 'UNKNOWN ANY DENY ALLOW',
  CONFIG_SOURCE:
    'UNKNOWN_CONFIG DYNAMIC_TOPIC_CONFIG DYNAMIC_BROKER_CONFIG DYNAMIC_DEFAULT_BROKER_CONFIG STATIC_BROKER_CONFIG DEFAULT_CONFIG GROUP_CONFIG=8',
  ALTER_CONFIG_OP_TYPE: 'SET DELETE APPEND SUBTRACT',
  CONSUMER_GROUP_STATE: 'UNKNOWN PREPARING_REBALANCE COMPLETING_REBALANCE STABLE DEAD EMPTY',
  CONSUMER_GROUP_TYPE: 'UNKNOWN CONSUMER CLASSIC',
  ISOLATION_LEVEL: 'READ_UNCOMMITTED READ_COMMITTED',
  ELECTION_TYPE: 'PREFERRED UNCLEAN',
  SCRAM_MECHANISM: 'UNKNOWN SHA_256 SHA_512',
  OFFSET_SPEC: 'MAX_TIMESTAMP=-3 EARLIEST LATEST',
  SHARE_ACKNOWLEDGE_TYPE: 'ACCEPT=1 RELEASE REJECT',
}
const flat = Object.entries(flatNames).flatMap(([prefix, names]) =>
  Object.entries(numbered(names)).map(
    ([name, value]): Item => ({
      name: `${prefix}_${name}`,
      kind: 'values',
      entry: 'constants',
      owner: `${prefix}_${name}`,
      values: value,
      mention: new RegExp(`\\b${prefix}_${name}\\b`),
    }),
  ),
)

const admin = /^(e2e|unit\/client)\/(admin|local-effects)/
const producing =
  /^(e2e\/(edge-cases|broker-errors|local-effects|producer|transactions|additions)|unit\/client\/producer\/)/
const consuming = /^(e2e\/(edge-cases|local-effects|consumer|additions)|unit\/client\/consumer\/)/
const sharing = /^(e2e\/(share-consumer|additions-handles)|unit\/client\/share-consumer)/
const serializing = /^(e2e|unit\/client)\/(serializ|local-effects)/
const aProducer = '\\w*[pP]roducer|plain|second|made'
const aConsumer = '\\w*[cC]onsumer|reader|first|older|newer|ended|again|committed|all|automatic|self|made'

export const sections: readonly Section[] = [
  {
    title: 'Constants',
    withoutBroker: 'a number',
    items: [
      ...Object.entries({
        OFFSET_BEGINNING: -2,
        OFFSET_END: -1,
        OFFSET_STORED: -1000,
        OFFSET_INVALID: -1001,
      }).map(([name, value]) => values(name, value)),
      values('OFFSET_TAIL_BASE', -2000),
      values('TIMESTAMP_NOT_AVAILABLE', 0),
      values('TIMESTAMP_CREATE_TIME', 1),
      values('TIMESTAMP_LOG_APPEND_TIME', 2),
      values('PARTITION_UA', -1),
      ...enumerations,
    ],
    coveredBy: ['unit/client/documented-names', 'constants and enumerations have the documented values'],
  },
  {
    title: 'Flat constants',
    withoutBroker: 'a number',
    coveredBy: ['unit/client/flat-constants', 'stand for the members of the enumerations'],
    items: flat,
  },
  {
    title: 'Functions',
    withoutBroker: 'a local computation',
    coveredBy: ['unit/client/documented-names', 'version and libversion tell what this is'],
    items: exportsOf('version libversion murmur2 consistent fnv1a'),
  },
  {
    title: 'KafkaError',
    withoutBroker: 'a value',
    coveredBy: ['unit/client/documented-names', 'a KafkaError is a value with flags'],
    items: [
      ...exportsOf('KafkaError'),
      ...members(
        'KafkaError',
        'code() name() str() fatal() retriable() txnRequiresAbort() equals() compare() valueOf() toString()',
        { receiver: '\\w*[eE]rror\\(?\\)?|timedOut' },
      ),
    ],
  },
  {
    title: 'Exceptions',
    withoutBroker: 'a class',
    coveredBy: ['unit/client/documented-names', 'the exceptions form the documented tree'],
    items: [
      ...exportsOf(
        `KafkaException BufferError ValueError RuntimeError ClosedError NotImplementedError ConsumeError KeyDeserializationError
        ValueDeserializationError ProduceError KeySerializationError ValueSerializationError SerializationError
        IllegalStateException ConcurrentModificationException`,
      ),
      ...members('KafkaException', 'error args'),
      ...members('ConsumeError', 'code name exception kafkaMessage', { files: serializing }),
      ...members('ProduceError', 'code name exception', { files: serializing }),
    ],
  },
  {
    title: 'Message',
    withoutBroker: 'a value',
    items: [
      ...exportsOf('Message', { files: /values|documented|consumer/ }),
      ...members(
        'Message',
        `topic() partition() offset() key() value() headers() error() timestamp() latency() leaderEpoch() deliveryCount()
        persistence() opaque() setHeaders() setKey() setValue() setTopic() setError() len() length equals() toString()`,
      ),
    ],
    coveredBy: ['unit/client/documented-names', 'every field of a message can be read and replaced'],
  },
  {
    title: 'TopicPartition, Uuid, ConsumerGroupMetadata',
    withoutBroker: 'a value',
    coveredBy: ['unit/client/documented-names', 'partitions and identifiers compare by value'],
    items: [
      ...exportsOf('TopicPartition Uuid ConsumerGroupMetadata'),
      ...members(
        'TopicPartition',
        'topic partition offset metadata leaderEpoch error equals() compare() toString()',
      ),
      ...members(
        'Uuid',
        'getMostSignificantBits() getLeastSignificantBits() toString() toBigInt() equals() fromString() ZERO',
        { receiver: '\\w*[uU]uid|\\w*[iI]d' },
      ),
      ...members('ConsumerGroupMetadata', 'toBuffer() fromBuffer()'),
    ],
  },
  {
    title: 'Cluster and group metadata',
    withoutBroker: 'a value',
    coveredBy: ['unit/client/documented-names', 'nodes and throttle events have text forms'],
    items: [
      ...exportsOf(
        'Node ThrottleEvent ClusterMetadata BrokerMetadata TopicMetadata PartitionMetadata GroupMetadata GroupMember',
        {
          tests: {
            ClusterMetadata: [
              ['e2e/producer', 'listTopics shows brokers, partitions and topics that are missing'],
            ],
            BrokerMetadata: [
              ['e2e/producer', 'listTopics shows brokers, partitions and topics that are missing'],
            ],
            TopicMetadata: [
              ['e2e/producer', 'listTopics shows brokers, partitions and topics that are missing'],
            ],
            PartitionMetadata: [
              ['e2e/producer', 'listTopics shows brokers, partitions and topics that are missing'],
            ],
            GroupMetadata: [['e2e/admin-groups', 'is found by the old call, bytes and all']],
            GroupMember: [['e2e/admin-groups', 'is found by the old call, bytes and all']],
          },
        },
      ),
      ...members('Node', 'id idString host port rack', {
        files: /admin-topics|documented-names|local-effects/,
      }),
      ...members('ClusterMetadata', 'clusterId controllerId brokers topics origBrokerId origBrokerName', {
        files: /edge-cases|connections|e2e\/producer/,
      }),
      ...members('BrokerMetadata', 'id host port', { files: /edge-cases|connections/ }),
      ...members('TopicMetadata', 'topic partitions error', {
        files: /edge-cases|connections|e2e\/producer/,
      }),
      ...members('PartitionMetadata', 'id leader replicas isrs error', { files: /edge-cases|connections/ }),
      ...members('GroupMetadata', 'broker id error state protocolType protocol members', {
        files: /admin-groups|local-effects/,
      }),
      ...members('GroupMember', 'id clientId clientHost metadata assignment', {
        files: /admin-groups|local-effects/,
      }),
      ...members('ThrottleEvent', 'brokerName brokerId throttleTime toString()', {
        files: /documented-names|unit\/client\/producer|e2e\/quotas/,
      }),
    ],
  },
  {
    title: 'Producer',
    withoutBroker: 'a local effect, or an answer that a healthy cluster does not give',
    items: [
      ...exportsOf('Producer', { files: producing }),
      ...members(
        'Producer',
        'produce() produceBatch() poll() flush() purge() length len() close() listTopics() setSaslCredentials() [Symbol.asyncDispose]',
        { files: producing, receiver: aProducer },
      ),
      ...members('ProduceOptions', 'value key partition onDelivery timestamp headers opaque copy', {
        files: producing,
      }),
      ...members('PurgeOptions', 'inQueue inFlight blocking', { files: producing }),
    ],
  },
  {
    title: 'Partitioners',
    withoutBroker: 'the choice is made locally',
    items: [
      ...words('consistent_random consistent murmur2_random murmur2 fnv1a_random fnv1a').map((name) =>
        behaviour(name, ['e2e/edge-cases', 'keys go where murmur2, CRC-32 and FNV-1a say']),
      ),
      behaviour('random', [
        'e2e/edge-cases',
        'messages without key stay together for the sticky time, and spread at random',
      ]),
      behaviour(
        'a function',
        ['e2e/local-effects', 'asks a partitioner of the application'],
        ['unit/client/producer/producer', "an application's partitioner decides"],
      ),
    ],
  },
  {
    title: 'Transactions',
    items: members(
      'Producer',
      'initTransactions() beginTransaction() sendOffsetsToTransaction() commitTransaction() abortTransaction()',
      { files: producing, receiver: aProducer },
    ),
  },
  {
    title: 'Consumer',
    withoutBroker: 'a local effect',
    items: [
      ...exportsOf('Consumer', { files: consuming }),
      ...members(
        'Consumer',
        `subscribe() unsubscribe() assign() unassign() incrementalAssign() incrementalUnassign() assignment() memberid()
        consumerGroupMetadata() poll() consume() commit() storeOffsets() committed() position() seek() getWatermarkOffsets()
        offsetsForTimes() pause() resume() close() listTopics() setSaslCredentials() [Symbol.asyncDispose]`,
        { files: consuming, receiver: aConsumer },
      ),
      ...members('RebalanceCallbacks', 'onAssign onRevoke onLost', { files: consuming }),
      ...members('CommitOptions', 'message offsets asynchronous async', { files: consuming }),
      ...members('WatermarkOptions', 'timeoutMs cached nullOnTimeout', { files: consuming }),
    ],
  },
  {
    title: 'Share consumer',
    withoutBroker: 'a local effect',
    items: [
      ...exportsOf('ShareConsumer Messages DeserializingShareConsumer', {
        files: /^(e2e\/(share-consumer|serialization|additions-handles)|unit\/client\/)/,
      }),
      ...members(
        'ShareConsumer',
        `subscribe() unsubscribe() subscription() poll() acknowledge() acknowledgeOffset() commitSync() commitAsync()
        setAcknowledgementCommitCallback() setSaslCredentials() close() [Symbol.asyncDispose]`,
        { files: sharing },
      ),
      ...members('Messages', 'records() count() isEmpty() length slice() [Symbol.iterator]', {
        files: sharing,
      }),
    ],
  },
  {
    title: 'AdminClient',
    withoutBroker: 'a local effect, or an answer that a healthy cluster does not give',
    items: [
      ...exportsOf('AdminClient', { files: admin }),
      ...members(
        'AdminClient',
        `createTopics() deleteTopics() createPartitions() describeTopics() listTopics() deleteRecords() listOffsets() electLeaders()
        describeCluster() describeConfigs() alterConfigs() incrementalAlterConfigs() createAcls() describeAcls() deleteAcls()
        listConsumerGroups() describeConsumerGroups() deleteConsumerGroups() listConsumerGroupOffsets()
        alterConsumerGroupOffsets() listGroups() describeUserScramCredentials() alterUserScramCredentials() poll()
        setSaslCredentials() length len() close() [Symbol.asyncDispose]`,
        {
          files: /^(e2e\/(admin|edge-cases|additions|local-effects)|unit\/client\/(admin|documented))/,
          receiver: '\\w*[aA]dmin|client|made',
        },
      ),
      ...members('AdminOptions', 'requestTimeoutMs requestTimeout signal', { files: admin }),
      ...members('OperationOptions', 'operationTimeoutMs operationTimeout', { files: admin }),
      ...members('ValidateOptions', 'validateOnly', { files: admin }),
      ...members('BrokerOptions', 'broker', { files: admin }),
      ...members('AuthorizedOptions', 'includeAuthorizedOperations', { files: admin }),
      ...members('ListGroupOffsetsOptions', 'requireStable', { files: admin }),
    ],
  },
  {
    title: 'Values of the admin client',
    withoutBroker: 'a value',
    items: [
      ...exportsOf(
        `NewTopic NewPartitions TopicCollection TopicDescription TopicPartitionInfo OffsetSpec EarliestSpec LatestSpec
        MaxTimestampSpec TimestampSpec DeletedRecords ListOffsetsResultInfo DescribeClusterResult ConfigResource ConfigEntry
        AclBinding AclBindingFilter ConsumerGroupTopicPartitions ConsumerGroupListing ListConsumerGroupsResult
        ConsumerGroupDescription MemberDescription MemberAssignment ScramCredentialInfo UserScramCredentialsDescription
        UserScramCredentialAlteration UserScramCredentialUpsertion UserScramCredentialDeletion ResultMap`,
        {
          tests: {
            TopicDescription: [
              ['e2e/admin-topics', 'gives their nodes, and an error for each that does not exist'],
            ],
            TopicPartitionInfo: [
              ['e2e/admin-topics', 'gives their nodes, and an error for each that does not exist'],
            ],
            DeletedRecords: [
              [
                'e2e/admin-records',
                'before an offset moves the low watermark; OFFSET_END empties the partition',
              ],
            ],
            ListOffsetsResultInfo: [['e2e/admin-records', 'are found by place and by time']],
            DescribeClusterResult: [
              ['e2e/admin-topics', 'is described with its nodes, its controller and what the caller may do'],
            ],
            ConsumerGroupListing: [
              ['e2e/admin-groups', 'is listed and described while it has members, and after they left'],
            ],
            ListConsumerGroupsResult: [['e2e/admin-groups', 'is told apart by types and states']],
            ConsumerGroupDescription: [
              ['e2e/admin-groups', 'is listed and described while it has members, and after they left'],
            ],
            MemberDescription: [
              ['e2e/admin-groups', 'is listed and described while it has members, and after they left'],
            ],
            MemberAssignment: [['e2e/admin-groups', 'is described with current and target assignments']],
            UserScramCredentialsDescription: [
              ['e2e/admin-users', 'are set, described without their secrets, and deleted'],
            ],
            UserScramCredentialAlteration: [
              ['e2e/admin-users', 'are set, described without their secrets, and deleted'],
            ],
            ResultMap: [
              ['e2e/local-effects', 'shows what it was made of, and the cluster does as it says'],
              ['unit/client/admin/keyed-map', 'gives all results at once, or the first failure'],
            ],
            EarliestSpec: [['e2e/admin-records', 'are found by place and by time']],
            LatestSpec: [['e2e/admin-records', 'are found by place and by time']],
            MaxTimestampSpec: [['e2e/admin-records', 'are found by place and by time']],
            TimestampSpec: [['e2e/admin-records', 'are found by place and by time']],
          },
        },
      ),
      ...members('NewTopic', 'topic numPartitions replicationFactor replicaAssignment config equals()', {
        files: admin,
      }),
      ...members('NewPartitions', 'topic newTotalCount replicaAssignment', {
        files: /admin|documented|local-effects/,
      }),
      ...members('TopicCollection', 'topicNames', { files: /admin|documented|local-effects/ }),
      ...members('TopicDescription', 'name topicId isInternal partitions authorizedOperations', {
        files: admin,
      }),
      ...members('TopicPartitionInfo', 'id leader replicas isr', { files: admin }),
      ...members('OffsetSpec', 'earliest() latest() maxTimestamp() forTimestamp()', { files: admin }),
      ...members('DeletedRecords', 'lowWatermark', { files: admin }),
      ...members('ListOffsetsResultInfo', 'offset timestamp leaderEpoch', { files: admin }),
      ...members('DescribeClusterResult', 'clusterId controller nodes authorizedOperations', {
        files: admin,
      }),
      ...members(
        'ConfigResource',
        'setConfig() addIncrementalConfig() restype name configs error setConfigDict incrementalConfigs length equals()',
        { files: /admin|documented|local-effects/ },
      ),
      ...members(
        'ConfigEntry',
        'name value source isReadOnly isDefault isSensitive isSynonym synonyms incrementalOperation toString()',
        { files: /admin|documented|local-effects/ },
      ),
      ...members(
        'AclBinding',
        'restype name resourcePatternType principal host operation permissionType equals()',
        { files: /admin|documented|local-effects/ },
      ),
      ...members(
        'AclBindingFilter',
        'restype name resourcePatternType principal host operation permissionType',
        { files: /admin|documented|local-effects/ },
      ),
      ...members('ConsumerGroupTopicPartitions', 'groupId topicPartitions', { files: admin }),
      ...members('ConsumerGroupListing', 'groupId isSimpleConsumerGroup state type', { files: admin }),
      ...members('ListConsumerGroupsResult', 'valid errors', { files: admin }),
      ...members(
        'ConsumerGroupDescription',
        'groupId isSimpleConsumerGroup members partitionAssignor state type coordinator authorizedOperations',
        { files: admin },
      ),
      ...members('MemberDescription', 'memberId clientId host assignment groupInstanceId targetAssignment', {
        files: admin,
      }),
      ...members('MemberAssignment', 'topicPartitions', { files: admin }),
      ...members('ScramCredentialInfo', 'mechanism iterations', { files: admin }),
      ...members('UserScramCredentialsDescription', 'user scramCredentialInfos', { files: admin }),
      ...members('UserScramCredentialUpsertion', 'user scramCredentialInfo password salt', {
        files: /admin|documented|local-effects/,
      }),
      ...members('UserScramCredentialDeletion', 'user mechanism', { files: admin }),
      ...members('ResultMap', 'all() get() has() keys()', { files: admin }),
    ],
    coveredBy: ['unit/client/documented-names', 'what the admin client takes shows what it was made of'],
  },
  {
    title: 'Calls that the admin client adds',
    items: members(
      'AdminClient',
      `alterPartitionReassignments() listPartitionReassignments() describeLogDirs() describeProducers() listTransactions()
      describeTransactions() abortTransaction() deleteConsumerGroupOffsets() removeMembersFromConsumerGroup()
      describeClientQuotas() alterClientQuotas() resetOffsets() fetchTopicOffsetsByTimestamp() describeFeatures()
      updateFeatures() listShareGroups() describeShareGroups() deleteShareGroups() listShareGroupOffsets()
      alterShareGroupOffsets() deleteShareGroupOffsets() describeMetadataQuorum()`,
      { files: admin, receiver: '\\w*[aA]dmin|client' },
    ),
  },
  {
    title: 'Serialization',
    withoutBroker: 'a local computation',
    items: [
      ...exportsOf(
        `Serializer Deserializer SerializationContext StringSerializer StringDeserializer IntegerSerializer IntegerDeserializer
        DoubleSerializer DoubleDeserializer JsonSerializer JsonDeserializer BufferSerializer BufferDeserializer BigIntSerializer
        BigIntDeserializer SerializingProducer DeserializingConsumer`,
        {
          files: serializing,
          tests: {
            Serializer: [['e2e/serialization', 'come out of the consumer as they went into the producer']],
            Deserializer: [['e2e/serialization', 'come out of the consumer as they went into the producer']],
          },
        },
      ),
      ...members('SerializationContext', 'topic field headers', { files: serializing }),
      ...members('SerializingProducer', 'produce() produceAsync()', { files: serializing }),
      ...members('DeserializingConsumer', 'poll() consume() messages()', {
        files: serializing,
        tests: { 'messages()': [['e2e/serialization', 'iterates over objects']] },
      }),
    ],
    coveredBy: ['unit/client/serialization/serializers', 'come back at the ends of their ranges'],
  },
  ...Object.keys(statisticsFields).map(
    (level): Section => ({
      title: `Statistics: ${level}`,
      items: fieldsOf(level).map((field) => ({
        name: field,
        kind: 'statistic',
        member: field,
        tests: [['e2e/edge-cases', 'statistics have every documented field']],
      })),
    }),
  ),
  {
    title: 'Additions: promises, iteration, streams',
    withoutBroker: 'a local effect',
    items: [
      ...members('Producer', 'send() sendBatch() transaction() writable() metrics() create() ref() unref()', {
        files: /^(e2e\/(additions|local-effects|edge-cases|producer)|unit\/client)/,
        receiver: `${aProducer}|Handle|Producer`,
      }),
      ...members('ProducerExtra', 'autoPoll', { files: /unit\/client\/producer|additions/ }),
      ...members('RecordMetadata', 'topicName partition errorCode baseOffset logAppendTime logStartOffset', {
        files: /additions|producer\/send/,
      }),
      ...members(
        'Consumer',
        'messages() batches() events() stream() metrics() create() [Symbol.asyncIterator]',
        {
          files: /^(e2e\/(additions|local-effects|edge-cases|consumer)|unit\/client)/,
          receiver: `${aConsumer}|Handle|Consumer`,
        },
      ),
      ...members('AdminClient', 'create()', {
        files: /oauthbearer|admin|local-effects/,
        receiver: 'Handle|AdminClient',
      }),
      ...members('ShareConsumer', 'create()', {
        files: /oauthbearer|share|local-effects/,
        receiver: 'Handle|ShareConsumer',
      }),
      ...members('BatchesOptions', 'maxMessages maxWaitMs signal closeOnEnd partitionEof', {
        files: /additions/,
      }),
      ...members('MessagesOptions', 'signal closeOnEnd partitionEof', { files: /additions/ }),
      ...members('StreamOptions', 'topics mode offsets fallbackMode autocommit highWaterMark onCorrupted', {
        files: /additions|stream/,
        tests: {
          onCorrupted: [
            [
              'unit/client/consumer/stream',
              'a stream goes on behind what cannot be decoded when onCorrupted says so',
            ],
          ],
        },
      }),
      ...members('WritableOptions', 'topic batchSize batchTimeMs report', {
        files: /additions|stream|writable/,
      }),
      ...members(
        'Transaction',
        'send() sendBatch() sendOffsets() commit() abort() isActive() [Symbol.asyncDispose]',
        {
          files: /additions|kafkajs/,
          receiver: '\\w*[tT]ransaction|open|done|aborted|kept',
        },
      ),
      ...members('StreamMessage', 'commit()', { files: /additions/ }),
      ...members('CloseOptions', 'timeoutMs force', { files: /^(e2e|unit\/client)/ }),
    ],
  },
  {
    title: 'Additions: events',
    withoutBroker: 'a local effect',
    items: [
      ['ClientEvents', 'connect disconnect error throttle stats log request request-timeout'],
      ['ProducerEvents', 'delivery-report queue-full queue-drain'],
      ['ConsumerEvents', 'rebalance partition-eof offset-commit group-join group-leave heartbeat fetch lag'],
    ].flatMap(([owner = '', names = '']) =>
      words(names).map(
        (name): Item => ({
          name,
          kind: 'member',
          owner,
          member: name,
          mention: new RegExp(`\\.(?:on|once)\\('${name}'|'${name}'`),
          files:
            /^(e2e\/(additions|local-effects|edge|quotas|hooks|local-errors)|unit\/client\/(events|producer|consumer|admin))/,
        }),
      ),
    ),
  },
  {
    title: 'Additions: observability and testing',
    withoutBroker: 'a local effect',
    items: [
      ...words('connection request produce fetch process group admin commit').map(
        (name): Item => ({
          name: `kafka:${name}`,
          kind: 'member',
          owner: 'tracingChannels',
          member: name,
          mention: new RegExp(`'${name}'`),
          files: /tracing\/channels|additions-handles|local-effects/,
        }),
      ),
      ...exportsOf('injectTraceContext extractTraceContext prometheusText ClientHooks'),
      ...members('ClientHooks', 'runtime checkServerIdentity connect beforeRequest afterRequest', {
        files: /unit\/client|e2e\/hooks/,
      }),
    ],
  },
  {
    title: 'The façade in the manner of kafkajs',
    withoutBroker: 'a choice of properties',
    items: [
      ...exportsOf('Kafka', { entry: 'kafkajs', files: /\/kafkajs/ }),
      ...members('Kafka', 'producer() consumer() admin()', { entry: 'kafkajs', files: /\/kafkajs/ }).map(
        (item) => ({
          ...item,
          entry: 'kafkajs',
        }),
      ),
      ...members(
        'Consumer',
        'connect() subscribe() run() stop() seek() pause() resume() commitOffsets() describeGroup() disconnect() on()',
        { entry: 'kafkajs', files: /\/kafkajs/ },
      ),
      ...members('Producer', 'connect() send() sendBatch() transaction() disconnect()', {
        entry: 'kafkajs',
        files: /\/kafkajs/,
      }),
      ...members('Transaction', 'send() sendBatch() sendOffsets() commit() abort() isActive()', {
        entry: 'kafkajs',
        files: /\/kafkajs/,
      }),
      ...members(
        'KafkaConfig',
        'brokers clientId ssl sasl connectionTimeout requestTimeout retry logLevel logCreator',
        {
          entry: 'kafkajs',
          files: /\/kafkajs/,
          securedBy: {
            ssl: 'the façade of kafkajs gets in with its ssl and sasl',
            sasl: 'the façade of kafkajs gets in with its ssl and sasl',
          },
        },
      ),
      ...members(
        'ConsumerRunConfig',
        'eachMessage eachBatch autoCommit autoCommitInterval autoCommitThreshold eachBatchAutoResolve partitionsConsumedConcurrently',
        { entry: 'kafkajs', files: /\/kafkajs/ },
      ),
    ],
  },
  {
    title: 'Configuration properties that have an effect',
    withoutBroker:
      'the effect is local, or needs answers that a healthy cluster does not give; read and checked',
    coveredBy: [
      'unit/client/config/documented-properties',
      'every documented property has its side, default and range',
    ],
    items: effectiveProperties.filter(({ name }) => !isSecurity(name)).map(propertyItem),
  },
  {
    title: 'Configuration properties of security',
    withoutBroker:
      "kafkito's brokers have neither TLS nor SASL: brokers of the test do, and `client-security` of test/interop goes to Apache Kafka's",
    coveredBy: [
      'unit/client/config/documented-properties',
      'every documented property has its side, default and range',
    ],
    items: effectiveProperties.filter(({ name }) => isSecurity(name)).map(propertyItem),
  },
  {
    title: 'Configuration properties without effect',
    withoutBroker: 'without effect; read and checked',
    coveredBy: [
      'unit/client/config/documented-properties',
      'a property without effect is checked and noted with its reason',
    ],
    items: idleProperties.map(propertyItem),
  },
  {
    title: 'Configuration that is refused',
    withoutBroker: 'refused by the constructor',
    coveredBy: [
      'unit/client/config/documented-properties',
      'what cannot be had is refused with what to use instead',
    ],
    items: [
      ...refusedNames.map((name): Item => ({ name, kind: 'refused property', mention: /$^/ })),
      ...refusedValues.map(
        ([name, value]): Item => ({
          name: `${name}=${value}`,
          kind: 'refused value',
          owner: name,
          member: value,
          mention: /$^/,
        }),
      ),
    ],
  },
  {
    title: 'Error codes of the client',
    withoutBroker: 'raised by the client, or internal; number and name are held',
    coveredBy: ['unit/client/documented-names', 'every error code has its documented number and name'],
    items: localCodes.map(([code, name]) => codeItem(code, name)),
  },
  {
    title: 'Error codes of brokers',
    withoutBroker: 'no answer at all; number and name are held',
    coveredBy: [
      'e2e/broker-errors',
      'a broker answers with every error there is, and the client gives its number and name',
    ],
    items: brokerCodes.map(([code, name]) => codeItem(code, name)),
  },
  {
    title: 'Validation of the configuration',
    withoutBroker: 'by the constructor',
    items: validationRules.map(([name, ...tests]) => behaviour(name, ...tests)),
  },
  {
    title: 'What the producer does with each produce error',
    withoutBroker: 'scripted brokers give what a healthy cluster does not',
    items: produceErrors.map(([name, ...tests]) => behaviour(name, ...tests)),
  },
  {
    title: 'Quirks of the documented client, and what happens here',
    withoutBroker: 'a local effect',
    items: quirks.map(([name, ...tests]) => behaviour(name, ...tests)),
  },
  {
    title: 'Where something is not as it should be',
    items: robustness.map(([name, ...tests]) => behaviour(name, ...tests)),
  },
  {
    title: 'Edge cases',
    withoutBroker: 'scripted brokers give what a healthy cluster does not',
    items: edgeCases.map(([name, ...tests], index) => behaviour(`${index + 1}. ${name}`, ...tests)),
  },
]

function isSecurity(name: string): boolean {
  return /^(?:enable\.)?(?:ssl|sasl|https)\.|^oauth_cb$/.test(name)
}

function propertyItem(property: DocumentedProperty): Item {
  const names = [property.name, ...(property.aliases ?? [])].map(escaped)
  const mention = new RegExp(`(?:'|\\b)(?:${names.join('|')})(?:'|:|,)`)
  const isPlain = /^[a-z]+(_cb)?$/.test(property.name)
  return {
    name: names.length > 1 ? [property.name, ...(property.aliases ?? [])].join(' / ') : property.name,
    kind: 'property',
    property,
    mention: isPlain ? new RegExp(`\\b${property.name}\\b(?:[,:]| \\})`) : mention,
  }
}

function codeItem(code: number, name: string): Item {
  return {
    name: `${code} ${name}`,
    kind: 'code',
    member: name,
    values: code,
    mention: new RegExp(`(?<!\\w)${name}(?!\\w)`),
  }
}
