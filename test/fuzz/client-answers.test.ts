/**
 * Every handle of the client at brokers whose answers lie. Whatever comes, calls end in time and with a KafkaException if they
 * fail, nothing escapes, and when the answers are true again the same handles go on.
 *
 * CLIENT_FUZZ_SEEDS sets how many worlds are made, SEED the first of them.
 */
import { describe, expect, it } from 'vitest'
import {
  AdminClient,
  type ClientConfig,
  ConfigResource,
  Consumer,
  KafkaException,
  NewTopic,
  Producer,
  ShareConsumer,
  TopicPartition,
} from '../../client/index.ts'
import { ClientWorld } from './client-world.ts'

const SEEDS = Number(process.env.CLIENT_FUZZ_SEEDS ?? 2)
const FIRST = Number(process.env.SEED ?? 20_261_123)
const ROUNDS = Number(process.env.CLIENT_FUZZ_ROUNDS ?? 15)

/** What a call may take beyond its own time. */
const SLACK_MS = 1000
const CALL_MS = 5000
/** Within it a client has found back, after leases, back-offs and muted connections. */
const HEAL_MS = 300_000

const impatient: ClientConfig = {
  log_level: 0,
  'socket.timeout.ms': 2000,
  'topic.metadata.refresh.interval.ms': 5000,
  'metadata.max.age.ms': 15_000,
  'reconnect.backoff.max.ms': 500,
  'socket.connection.setup.timeout.ms': 2000,
}

const seeds = Array.from({ length: SEEDS }, (_, index) => FIRST + index)

async function inWorld(seed: number, run: (world: ClientWorld) => Promise<void>): Promise<void> {
  const world = await ClientWorld.start(seed)
  await using admin = new AdminClient(
    { ...impatient, 'bootstrap.servers': world.bootstrap },
    undefined,
    world.honestHooks('owner'),
  )
  await world.settle('the topic', admin.createTopics([new NewTopic('t', 2, 1)]).all(), 60_000)
  await run(world)
  world.hostility = 0
  await world.settle('closing', admin.close(), 60_000)
  await world.stop()
}

const isFatal = (value: unknown): boolean => value instanceof KafkaException && value.error.fatal()

