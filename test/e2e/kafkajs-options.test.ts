/** Options and calls of the façade beside the programs of kafkajs-facade.test.ts. Against kafkito, or any cluster with BOOTSTRAP=host:port. */
import { expect, it } from 'vitest'
import { Kafka, type LogEntry, logLevel } from '../../client/kafkajs/index.ts'
import { ConsumerWorld } from './consumer-support.ts'
import { uniqueName } from './support.ts'

const world = ConsumerWorld.use()

it('a consumer of the façade commits after a number of messages, pauses, stops and goes on', async () => {
  const topic = await world.topic()
  await world.produce(topic, 0, 6)
  const lines: LogEntry[] = []
  const kafka = new Kafka({
    brokers: world.bootstrap.split(','),
    clientId: 'options',
    connectionTimeout: 10_000,
    requestTimeout: 20_000,
    logLevel: logLevel.INFO,
    logCreator: () => (entry) => void lines.push(entry),
  })
  kafka.logger().info('hello')
  expect(lines.map(({ log }) => log.message)).toContain('hello')
  const groupId = uniqueName('group')
  const consumer = kafka.consumer({ groupId })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  const seen: string[] = []
  let resume = (): void => {}
  let paused: () => void = () => {}
  const isPaused = new Promise<void>((resolve) => {
    paused = resolve
  })
  let finished: () => void = () => {}
  const isFinished = new Promise<void>((resolve) => {
    finished = resolve
  })
  await consumer.run({
    autoCommit: true,
    autoCommitInterval: null,
    autoCommitThreshold: 2,
    eachMessage: async ({ message, pause }) => {
      seen.push(`${message.value}`)
      if (seen.length === 3) {
        resume = pause()
        paused()
      }
      if (seen.length === 6) finished()
    },
  })
  await isPaused
  const group = await consumer.describeGroup()
  expect([group.groupId, group.members.length]).toEqual([groupId, 1])
  resume()
  await isFinished
  consumer.pause([{ topic }])
  expect(consumer.paused()).toEqual([{ topic, partitions: [0] }])
  consumer.resume([{ topic }])
  await consumer.stop()
  expect(seen).toEqual(['0', '1', '2', '3', '4', '5'])
  const admin = kafka.admin()
  await admin.connect()
  const committed = async (): Promise<string | undefined> =>
    (await admin.fetchOffsets({ groupId, topics: [topic] }))[0]?.partitions[0]?.offset
  expect(await committed()).toBe('6')
  const byHand = kafka.consumer({ groupId })
  await byHand.connect()
  await byHand.subscribe({ topics: [topic] })
  await byHand.run({ autoCommit: false, eachMessage: async () => {} })
  await consumer.disconnect()
  for (;;) {
    const { members, state } = await byHand.describeGroup()
    if (state === 'Stable' && members.length === 1) break
  }
  await byHand.commitOffsets([{ topic, partition: 0, offset: '3' }])
  expect(await committed()).toBe('3')
  await byHand.disconnect()
  await admin.disconnect()
})
