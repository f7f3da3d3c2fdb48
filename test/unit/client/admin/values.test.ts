import { describe, expect, it } from 'vitest'
import {
  type AdminClient,
  AlterConfigOpType,
  ConfigEntry,
  ConfigResource,
  NewPartitions,
  NewTopic,
  OffsetSpec,
  TopicCollection,
  TopicPartition,
  ValueError,
} from '../../../../client/index.ts'
import { AdminWorld } from './scripted-admin.ts'

function nameOf(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    return (error as { error?: { name(): string } }).error?.name() ?? (error as Error).name
  }
  return 'none'
}

async function admin(): Promise<AdminClient> {
  return (await AdminWorld.make()).admin
}

describe('a new topic', () => {
  it('takes its values one by one or as an object, and turns its configuration into text', () => {
    const config = { 'retention.ms': 1000, preallocate: true, 'cleanup.policy': 'compact', 'flush.ms': null }
    const one = new NewTopic('t', 3, 2, { config })
    const other = new NewTopic({ topic: 't', numPartitions: 3, replicationFactor: 2, config })
    expect(one).toEqual(other)
    expect(one.config).toEqual({ 'retention.ms': '1000', preallocate: 'true', 'cleanup.policy': 'compact' })
    expect(new NewTopic('t')).toMatchObject({
      numPartitions: -1,
      replicationFactor: -1,
      replicaAssignment: null,
    })
  })

  it('is equal and ordered by name and number of partitions', () => {
    expect(new NewTopic('t', 1, 1).equals(new NewTopic('t', 1, 3))).toBe(true)
    expect(new NewTopic('t', 1).equals(new NewTopic('t', 2))).toBe(false)
    expect(new NewTopic('a', 2).compare(new NewTopic('b', 1))).toBeLessThan(0)
    expect(new NewTopic('a', 2).compare(new NewTopic('a', 1))).toBeGreaterThan(0)
  })

  it('of the wrong types is a TypeError when it is made', () => {
    expect(nameOf(() => new NewTopic(1 as unknown as string))).toBe('TypeError')
    expect(nameOf(() => new NewTopic('t', '1' as unknown as number))).toBe('TypeError')
    expect(nameOf(() => new NewTopic('t', 1, 1, { config: 'a=b' as unknown as object as never }))).toBe(
      'TypeError',
    )
    expect(nameOf(() => new NewTopic('t', 1, 1, { configs: {} } as object))).toBe('TypeError')
  })

  it('with numbers that cannot be is a ValueError of createTopics', async () => {
    const client = await admin()
    const refused = (topic: NewTopic): string => nameOf(() => client.createTopics([topic]))
    expect(refused(new NewTopic(''))).toBe('ValueError')
    expect(refused(new NewTopic('t', -2))).toBe('ValueError')
    expect(refused(new NewTopic('t', 100_001))).toBe('ValueError')
    expect(refused(new NewTopic('t', 1, 10_001))).toBe('ValueError')
    expect(refused(new NewTopic('t', 1, 1, { replicaAssignment: [[1]] }))).toBe('ValueError')
    expect(refused(new NewTopic('t', 2, -1, { replicaAssignment: [[1]] }))).toBe('ValueError')
    expect(refused(new NewTopic('t', -1, -1, { replicaAssignment: [[1], []] }))).toBe('ValueError')
    expect(nameOf(() => client.createTopics([]))).toBe('ValueError')
    expect(nameOf(() => client.createTopics(['t'] as unknown as NewTopic[]))).toBe('ValueError')
  })
})

