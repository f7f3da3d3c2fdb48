import { describe, expect, it } from 'vitest'
import { ConfigResource, KeyedMap, ResultMap, TopicPartition } from '../../../../client/index.ts'

describe('a map of results', () => {
  it('is looked up with any equal key, and gives the instances it was made of', () => {
    const first = new TopicPartition('t', 1, 7)
    const map = new KeyedMap<TopicPartition, string>()
    map.set(first, 'one')
    expect(map.get(new TopicPartition('t', 1))).toBe('one')
    expect(map.has(new TopicPartition('t', 1, 3))).toBe(true)
    expect(map.has(new TopicPartition('t', 2))).toBe(false)
    map.set(new TopicPartition('t', 1), 'two')
    expect([...map]).toEqual([[first, 'two']])
    expect([...map.keys()][0]).toBe(first)
    expect(map.delete(new TopicPartition('t', 1))).toBe(true)
    expect(map.delete(first)).toBe(false)
    expect(map.size).toBe(0)
  })

  it('knows resources by type and name', () => {
    const map = new KeyedMap<ConfigResource, number>()
    map.set(new ConfigResource('topic', 'a', { setConfig: { 'retention.ms': 1 } }), 1)
    expect(map.get(new ConfigResource(ConfigResource.Type.TOPIC, 'a'))).toBe(1)
    expect(map.get(new ConfigResource('group', 'a'))).toBe(undefined)
    map.clear()
    expect(map.has(new ConfigResource('topic', 'a'))).toBe(false)
  })

  it('gives all results at once, or the first failure', async () => {
    const map = new ResultMap<string, number>()
    map.set('a', Promise.resolve(1)).set('b', Promise.resolve(2))
    expect([...(await map.all())]).toEqual([
      ['a', 1],
      ['b', 2],
    ])
    map.set('c', Promise.reject(new Error('no')))
    await expect(map.all()).rejects.toThrow('no')
    expect(map).toBeInstanceOf(Map)
  })
})
