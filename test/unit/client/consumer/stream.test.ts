import { expect, it } from 'vitest'
import type { KafkaError, StreamMessage } from '../../../../client/index.ts'
import { ReadableWorld } from './support.ts'

/** The first of two batches is damaged. @returns what the stream said, until it said `count` things */
async function told(
  onCorrupted: ((error: KafkaError) => boolean) | undefined,
  count: number,
): Promise<string[]> {
  const world = await ReadableWorld.make({ 'check.crcs': true })
  world.values = ['a', 'b']
  const records = world.records.bind(world)
  world.records = (offset: number) => {
    if (offset > 0) return records(offset)
    world.values = ['a']
    const damaged = Buffer.from(records(0))
    world.values = ['a', 'b']
    damaged[damaged.length - 2] = (damaged[damaged.length - 2] ?? 0) ^ 0xff
    return damaged
  }
  world.assign(0)
  const said: string[] = []
  const stream = world.consumer.stream(onCorrupted === undefined ? {} : { onCorrupted })
  stream.on('data', (message: StreamMessage) => said.push(`${message.value()}`))
  stream.on('error', (error) => said.push(error.name))
  // Streams move in ticks of the process, which the simulated time knows nothing of.
  while (said.length < count) {
    await new Promise((resolve) => setImmediate(resolve))
    await world.cluster.advance(100)
  }
  stream.destroy()
  return said
}

it('a stream goes on behind what cannot be decoded when onCorrupted says so', async () => {
  const names: string[] = []
  expect(await told((error) => names.push(error.name()) > 0, 1)).toEqual(['b'])
  expect(names).toEqual(['_BAD_MSG'])
})

it('a stream fails with what cannot be decoded when nobody says that it may go on', async () => {
  expect(await told(undefined, 1)).toEqual(['KafkaException'])
})
