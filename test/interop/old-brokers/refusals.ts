/** What an older broker has no API for, or not in the version that is needed: the client refuses it at once and says what is lacking. */
import {
  AdminClient,
  type ClientConfig,
  ClientQuotaEntity,
  ConfigEntry,
  ConfigResource,
  Consumer,
  ConsumerGroupState,
  ConsumerGroupTopicPartitions,
  ConsumerGroupType,
  ElectionType,
  KafkaError,
  KafkaException,
  NewTopic,
  OffsetSpec,
  ShareConsumer,
  TopicPartition,
} from '../../../client/index.ts'
import { type ApiName, apiByName } from '../../../common/protocol/registry.ts'
import { brokerVersions } from '../../support/raw-client.ts'
import { check, uniqueName, within } from '../lib/cases.ts'

interface Wish {
  readonly api: ApiName
  /** The lowest that serves. */
  readonly version?: number
  /** The error that the caller is told, in whatever way the call tells one; undefined when there was none. */
  readonly ask: (admin: AdminClient, conf: ClientConfig, topic: string) => Promise<unknown>
}

/** Of calls that tell of errors beside their results. */
const errorsOf = async (listed: Promise<{ readonly errors: readonly unknown[] }>): Promise<unknown> =>
  (await listed).errors[0]

/** The first event that a member gets which cannot join. */
async function firstEvent(conf: ClientConfig, topic: string, own: ClientConfig): Promise<unknown> {
  await using consumer = new Consumer({ ...conf, 'group.id': uniqueName('old') }, own)
  consumer.subscribe([topic])
  return (await consumer.poll(20))?.error()
}

const wishes: readonly Wish[] = [
  {
    api: 'IncrementalAlterConfigs',
    ask: (admin, _conf, topic) => {
      const entry = new ConfigEntry('retention.ms', '7000000', { incrementalOperation: 'SET' })
      const resource = new ConfigResource('topic', topic, { incrementalConfigs: [entry] })
      return admin.incrementalAlterConfigs([resource]).all()
    },
  },
  {
    api: 'CreateTopics',
    version: 4,
    ask: (admin) => admin.createTopics([new NewTopic(uniqueName('old'))]).all(),
  },
  {
    api: 'ElectLeaders',
    version: 1,
    ask: (admin, _conf, topic) => admin.electLeaders(ElectionType.UNCLEAN, [new TopicPartition(topic, 0)]),
  },
  {
    api: 'AlterPartitionReassignments',
    ask: (admin, _conf, topic) =>
      admin.alterPartitionReassignments([[new TopicPartition(topic, 0), [1]]]).all(),
  },
  {
    api: 'ListPartitionReassignments',
    ask: (admin, _conf, topic) => admin.listPartitionReassignments([new TopicPartition(topic, 0)]),
  },
  {
    api: 'ListOffsets',
    version: 7,
    ask: (admin, _conf, topic) =>
      admin.listOffsets([[new TopicPartition(topic, 0), OffsetSpec.maxTimestamp()]]).all(),
  },
  {
    api: 'OffsetFetch',
    version: 7,
    ask: (admin, _conf, topic) => {
      const asked = new ConsumerGroupTopicPartitions(uniqueName('old'), [new TopicPartition(topic, 0)])
      return admin.listConsumerGroupOffsets([asked], { requireStable: true }).all()
    },
  },
  {
    api: 'OffsetDelete',
    ask: (admin, _conf, topic) => {
      const asked = new ConsumerGroupTopicPartitions(uniqueName('old'), [new TopicPartition(topic, 0)])
      return admin.deleteConsumerGroupOffsets([asked]).all()
    },
  },
  {
    api: 'ListGroups',
    version: 4,
    ask: (admin) => errorsOf(admin.listConsumerGroups({ states: [ConsumerGroupState.STABLE] })),
  },
  {
    api: 'ListGroups',
    version: 5,
    ask: (admin) => errorsOf(admin.listConsumerGroups({ types: [ConsumerGroupType.CLASSIC] })),
  },
  {
    api: 'AlterClientQuotas',
    ask: (admin) => {
      const entity = new ClientQuotaEntity({ user: uniqueName('old') })
      const operations = [{ key: 'producer_byte_rate', value: 1000 }]
      return admin.alterClientQuotas([{ entity, operations }]).all()
    },
  },
  { api: 'DescribeUserScramCredentials', ask: (admin) => admin.describeUserScramCredentials() },
  { api: 'ListTransactions', ask: (admin) => errorsOf(admin.listTransactions()) },
  { api: 'DescribeTransactions', ask: (admin) => admin.describeTransactions([uniqueName('old')]).all() },
  {
    api: 'DescribeProducers',
    ask: (admin, _conf, topic) => admin.describeProducers([new TopicPartition(topic, 0)]).all(),
  },
  { api: 'ApiVersions', version: 3, ask: (admin) => admin.describeFeatures() },
  { api: 'DescribeQuorum', ask: (admin) => admin.describeMetadataQuorum() },
  { api: 'ShareGroupDescribe', ask: (admin) => admin.describeShareGroups([uniqueName('old')]).all() },
  {
    api: 'JoinGroup',
    version: 5,
    ask: (_admin, conf, topic) => firstEvent(conf, topic, { 'group.instance.id': 'static' }),
  },
  {
    api: 'ConsumerGroupHeartbeat',
    ask: (_admin, conf, topic) => firstEvent(conf, topic, { 'group.protocol': 'consumer' }),
  },
  {
    api: 'ShareGroupHeartbeat',
    ask: async (_admin, conf, topic) => {
      await using consumer = new ShareConsumer({ ...conf, 'group.id': uniqueName('old') })
      consumer.subscribe([topic])
      const [message] = await consumer.poll(20)
      return message?.error()
    },
  },
]

const AT_ONCE_MS = 20_000

/** Fails when the broker lacks something, and a call for it does not tell so. */
export async function checkRefusals(bootstrap: string): Promise<void> {
  const versions = await brokerVersions(bootstrap)
  const conf = { 'bootstrap.servers': bootstrap, log_level: 0 } as const
  await using admin = new AdminClient(conf)
  const topic = uniqueName('old')
  await admin.createTopics([new NewTopic(topic, 1, 1)]).all()
  for (const { api: name, version = 0, ask } of wishes) {
    const api = apiByName(name)
    if (api === undefined || versions.pick(api, { minVersion: version }) !== undefined) continue
    const asked = ask(admin, conf, topic).catch((error: unknown) => error)
    const told = await within(asked, `answer to a call for ${name} v${version}`, AT_ONCE_MS)
    const error = told instanceof KafkaException ? told.error : told
    const isRefusal = error instanceof KafkaError && error.code() === KafkaError._UNSUPPORTED_FEATURE
    check(isRefusal, `a call for ${name} v${version} told ${String(error)}`)
    check(error.str().includes(name), `a call for ${name} v${version} told ${error.str()}`)
  }
}
