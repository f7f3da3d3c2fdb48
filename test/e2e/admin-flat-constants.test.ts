/**
 * The flat names of the enumerations in real calls: BOOTSTRAP=host:port, or a kafkito of their own. Rules of access need an
 * authorizer as in `admin-acls`, and are skipped without one.
 */
import { describe, expect, it } from 'vitest'
import * as constants from '../../client/flat-constants.ts'
import {
  AclBinding,
  AclBindingFilter,
  AclOperation,
  AclPermissionType,
  ConfigEntry,
  ConfigResource,
  type Message,
  OffsetSpec,
  ResourcePatternType,
  ResourceType,
  ShareConsumer,
  TopicPartition,
  UserScramCredentialDeletion,
  ValueError,
} from '../../client/index.ts'
import { ListOffsets } from '../../common/protocol/apis/02-list-offsets.ts'
import { JoinGroup } from '../../common/protocol/apis/11-join-group.ts'
import { AdminWorld, errorName } from './admin-support.ts'
import { toBroker } from './raw-errors.ts'
import { RawCluster, uniqueName } from './support.ts'

const world = AdminWorld.use({
  config: {
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'group.share.heartbeat.interval.ms': 100,
  },
})

/** Asked until it is so: changes reach the broker that describes a moment later. */
async function eventually<T>(ask: () => Promise<T>, isSo: (answer: T) => boolean): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    const answer = await ask()
    if (isSo(answer) || attempt === 2000) return answer
  }
}