describe('arguments', () => {
  it('of createPartitions and deleteTopics are checked at once', async () => {
    const client = await admin()
    const grown = (entry: unknown): string => nameOf(() => client.createPartitions([entry as NewPartitions]))
    expect(grown('t')).toBe('ValueError')
    expect(grown(new NewPartitions('', 2))).toBe('ValueError')
    expect(grown(new NewPartitions('t', 0))).toBe('ValueError')
    expect(grown(new NewPartitions('t', 2, { replicaAssignment: [[1], [1], [1]] }))).toBe('ValueError')
    expect(nameOf(() => client.deleteTopics('t' as unknown as string[]))).toBe('TypeError')
    expect(nameOf(() => client.deleteTopics([]))).toBe('ValueError')
    expect(nameOf(() => client.deleteTopics([1] as unknown as string[]))).toBe('ValueError')
  })

  it('of describeTopics are a collection or names, none of them empty', async () => {
    const client = await admin()
    expect(nameOf(() => client.describeTopics('t' as unknown as string[]))).toBe('TypeError')
    expect(nameOf(() => client.describeTopics(new TopicCollection([''])))).toBe('ValueError')
    expect(client.describeTopics(new TopicCollection([])).size).toBe(0)
    expect(nameOf(() => new TopicCollection('t' as unknown as string[]))).toBe('TypeError')
  })

  it('of listOffsets and deleteRecords are partitions that may exist', async () => {
    const client = await admin()
    const partition = new TopicPartition('t', 0)
    const listed = (specs: unknown): string => nameOf(() => client.listOffsets(specs as never))
    expect(listed({})).toBe('TypeError')
    expect(listed([[partition, -1]])).toBe('TypeError')
    expect(listed([['t', OffsetSpec.latest()]])).toBe('TypeError')
    expect(listed([[new TopicPartition('t', -1), OffsetSpec.latest()]])).toBe('ValueError')
    expect(listed([[new TopicPartition('', 0), OffsetSpec.latest()]])).toBe('ValueError')
    expect(client.listOffsets(new Map()).size).toBe(0)
    expect(nameOf(() => client.listOffsets([], { isolationLevel: 7 as never }))).toBe('TypeError')
    expect(nameOf(() => client.deleteRecords([new TopicPartition('t', -1, 0)]))).toBe('ValueError')
    expect(nameOf(() => client.deleteRecords(['t'] as never))).toBe('TypeError')
  })

  it('of the configuration calls are resources, of which no entry is named twice', async () => {
    const client = await admin()
    const changed = (...entries: ConfigEntry[]): string =>
      nameOf(() =>
        client.incrementalAlterConfigs([new ConfigResource('topic', 't', { incrementalConfigs: entries })]),
      )
    const set = { incrementalOperation: AlterConfigOpType.SET }
    expect(nameOf(() => client.describeConfigs([]))).toBe('ValueError')
    expect(nameOf(() => client.describeConfigs(['t'] as never))).toBe('ValueError')
    expect(nameOf(() => client.describeConfigs([new ConfigResource('topic', 't')], { broker: -1 }))).toBe(
      'ValueError',
    )
    expect(changed(new ConfigEntry('a', '1'))).toBe('ValueError')
    expect(changed(new ConfigEntry('a', null, set))).toBe('TypeError')
    expect(changed(new ConfigEntry('a', '1', set), new ConfigEntry('a', '2', set))).toBe('_INVALID_ARG')
    expect(changed(new ConfigEntry('a', null, { incrementalOperation: 'DELETE' }))).toBe('none')
  })
})

describe('a resource', () => {
  it('is named by a member, a number or a word in any case', () => {
    expect(new ConfigResource('Topic' as 'topic', 't').restype).toBe(ConfigResource.Type.TOPIC)
    expect(new ConfigResource(4, '1').restype).toBe(ConfigResource.Type.BROKER)
    expect(() => new ConfigResource('topics' as 'topic', 't')).toThrow(ValueError)
    expect(() => new ConfigResource(77 as 4, 't')).toThrow(ValueError)
    expect(() => new ConfigResource('topic', null as unknown as string)).toThrow(ValueError)
  })

  it('keeps an entry that is there when it is not to be overwritten', () => {
    const resource = new ConfigResource('topic', 't', { setConfig: { a: 1 } })
    resource.setConfig('a', '2', false)
    resource.setConfig('b', true)
    expect(resource.setConfigDict).toEqual({ a: '1', b: 'true' })
    expect([resource.length, resource.len()]).toEqual([2, 2])
    expect(resource.configs).toBe(null)
  })
})

describe('an offset to look for', () => {
  it('is one of three, or a time that is not negative', () => {
    expect(OffsetSpec.earliest()).toBe(OffsetSpec.earliest())
    expect(
      [OffsetSpec.earliest(), OffsetSpec.latest(), OffsetSpec.maxTimestamp()].map((s) => s.timestamp),
    ).toEqual([OffsetSpec.EARLIEST, OffsetSpec.LATEST, OffsetSpec.MAX_TIMESTAMP])
    expect(OffsetSpec.forTimestamp(12n).timestamp).toBe(12)
    expect(() => OffsetSpec.forTimestamp(-1)).toThrow(ValueError)
  })
})