describe.each(seeds)('brokers that lie with seed %i', (seed) => {
  it('lose or keep the messages of a producer as they like, but every message is told of, and it goes on', () =>
    inWorld(seed, async (world) => {
      const { random } = world
      const producer = new Producer(
        {
          ...impatient,
          'bootstrap.servers': world.bootstrap,
          'message.timeout.ms': CALL_MS,
          'enable.idempotence': random.int(2) === 0,
          acks: 'all',
        },
        { autoPoll: true },
        world.hooks('producer'),
      )
      world.hostility = 0.02 + random.float() * 0.5
      let fatal = false
      for (let round = 0; round < ROUNDS && !fatal; round++) {
        const sent = await world.outcome(
          'send',
          Promise.allSettled(
            [0, 1, 2].map((partition) => producer.send('t', { value: 'x', partition: partition % 2 })),
          ),
          CALL_MS + SLACK_MS,
        )
        for (const one of sent instanceof KafkaException ? [] : sent) {
          if (one.status === 'fulfilled') continue
          expect(one.reason).toBeInstanceOf(KafkaException)
          fatal ||= isFatal(one.reason)
        }
        await world.outcome('listTopics', producer.listTopics(null, { timeoutMs: 1000 }), 1000 + SLACK_MS)
      }
      world.becomeHonest()
      await world.outcome('flush', producer.flush({ timeoutMs: CALL_MS }), CALL_MS + SLACK_MS)
      const untilMs = world.nowMs + HEAL_MS
      for (let last: unknown; !fatal; ) {
        if (world.nowMs > untilMs)
          throw new Error(
            `SEED=${seed}: no message arrives any more: ${String(last)}\n${world.lies.slice(-20).join('\n')}`,
          )
        last = await world.outcome(
          'send again',
          producer.send('t', { value: 'y', partition: 0 }),
          CALL_MS + SLACK_MS,
        )
        if (!(last instanceof KafkaException)) break
        fatal = isFatal(last)
      }
      await world.outcome('close', producer.close({ timeoutMs: CALL_MS }), CALL_MS + SLACK_MS)
    }))

  it.each(['classic', 'consumer'])('make a member of a group of protocol %s stumble, not fall', (protocol) =>
    inWorld(seed, async (world) => {
      const { random } = world
      const base = { ...impatient, 'bootstrap.servers': world.bootstrap }
      const producer = new Producer(base, { autoPoll: true }, world.honestHooks('owner producer'))
      const feed = (value: string): Promise<unknown> =>
        world.settle(
          'feeding',
          Promise.all([0, 1].map((partition) => producer.send('t', { value, partition }))),
          60_000,
        )
      const consumer = new Consumer(
        {
          ...base,
          'group.id': 'g',
          'group.protocol': protocol,
          'auto.offset.reset': 'earliest',
          'check.crcs': true,
          'fetch.wait.max.ms': 50,
          'isolation.level': random.int(2) === 0 ? 'read_committed' : 'read_uncommitted',
          ...(protocol === 'classic'
            ? {
                'partition.assignment.strategy': random.int(2) === 0 ? 'range' : 'cooperative-sticky',
                'session.timeout.ms': 10_000,
              }
            : {}),
        },
        undefined,
        world.hooks('consumer'),
      )
      consumer.subscribe(['t'])
      let fatal = false
      await feed('x')
      world.hostility = 0.02 + random.float() * 0.5
      for (let round = 0; round < ROUNDS && !fatal; round++) {
        const polled = await world.outcome('poll', consumer.poll({ timeoutMs: 300 }), 300 + SLACK_MS)
        fatal = isFatal(polled)
        const place = new TopicPartition('t', 0)
        const limits = { timeoutMs: 1000 }
        await world.outcome('committed', consumer.committed([place], limits), 1000 + SLACK_MS)
        await world.outcome('watermarks', consumer.getWatermarkOffsets(place, limits), 1000 + SLACK_MS)
        await world.outcome(
          'offsetsForTimes',
          consumer.offsetsForTimes([new TopicPartition('t', 0, 5)], limits),
          1000 + SLACK_MS,
        )
        if (round % 4 === 0) consumer.commit({ offsets: [new TopicPartition('t', 0, 1)] })
      }
      world.becomeHonest()
      await feed('last')
      const untilMs = world.nowMs + HEAL_MS
      let lastError = ''
      let hasRebalanced = false
      while (!fatal) {
        // A believable assignment that is none is corrected by the next rebalance.
        if (!hasRebalanced && world.nowMs > untilMs - HEAL_MS / 2) {
          hasRebalanced = true
          consumer.unsubscribe()
          consumer.subscribe(['t'])
        }
        if (world.nowMs > untilMs)
          throw new Error(
            `SEED=${seed}: the last message never comes: ${lastError} ${consumer.assignment()} ${consumer.position(consumer.assignment())}\n${world.lies.slice(-20).join('\n')}`,
          )
        const message = await world.outcome('poll', consumer.poll({ timeoutMs: 1000 }), 1000 + SLACK_MS)
        if (message instanceof KafkaException) fatal = isFatal(message)
        else if (message?.error() == null && `${message?.value()}` === 'last') break
        else if (message?.error() != null) lastError = `${message.error()}`
      }
      await world.outcome('close', consumer.close({ timeoutMs: CALL_MS }), CALL_MS + SLACK_MS)
      await world.settle('close', producer.close(), 60_000)
    }),
  )

  it('cannot stop a transactional producer from being told how its transactions ended', () =>
    inWorld(seed, async (world) => {
      const { random } = world
      const open = (): Producer =>
        new Producer(
          {
            ...impatient,
            'bootstrap.servers': world.bootstrap,
            'transactional.id': 'tx',
            'transaction.timeout.ms': 10_000,
            'message.timeout.ms': CALL_MS,
          },
          { autoPoll: true },
          world.hooks('transactional producer'),
        )
      let producer = open()
      world.hostility = 0.02 + random.float() * 0.4
      const limits = { timeoutMs: CALL_MS }
      let lastFailure = ''
      let state: 'new' | 'ready' | 'failed' = 'new'
      const step = async (what: string, call: () => Promise<unknown>): Promise<boolean> => {
        const result = await world.outcome(what, call(), CALL_MS + SLACK_MS)
        if (!(result instanceof KafkaException)) return true
        lastFailure = `${what}: ${result.error.name()} ${result.message}`
        if (result.error.fatal()) state = 'failed'
        return false
      }
      const transact = async (): Promise<boolean> => {
        if (state === 'failed') {
          await world.outcome('close', producer.close(limits), CALL_MS + SLACK_MS)
          producer = open()
          state = 'new'
        }
        if (state === 'new') {
          if (!(await step('initTransactions', () => producer.initTransactions(limits)))) return false
          state = 'ready'
        }
        try {
          producer.beginTransaction()
        } catch (error) {
          expect(error).toBeInstanceOf(KafkaException)
        }
        producer
          .send('t', { value: 'x', partition: 0 })
          .catch((error: unknown) => expect(error).toBeInstanceOf(KafkaException))
        if (await step('commitTransaction', () => producer.commitTransaction(limits))) return true
        await step('abortTransaction', () => producer.abortTransaction(limits))
        return false
      }
      for (let round = 0; round < ROUNDS; round++) {
        try {
          await transact()
        } catch (error) {
          if (!(error instanceof KafkaException)) throw error
        }
      }
      world.becomeHonest()
      const untilMs = world.nowMs + HEAL_MS
      while (!(await transact())) {
        if (world.nowMs > untilMs) {
          throw new Error(
            `SEED=${seed}: no transaction ends well: ${lastFailure}\n${world.lies.slice(-20).join('\n')}`,
          )
        }
        await world.settle('a pause', world.pause(100), 1000)
      }
      await world.outcome('close', producer.close(limits), CALL_MS + SLACK_MS)
    }))

  it('make a share consumer stumble, not fall', () =>
    inWorld(seed, async (world) => {
      const { random } = world
      const base = { ...impatient, 'bootstrap.servers': world.bootstrap }
      const producer = new Producer(base, { autoPoll: true }, world.honestHooks('owner producer'))
      const consumer = new ShareConsumer(
        { ...base, 'group.id': 's' },
        undefined,
        world.hooks('share consumer'),
      )
      consumer.subscribe(['t'])
      world.hostility = 0.02 + random.float() * 0.5
      const limits = { timeoutMs: 1000 }
      for (let round = 0; round < ROUNDS; round++) {
        await world.settle('feeding', producer.send('t', { value: 'x' }), 60_000)
        await world.outcome('poll', consumer.poll(limits), 1000 + SLACK_MS)
        await world.outcome('commitSync', consumer.commitSync(limits), 1000 + SLACK_MS)
      }
      world.becomeHonest()
      const untilMs = world.nowMs + HEAL_MS
      for (let hasRejoined = false; ; ) {
        if (world.nowMs > untilMs)
          throw new Error(`SEED=${seed}: no message comes any more\n${world.lies.slice(-20).join('\n')}`)
        await world.settle('feeding', producer.send('t', { value: 'last' }), 60_000)
        // A believable assignment that is none is corrected by the next one.
        if (!hasRejoined && world.nowMs > untilMs - HEAL_MS / 2) {
          hasRejoined = true
          consumer.unsubscribe()
          consumer.subscribe(['t'])
        }
        const batch = await world.outcome('poll', consumer.poll(limits), 1000 + SLACK_MS)
        if (
          !(batch instanceof KafkaException) &&
          [...batch].some((message) => `${message.value()}` === 'last')
        )
          break
      }
      await world.outcome('close', consumer.close({ timeoutMs: CALL_MS }), CALL_MS + SLACK_MS)
      await world.settle('close', producer.close(), 60_000)
    }))

  it('get an administrator answers or errors, for each thing that was asked', () =>
    inWorld(seed, async (world) => {
      const { random } = world
      const admin = new AdminClient(
        { ...impatient, 'bootstrap.servers': world.bootstrap },
        undefined,
        world.hooks('admin'),
      )
      const limits = { requestTimeoutMs: CALL_MS }
      const place = new TopicPartition('t', 0)
      const topic = new ConfigResource(ConfigResource.Type.TOPIC, 't')
      const calls: Record<string, () => Promise<unknown>> = {
        createTopics: () => admin.createTopics([new NewTopic(`n${random.int(1000)}`, 1, 1)], limits).all(),
        describeTopics: () => admin.describeTopics(['t', 'missing'], limits).all(),
        describeCluster: () => admin.describeCluster(limits),
        describeConfigs: () => admin.describeConfigs([topic], limits).all(),
        listTopics: () => admin.listTopics(null, { timeoutMs: CALL_MS }),
        listConsumerGroups: () => admin.listConsumerGroups(limits),
        describeConsumerGroups: () => admin.describeConsumerGroups(['g', 'h'], limits).all(),
        deleteConsumerGroups: () => admin.deleteConsumerGroups(['g', 'h'], limits).all(),
        describeFeatures: () => admin.describeFeatures(limits),
        describeMetadataQuorum: () => admin.describeMetadataQuorum(limits),
        describeLogDirs: () => admin.describeLogDirs([1], limits).all(),
        listTransactions: () => admin.listTransactions(limits),
        describeProducers: () => admin.describeProducers([place], limits).all(),
        listPartitionReassignments: () => admin.listPartitionReassignments(null, limits),
        listShareGroups: () => admin.listShareGroups(limits),
        electLeaders: () => admin.electLeaders(0 as never, [place], limits as never),
        describeClientQuotas: () => admin.describeClientQuotas(undefined as never, limits),
        deleteTopics: () => admin.deleteTopics(['missing'], limits).all(),
      }
      const names = Object.keys(calls)
      world.hostility = 0.1 + random.float() * 0.6
      for (let round = 0; round < ROUNDS * 3; round++) {
        const name = names[random.int(names.length)] as string
        try {
          await world.outcome(name, Promise.resolve(calls[name]?.()), CALL_MS + SLACK_MS)
        } catch (error) {
          if (!(error instanceof KafkaException)) throw error
        }
      }
      world.becomeHonest()
      const untilMs = world.nowMs + HEAL_MS
      for (;;) {
        const result = await world.outcome(
          'describeCluster',
          admin.describeCluster(limits),
          CALL_MS + SLACK_MS,
        )
        if (!(result instanceof KafkaException)) break
        if (world.nowMs > untilMs)
          throw new Error(`SEED=${seed}: ${result.message}\n${world.lies.slice(-20).join('\n')}`)
      }
      await world.settle('close', admin.close(), 60_000)
    }))
})
