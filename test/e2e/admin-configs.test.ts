/** Configurations through the admin client: BOOTSTRAP=host:port, or a kafkito of its own. */
import { describe, expect, it } from 'vitest'
import { type AlterConfigOpType, ConfigEntry, ConfigResource, ConfigSource } from '../../client/index.ts'
import { AdminWorld, errorName } from './admin-support.ts'
import { isKraft, needs, needsKraft } from './broker-needs.ts'

const world = AdminWorld.use()

const topicResource = (name: string): ConfigResource => new ConfigResource('topic', name)

/** Until the broker knows the value: topics and changes arrive a moment after they are made. */
async function described(
  resource: ConfigResource,
  name: string,
  value: string,
  options: { readonly broker?: number } = {},
): Promise<ConfigEntry> {
  for (;;) {
    const entries = await world.admin
      .describeConfigs([resource], options)
      .get(resource)
      ?.catch(() => undefined)
    const found = entries?.get(name)
    if (found?.value === value) return found
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function change(
  topic: string,
  operation: keyof typeof AlterConfigOpType,
  name: string,
  value: string | null,
): Promise<void> | undefined {
  const entry = new ConfigEntry(name, value, { incrementalOperation: operation })
  const resource = new ConfigResource('topic', topic, { incrementalConfigs: [entry] })
  return world.admin.incrementalAlterConfigs([resource]).get(topicResource(topic))
}

describe('configurations', () => {
  it(
    'of topics are described with where each value comes from',
    needs('IncrementalAlterConfigs'),
    async () => {
      const topic = await world.topic()
      await change(topic, 'SET', 'retention.ms', '5000')
      const set = await described(topicResource(topic), 'retention.ms', '5000')
      expect(set).toMatchObject({
        source: ConfigSource.DYNAMIC_TOPIC_CONFIG,
        isDefault: false,
        isReadOnly: false,
        isSensitive: false,
      })
      expect(set.synonyms.get('retention.ms')).toMatchObject({ value: '5000', isSynonym: true })
      const entries = await world.admin.describeConfigs([topicResource(topic)]).get(topicResource(topic))
      expect(entries?.get('cleanup.policy')).toMatchObject({
        value: 'delete',
        source: ConfigSource.DEFAULT_CONFIG,
        isDefault: true,
      })
      expect(entries?.get('cleanup.policy')?.synonyms.get('log.cleanup.policy')).toMatchObject({
        value: 'delete',
        source: ConfigSource.DEFAULT_CONFIG,
      })
    },
  )

  it('are described for each resource by itself', async () => {
    const topic = await world.topic()
    const node = (await world.admin.describeCluster()).nodes[0]?.idString ?? ''
    await described(topicResource(topic), 'cleanup.policy', 'delete', { broker: Number(node) })
    const broker = new ConfigResource('broker', node)
    // With ZooKeeper the entry has another name.
    const idEntry = isKraft ? 'node.id' : 'broker.id'
    const results = world.admin.describeConfigs([
      topicResource(topic),
      topicResource('no-such-topic'),
      broker,
    ])
    expect(await Promise.all([...results.values()].map(errorName))).toEqual([
      'none',
      'UNKNOWN_TOPIC_OR_PART',
      'none',
    ])
    const port = (await results.get(new ConfigResource('broker', node)))?.get(idEntry)
    expect(port).toMatchObject({
      value: node,
      isReadOnly: true,
      isDefault: false,
      source: ConfigSource.STATIC_BROKER_CONFIG,
    })
  })

  it(
    'are changed entry by entry, lists by what is added and taken away',
    needs('IncrementalAlterConfigs'),
    async () => {
      const topic = await world.topic()
      const resource = topicResource(topic)
      await change(topic, 'SET', 'retention.ms', '5000')
      await change(topic, 'APPEND', 'cleanup.policy', 'compact')
      await described(resource, 'cleanup.policy', 'delete,compact')
      await change(topic, 'SUBTRACT', 'cleanup.policy', 'delete')
      await described(resource, 'cleanup.policy', 'compact')
      await change(topic, 'DELETE', 'cleanup.policy', null)
      expect((await described(resource, 'cleanup.policy', 'delete')).isDefault).toBe(true)
      expect((await described(resource, 'retention.ms', '5000')).isDefault).toBe(false)
    },
  )

  it('of a whole resource replace what was set before', needs('IncrementalAlterConfigs'), async () => {
    const topic = await world.topic()
    await change(topic, 'SET', 'retention.ms', '5000')
    const resource = new ConfigResource('topic', topic, { setConfig: { 'segment.bytes': 2_000_000 } })
    await world.admin.alterConfigs([resource]).all()
    await described(topicResource(topic), 'segment.bytes', '2000000')
    expect((await described(topicResource(topic), 'retention.ms', '604800000')).isDefault).toBe(true)
  })

  it('that are only to be validated stay as they are', needs('IncrementalAlterConfigs'), async () => {
    const topic = await world.topic()
    const resource = new ConfigResource('topic', topic, { setConfig: { 'retention.ms': 7 } })
    await world.admin.alterConfigs([resource], { validateOnly: true }).all()
    const entry = new ConfigEntry('retention.ms', '8', { incrementalOperation: 'SET' })
    const incremental = new ConfigResource('topic', topic, { incrementalConfigs: [entry] })
    await world.admin.incrementalAlterConfigs([incremental], { validateOnly: true }).all()
    expect((await described(topicResource(topic), 'retention.ms', '604800000')).isDefault).toBe(true)
  })

  it('that cannot be are refused', needsKraft, async () => {
    const topic = await world.topic()
    expect(await errorName(change(topic, 'SET', 'retention.ms', 'long'))).toBe('INVALID_CONFIG')
    expect(await errorName(change(topic, 'SET', 'no.such.entry', '1'))).toBe('INVALID_CONFIG')
    expect(await errorName(change(topic, 'APPEND', 'retention.ms', '1'))).toBe('INVALID_CONFIG')
    expect(await errorName(change('no-such-topic', 'SET', 'retention.ms', '1'))).toBe('UNKNOWN_TOPIC_OR_PART')
    const two = [new ConfigResource('broker', '1'), new ConfigResource('broker', '2')]
    expect(await errorName(world.admin.describeConfigs(two).get(two[0] as ConfigResource))).toBe('_CONFLICT')
  })

  it('of groups have a source of their own', needs('ConsumerGroupHeartbeat', 1), async () => {
    const group = new ConfigResource('group', 'settled-group')
    const entry = new ConfigEntry('consumer.session.timeout.ms', '50000', { incrementalOperation: 'SET' })
    const resource = new ConfigResource('group', 'settled-group', { incrementalConfigs: [entry] })
    await world.admin.incrementalAlterConfigs([resource]).all()
    expect((await described(group, 'consumer.session.timeout.ms', '50000')).source).toBe(
      ConfigSource.GROUP_CONFIG,
    )
  })
})
