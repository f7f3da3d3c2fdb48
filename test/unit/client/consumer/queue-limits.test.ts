import { describe, expect, it } from 'vitest'
import { TopicPartition } from '../../../../client/index.ts'
import { ReadableWorld } from './support.ts'

const ANSWER_MESSAGES = 20
const VALUE_BYTES = 1000
const ANSWER_KIB = (ANSWER_MESSAGES * (VALUE_BYTES + 20)) / 1024
const TOTAL = 2000

/** A partition with far more than the queue takes, read in answers of twenty messages of a kilobyte. */
async function endless(conf: Readonly<Record<string, number>>): Promise<ReadableWorld> {
  const world = await ReadableWorld.make({ 'fetch.queue.backoff.ms': 10, ...conf })
  world.values = Array.from({ length: TOTAL }, (_, index) => `${index}`.padEnd(VALUE_BYTES, '.'))
  const all = world.values
  const records = world.records.bind(world)
  world.records = (offset) => {
    world.values = all.slice(0, offset + ANSWER_MESSAGES)
    const answer = records(offset)
    world.values = all
    return answer
  }
  world.assign(0)
  return world
}

const metricOf = (world: ReadableWorld, name: string): number =>
  world.consumer.metrics().find((one) => one.name === name)?.samples[0]?.value ?? Number.NaN
const buffered = (world: ReadableWorld): number => metricOf(world, 'kafka_consumer_buffered_messages')
const fetched = (world: ReadableWorld): number => metricOf(world, 'kafka_consumer_fetched_total')

describe.each([
  ['queued.min.messages', { 'queued.min.messages': 50 }, 50 + ANSWER_MESSAGES],
  [
    'queued.max.messages.kbytes',
    { 'queued.max.messages.kbytes': 100 },
    ((100 + ANSWER_KIB) * 1024) / VALUE_BYTES,
  ],
] as const)('a consumer with %s', (_, conf, mostMessages) => {
  it('holds no more than that and one answer, however long its handler takes for each message', async () => {
    const world = await endless(conf)
    let most = 0
    for (let handled = 0; handled < 30; handled++) {
      expect(`${(await world.poll())?.value()}`).toMatch(new RegExp(`^${handled}\\.`))
      await world.cluster.advance(5000)
      most = Math.max(most, buffered(world))
    }
    expect(most).toBeGreaterThan(mostMessages - 2 * ANSWER_MESSAGES)
    expect(most).toBeLessThanOrEqual(mostMessages)
    expect(fetched(world)).toBeLessThanOrEqual(mostMessages + 30)
  })

  it('fetches nothing for a partition that is paused, and skips nothing when it goes on', async () => {
    const world = await endless(conf)
    expect(await world.poll()).not.toBeNull()
    world.consumer.pause([new TopicPartition('t', 0)])
    // What was under way comes in.
    await world.cluster.advance(100)
    const before = fetched(world)
    await world.cluster.advance(600_000)
    expect(fetched(world)).toBe(before)
    expect(buffered(world)).toBeLessThanOrEqual(mostMessages)
    world.consumer.resume([new TopicPartition('t', 0)])
    const values = await world.pollValues(200)
    expect(values.map((value) => Number.parseInt(value, 10))).toEqual(
      Array.from({ length: 200 }, (_, index) => index + 1),
    )
  })
})
