import { describe, expect, it } from 'vitest'
import { ConfigEntry, ConfigResource, ConfigSource } from '../../../../client/index.ts'
import type { DescribeConfigsRequest } from '../../../../common/protocol/apis/32-describe-configs.ts'
import type { IncrementalAlterConfigsRequest } from '../../../../common/protocol/apis/44-incremental-alter-configs.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import type { Reaction } from '../support/scripted-broker.ts'
import { AdminWorld } from './scripted-admin.ts'

const entry = {
  name: 'retention.ms',
  value: '5',
  readOnly: false,
  configSource: ConfigSource.DYNAMIC_TOPIC_CONFIG,
  isSensitive: false,
  synonyms: [
    { name: 'retention.ms', value: '5', source: ConfigSource.DYNAMIC_TOPIC_CONFIG },
    { name: 'log.retention.hours', value: '168', source: ConfigSource.DEFAULT_CONFIG },
  ],
}

function described(body: unknown, codes: Readonly<Record<string, number>> = {}): Reaction {
  const results = (body as DescribeConfigsRequest).resources.map(({ resourceType, resourceName }) => ({
    errorCode: codes[resourceName] ?? 0,
    errorMessage: null,
    resourceType,
    resourceName,
    configs: [entry],
  }))
  return { answer: { results } }
}

describe('configurations', () => {
  it('of groups are refused with the answer of a broker that does not know that groups have any', async () => {
    const world = await AdminWorld.make()
    const refusal = {
      errorCode: ErrorCode.INVALID_REQUEST,
      errorMessage: 'Unexpected type',
      resourceType: 0,
      resourceName: 'g',
    }
    world.answer = ({ api }) => {
      if (api === 'DescribeConfigs') return { answer: { results: [{ ...refusal, configs: [] }] } }
      return api === 'AlterConfigs' ? { answer: { responses: [refusal] } } : undefined
    }
    const group = new ConfigResource('group', 'g')
    expect(await world.failure(world.admin.describeConfigs([group]).get(group))).toBe('INVALID_REQUEST')
    expect(await world.failure(world.admin.alterConfigs([group]).get(group))).toBe('INVALID_REQUEST')
  })

  it('are described with sources and synonyms, and looked up with any equal resource', async () => {
    const world = await AdminWorld.make()
    world.answer = ({ api, body }) =>
      api === 'DescribeConfigs' ? described(body, { gone: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }) : undefined
    const results = world.admin.describeConfigs([
      new ConfigResource('topic', 't'),
      new ConfigResource('topic', 'gone'),
      new ConfigResource('group', 't'),
    ])
    const found = (await world.settle(results.get(new ConfigResource(2, 't')))).get('retention.ms')
    expect(found).toMatchObject({
      value: '5',
      source: 1,
      isDefault: false,
      isSynonym: false,
      isReadOnly: false,
    })
    expect(found?.synonyms.get('log.retention.hours')).toMatchObject({
      value: '168',
      isDefault: true,
      isSynonym: true,
    })
    expect(`${found}`).toBe('retention.ms="5"')
    expect(await world.failure(results.get(new ConfigResource('topic', 'gone')))).toBe(
      'UNKNOWN_TOPIC_OR_PART',
    )
    expect(await world.failure(results.get(new ConfigResource('group', 't')))).toBe('none')
    const asked = world.cluster.seen('DescribeConfigs').map(({ body }) => body as DescribeConfigsRequest)
    const types = asked.map(({ resources }) => resources.map(({ resourceType }) => resourceType))
    expect(types).toEqual([[2, 2, 32]])
  })

  it('of a broker are asked of that broker, and of one broker only', async () => {
    const world = await AdminWorld.make({}, [1, 2, 3])
    world.answer = ({ api, body }) => (api === 'DescribeConfigs' ? described(body) : undefined)
    const three = new ConfigResource('broker', '3')
    await world.settle(world.admin.describeConfigs([new ConfigResource('topic', 't'), three]).all())
    await world.settle(world.admin.describeConfigs([new ConfigResource('topic', 't')], { broker: 2 }).all())
    expect(world.cluster.seen('DescribeConfigs').map(({ nodeId }) => nodeId)).toEqual([3, 2])
    const both = world.admin.describeConfigs([three, new ConfigResource('broker', '2')])
    expect(await world.failure(both.get(three))).toBe('_CONFLICT')
    const word = new ConfigResource('broker', 'first')
    expect(await world.failure(world.admin.describeConfigs([word]).get(word))).toBe('_INVALID_ARG')
  })

  it('are changed entry by entry; a deletion has no value', async () => {
    const world = await AdminWorld.make()
    world.answer = ({ api, body }) => {
      if (api !== 'IncrementalAlterConfigs') return undefined
      const responses = (body as IncrementalAlterConfigsRequest).resources.map(
        ({ resourceType, resourceName }) => ({
          errorCode: 0,
          errorMessage: null,
          resourceType,
          resourceName,
        }),
      )
      return { answer: { responses } }
    }
    const resource = new ConfigResource('topic', 't', {
      incrementalConfigs: [
        new ConfigEntry('a', '1', { incrementalOperation: 'APPEND' }),
        new ConfigEntry('b', 'x', { incrementalOperation: 'DELETE' }),
      ],
    })
    await world.settle(world.admin.incrementalAlterConfigs([resource], { validateOnly: true }).all())
    expect(world.cluster.seen('IncrementalAlterConfigs')[0]?.body).toMatchObject({
      resources: [
        {
          configs: [
            { name: 'a', configOperation: 2, value: '1' },
            { name: 'b', configOperation: 1, value: null },
          ],
        },
      ],
      validateOnly: true,
    })
    world.versions = { IncrementalAlterConfigs: -1 }
    world.cluster.stop(1)
    await world.cluster.start(1)
    await world.cluster.advance(5000)
    expect(await world.failure(world.admin.incrementalAlterConfigs([resource]).get(resource))).toBe(
      '_UNSUPPORTED_FEATURE',
    )
  })
})

describe('topics', () => {
  it('that are named twice are refused before a broker is asked', async () => {
    const world = await AdminWorld.make()
    expect(await world.failure(world.admin.describeTopics(['a', 'a']).get('a'))).toBe('_INVALID_ARG')
    expect(world.cluster.requests).toEqual([])
  })

  it('are described with the nodes of their replicas; a partition without leader has none', async () => {
    const world = await AdminWorld.make({}, [1, 2])
    world.cluster.topic('t', [2, -1])
    const results = world.admin.describeTopics(['t', 'nope'])
    const { partitions, authorizedOperations, topicId } = await world.settle(results.get('t'))
    expect(partitions.map(({ id, leader }) => [id, leader?.host ?? null])).toEqual([
      [0, 'broker-2'],
      [1, null],
    ])
    expect(authorizedOperations).toBe(null)
    expect(topicId.toString()).toBe(world.cluster.topics.get('t')?.id)
    expect(await world.failure(results.get('nope'))).toBe('UNKNOWN_TOPIC_OR_PART')
  })
})