describe('flat constants', () => {
  it('make rules of every kind, and find them', async (context) => {
    const everything = new AclBindingFilter('any', null, 'any', null, null, 'any', 'any')
    if ((await errorName(world.admin.describeAcls(everything))) !== 'none') context.skip()
    const { RESOURCE_UNKNOWN, RESOURCE_ANY, RESOURCE_TOPIC, RESOURCE_GROUP } = constants
    const { RESOURCE_BROKER, RESOURCE_TRANSACTIONAL_ID } = constants
    const { RESOURCE_PATTERN_UNKNOWN, RESOURCE_PATTERN_ANY, RESOURCE_PATTERN_MATCH } = constants
    const { RESOURCE_PATTERN_LITERAL, RESOURCE_PATTERN_PREFIXED } = constants
    const { ACL_PERMISSION_TYPE_UNKNOWN, ACL_PERMISSION_TYPE_ANY } = constants
    const { ACL_PERMISSION_TYPE_DENY, ACL_PERMISSION_TYPE_ALLOW } = constants
    const { ACL_OPERATION_UNKNOWN, ACL_OPERATION_ANY, ACL_OPERATION_ALL, ACL_OPERATION_READ } = constants
    const { ACL_OPERATION_WRITE, ACL_OPERATION_CREATE, ACL_OPERATION_DELETE, ACL_OPERATION_ALTER } = constants
    const { ACL_OPERATION_DESCRIBE, ACL_OPERATION_CLUSTER_ACTION } = constants
    const { ACL_OPERATION_DESCRIBE_CONFIGS, ACL_OPERATION_ALTER_CONFIGS } = constants
    const { ACL_OPERATION_IDEMPOTENT_WRITE } = constants
    const principal = `User:${uniqueName('flat')}`
    const rule = (
      operation: AclOperation,
      restype: ResourceType = RESOURCE_TOPIC,
      name = 'orders',
      pattern: ResourcePatternType = RESOURCE_PATTERN_LITERAL,
      permission: AclPermissionType = ACL_PERMISSION_TYPE_ALLOW,
    ): AclBinding => new AclBinding(restype, name, pattern, principal, '*', operation, permission)
    const cluster = [
      ACL_OPERATION_CLUSTER_ACTION,
      ACL_OPERATION_DESCRIBE_CONFIGS,
      ACL_OPERATION_ALTER_CONFIGS,
      ACL_OPERATION_IDEMPOTENT_WRITE,
    ].map((operation) => rule(operation, RESOURCE_BROKER, 'kafka-cluster'))
    const topics = [
      ACL_OPERATION_ALL,
      ACL_OPERATION_READ,
      ACL_OPERATION_WRITE,
      ACL_OPERATION_CREATE,
      ACL_OPERATION_DELETE,
      ACL_OPERATION_ALTER,
    ].map((operation) => rule(operation))
    const others = [
      rule(ACL_OPERATION_DESCRIBE, RESOURCE_GROUP, 'g', RESOURCE_PATTERN_PREFIXED, ACL_PERMISSION_TYPE_DENY),
      rule(ACL_OPERATION_WRITE, RESOURCE_TRANSACTIONAL_ID, 't'),
    ]
    const all = [...cluster, ...topics, ...others]
    await world.admin.createAcls(all).all()
    const found = (
      count: number,
      restype: ResourceType = RESOURCE_ANY,
      pattern: ResourcePatternType = RESOURCE_PATTERN_ANY,
      permission: AclPermissionType = ACL_PERMISSION_TYPE_ANY,
      name: string | null = null,
    ) => {
      const filter = [restype, name, pattern, principal, null, ACL_OPERATION_ANY, permission] as const
      const ask = () => world.admin.describeAcls(new AclBindingFilter(...filter))
      return eventually(ask, ({ length }) => length === count)
    }
    const told = await found(all.length)
    expect(told.map(String).sort()).toEqual(all.map(String).sort())
    for (const { restype, resourcePatternType, operation, permissionType } of told) {
      expect([ResourceType.UNKNOWN, ResourceType.ANY]).not.toContain(restype)
      expect([ResourcePatternType.UNKNOWN, ResourcePatternType.ANY]).not.toContain(resourcePatternType)
      expect([AclOperation.UNKNOWN, AclOperation.ANY]).not.toContain(operation)
      expect([AclPermissionType.UNKNOWN, AclPermissionType.ANY]).not.toContain(permissionType)
    }
    const denied = await found(1, RESOURCE_GROUP, RESOURCE_PATTERN_PREFIXED, ACL_PERMISSION_TYPE_DENY)
    expect(denied.map(String)).toEqual(others.slice(0, 1).map(String))
    const matching = [RESOURCE_GROUP, RESOURCE_PATTERN_MATCH, ACL_PERMISSION_TYPE_ANY, 'group'] as const
    expect((await found(1, ...matching)).map(String)).toEqual(denied.map(String))
    const unknown = [
      rule(ACL_OPERATION_UNKNOWN),
      rule(ACL_OPERATION_READ, RESOURCE_UNKNOWN),
      rule(ACL_OPERATION_READ, RESOURCE_TOPIC, 'orders', RESOURCE_PATTERN_UNKNOWN),
      rule(
        ACL_OPERATION_READ,
        RESOURCE_TOPIC,
        'orders',
        RESOURCE_PATTERN_LITERAL,
        ACL_PERMISSION_TYPE_UNKNOWN,
      ),
    ]
    for (const acl of unknown) expect(() => world.admin.createAcls([acl])).toThrow(ValueError)
    const own = new AclBindingFilter('any', null, 'any', principal, null, 'any', 'any')
    expect(await world.admin.deleteAcls([own]).get(own)).toHaveLength(all.length)
  })

  it('tell where the settings of brokers and groups come from', async () => {
    const { CONFIG_SOURCE_UNKNOWN_CONFIG, CONFIG_SOURCE_DYNAMIC_BROKER_CONFIG } = constants
    const { CONFIG_SOURCE_DYNAMIC_DEFAULT_BROKER_CONFIG, CONFIG_SOURCE_STATIC_BROKER_CONFIG } = constants
    const { CONFIG_SOURCE_GROUP_CONFIG, RESOURCE_BROKER, RESOURCE_GROUP } = constants
    const { ALTER_CONFIG_OP_TYPE_SET, ALTER_CONFIG_OP_TYPE_DELETE } = constants
    const { admin } = world
    const { nodes } = await admin.describeCluster()
    const brokerId = `${nodes[0]?.id}`
    const change = async (type: number, name: string, key: string, value: string | null): Promise<void> => {
      const incrementalOperation = value === null ? ALTER_CONFIG_OP_TYPE_DELETE : ALTER_CONFIG_OP_TYPE_SET
      const entry = new ConfigEntry(key, value, { incrementalOperation })
      expect(entry.source).toBe(CONFIG_SOURCE_UNKNOWN_CONFIG)
      const resource = new ConfigResource(type as ResourceType, name, { incrementalConfigs: [entry] })
      await admin.incrementalAlterConfigs([resource]).all()
    }
    const described = async (type: number, name: string, key: string): Promise<ConfigEntry | undefined> => {
      const resource = new ConfigResource(type as ResourceType, name)
      return (await admin.describeConfigs([resource]).get(resource))?.get(key)
    }
    const sourceOf = async (type: number, name: string, key: string, source: number) =>
      (
        await eventually(
          () => described(type, name, key),
          (entry) => entry?.source === source,
        )
      )?.source
    const key = 'log.cleaner.threads'
    await change(RESOURCE_BROKER, '', key, '2')
    const common = CONFIG_SOURCE_DYNAMIC_DEFAULT_BROKER_CONFIG
    expect(await sourceOf(RESOURCE_BROKER, brokerId, key, common)).toBe(common)
    await change(RESOURCE_BROKER, brokerId, key, '1')
    const own = CONFIG_SOURCE_DYNAMIC_BROKER_CONFIG
    expect(await sourceOf(RESOURCE_BROKER, brokerId, key, own)).toBe(own)
    await change(RESOURCE_BROKER, brokerId, key, null)
    await change(RESOURCE_BROKER, '', key, null)
    const fixed = CONFIG_SOURCE_STATIC_BROKER_CONFIG
    expect(await sourceOf(RESOURCE_BROKER, brokerId, 'node.id', fixed)).toBe(fixed)
    const groupId = uniqueName('group')
    await change(RESOURCE_GROUP, groupId, 'consumer.session.timeout.ms', '50000')
    const ofGroup = CONFIG_SOURCE_GROUP_CONFIG
    expect(await sourceOf(RESOURCE_GROUP, groupId, 'consumer.session.timeout.ms', ofGroup)).toBe(ofGroup)
    await change(RESOURCE_GROUP, groupId, 'consumer.session.timeout.ms', null)
  })

  it('tell groups apart by type, and by how far a rebalance is', async () => {
    const { CONSUMER_GROUP_STATE_COMPLETING_REBALANCE, CONSUMER_GROUP_STATE_PREPARING_REBALANCE } = constants
    const { CONSUMER_GROUP_STATE_UNKNOWN, CONSUMER_GROUP_STATE_DEAD } = constants
    const { CONSUMER_GROUP_TYPE_CONSUMER, CONSUMER_GROUP_TYPE_UNKNOWN } = constants
    const topic = await world.topic()
    const modern = uniqueName('modern')
    const consumer = world.consumer({ 'group.id': modern, 'group.protocol': 'consumer' })
    consumer.subscribe([topic])
    while (consumer.assignment().length === 0) await consumer.poll(0.1)
    const listed = await world.admin.listConsumerGroups({ types: [CONSUMER_GROUP_TYPE_CONSUMER] })
    expect(listed.valid.map(({ groupId }) => groupId)).toContain(modern)
    for (const { type, state } of listed.valid) {
      expect(type).not.toBe(CONSUMER_GROUP_TYPE_UNKNOWN)
      expect([CONSUMER_GROUP_STATE_UNKNOWN, CONSUMER_GROUP_STATE_DEAD]).not.toContain(state)
    }
    const groupId = uniqueName('classic')
    const stateIs = async (state: number): Promise<number | undefined> => {
      const ask = async () => (await world.admin.describeConsumerGroups([groupId]).get(groupId))?.state
      return eventually(ask, (answer) => answer === state)
    }
    const address = await new RawCluster(world.bootstrap).coordinatorOf(groupId)
    const join = (memberId: string) => ({
      ...{ groupId, memberId, sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 60_000 },
      ...{ protocolType: 'consumer', protocols: [{ name: 'range', metadata: Buffer.alloc(0) }] },
    })
    await toBroker(address, async (client) => {
      let first = await client.call(JoinGroup, join(''), 3)
      while (first.errorCode !== 0) first = await client.call(JoinGroup, join(''), 3)
      // Nobody has brought the assignment.
      const completing = CONSUMER_GROUP_STATE_COMPLETING_REBALANCE
      expect(await stateIs(completing)).toBe(completing)
      await toBroker(address, async (other) => {
        const second = other.call(JoinGroup, join(''), 3)
        const preparing = CONSUMER_GROUP_STATE_PREPARING_REBALANCE
        expect(await stateIs(preparing)).toBe(preparing)
        await client.call(JoinGroup, join(first.memberId), 3)
        expect((await second).errorCode).toBe(0)
      })
    })
  })

  it('choose offsets, elections, mechanisms and verdicts', async () => {
    const topic = await world.topic()
    const producer = world.producer()
    for (const timestamp of [3000, 5000, 4000])
      producer.produce(topic, { value: `${timestamp}`, timestamp, partition: 0 })
    await producer.flush(20)
    const partition = new TopicPartition(topic, 0)
    const leader = await new RawCluster(world.bootstrap).leaderOf(topic, 0)
    const { OFFSET_SPEC_EARLIEST, OFFSET_SPEC_LATEST, OFFSET_SPEC_MAX_TIMESTAMP } = constants
    const specs = [
      [OFFSET_SPEC_EARLIEST, OffsetSpec.earliest(), 0],
      [OFFSET_SPEC_LATEST, OffsetSpec.latest(), 3],
      [OFFSET_SPEC_MAX_TIMESTAMP, OffsetSpec.maxTimestamp(), 1],
    ] as const
    for (const [timestamp, spec, offset] of specs) {
      const partitions = [{ partitionIndex: 0, timestamp }]
      const request = { replicaId: -1, topics: [{ name: topic, partitions }] }
      const { topics } = await toBroker(leader, (client) => client.call(ListOffsets, request, 7))
      const found = await world.admin.listOffsets(new Map([[partition, spec]])).get(partition)
      expect([topics[0]?.partitions[0]?.offset, found?.offset]).toEqual([offset, offset])
    }
    const election = await world.admin.electLeaders(constants.ELECTION_TYPE_UNCLEAN, [partition])
    expect([...election.values()].map((error) => error?.name())).toEqual(['ELECTION_NOT_NEEDED'])
    const nobody = new UserScramCredentialDeletion(uniqueName('nobody'), constants.SCRAM_MECHANISM_UNKNOWN)
    expect(await errorName(world.admin.alterUserScramCredentials([nobody]).all())).toBe(
      'UNSUPPORTED_SASL_MECHANISM',
    )
    const groupId = uniqueName('share')
    const reset = new ConfigEntry('share.auto.offset.reset', 'earliest', { incrementalOperation: 'SET' })
    const group = new ConfigResource('group', groupId, { incrementalConfigs: [reset] })
    await world.admin.incrementalAlterConfigs([group]).all()
    await using member = new ShareConsumer({
      'bootstrap.servers': world.bootstrap,
      'group.id': groupId,
      'share.acknowledgement.mode': 'explicit',
      log_level: 0,
    })
    member.subscribe([topic])
    const batch = async (count: number): Promise<Message[]> => {
      const taken: Message[] = []
      while (taken.length < count) {
        const messages = (await member.poll(1)).records()
        taken.push(...messages)
        if (taken.length < count) for (const message of messages) member.acknowledge(message)
      }
      return taken
    }
    const { SHARE_ACKNOWLEDGE_TYPE_ACCEPT, SHARE_ACKNOWLEDGE_TYPE_REJECT } = constants
    const [one, two, three] = await batch(3)
    member.acknowledge(one as Message, SHARE_ACKNOWLEDGE_TYPE_ACCEPT)
    member.acknowledge(two as Message, SHARE_ACKNOWLEDGE_TYPE_REJECT)
    member.acknowledge(three as Message, constants.SHARE_ACKNOWLEDGE_TYPE_RELEASE)
    const [again] = await batch(1)
    expect([again?.offset(), again?.deliveryCount()]).toEqual([2, 2])
    member.acknowledge(again as Message, SHARE_ACKNOWLEDGE_TYPE_ACCEPT)
  })
})
