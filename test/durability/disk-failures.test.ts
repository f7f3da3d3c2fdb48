import { beforeAll, describe, expect, it } from 'vitest'
import { StartError } from '../../broker/index.ts'
import { Produce } from '../../common/protocol/apis/00-produce.ts'
import { ApiVersions } from '../../common/protocol/apis/18-api-versions.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { SeededRandom } from '../../common/runtime/seeded-random.ts'
import { batchOf } from '../support/records.ts'
import { type Caller, type CheckOptions, IdempotentProducer, Ledger } from './ledger.ts'
import { SimBroker } from './sim-broker.ts'

const CONFIG = {
  'offsets.topic.num.partitions': '1',
  'transaction.state.log.num.partitions': '1',
  // How long is waited for a controller whose disk is gone.
  'request.timeout.ms': '500',
}
const PROCESS_DIED: CheckOptions = { isWrittenKept: true }
const POWER_CUT: CheckOptions = { isWrittenKept: false, syncedTopics: new Set(['synced']) }

/** What clients do while the disk fails. Every step goes on when the one before it was refused. */
async function script(broker: SimBroker, ledger: Ledger): Promise<void> {
  const [one, two, three, four] = [
    broker.client('one'),
    broker.client('two'),
    broker.client('three'),
    broker.client('four'),
  ]
  await ledger.createTopic(one, 'synced', { configs: { 'flush.messages': '1' } })
  await ledger.createTopic(one, 'written', { partitions: 2, configs: { 'segment.bytes': '1048576' } })
  const producer = new IdempotentProducer('idempotent', { topic: 'written', partition: 1, acks: 1 })
  ledger.producers.push(producer)
  for (let round = 0; round < 2; round++) {
    const places = [
      { topic: 'written', partition: 0 },
      { topic: 'synced', partition: 0 },
    ].filter(({ topic }) => ledger.topicIds.has(topic))
    const topicId = ledger.topicIds.get('written')
    // In one turn: what a failure hits depends on where in the turn it comes.
    await Promise.all([
      ledger.producePlain(one, 'synced', 0, round === 0 ? -1 : 1, 2),
      ledger.producePlain(one, 'written', 0, 1, 3),
      ledger.producePlain(two, 'written', 1, -1),
      topicId === undefined ? undefined : producer.send(three, topicId, [1, 2, 1]),
      ledger.commitOffset(four, 'synced'),
    ])
    if (places.length === 2) await ledger.transact(two, places, round === 0, `transaction-${round}`)
  }
  await Promise.all([ledger.createTopic(four, 'late'), ledger.producePlain(one, 'written', 0, -1)])
  await ledger.producePlain(one, 'late', 0, -1)
  for (const client of [one, two, three, four]) client.close()
}

/** @returns whether the broker started at all */
async function live(broker: SimBroker, ledger: Ledger): Promise<boolean> {
  try {
    await broker.start()
  } catch (error) {
    if (error instanceof StartError) return false
    throw error
  }
  await broker.run(script(broker, ledger))
  return true
}

async function checkAfterRestart(broker: SimBroker, ledger: Ledger, options: CheckOptions): Promise<void> {
  await broker.start()
  const client = broker.client('checker')
  await broker.run(ledger.check(client, options))
  const after = new Ledger()
  const isCreated = await broker.run(after.createTopic(client, 'afterwards'))
  const isProduced = await broker.run(after.producePlain(client, 'afterwards', 0, -1))
  if (!isCreated || !isProduced) throw new Error('the broker does not work after the restart')
  broker.kill()
  if (broker.bugs.length > 0) throw broker.bugs[0]
}

/** With KAFKITO_DURABILITY=full every case is tried at every call; else the cases share the calls among themselves. */
const isFull = process.env.KAFKITO_DURABILITY === 'full'

/** Runs `attempt` for every call of a life, or for every `share`th from `first` on when the run is to be quick. */
async function forEveryCall(
  calls: number,
  { first, share }: { first: number; share: number },
  attempt: (nth: number) => Promise<void>,
): Promise<void> {
  expect(calls).toBeGreaterThan(30)
  for (let nth = isFull ? 1 : first; nth <= calls; nth += isFull ? 1 : share) {
    try {
      await attempt(nth)
    } catch (error) {
      throw new Error(`call ${nth}: ${String(error)}`, { cause: error })
    }
  }
}

let callsOfALife = 0

beforeAll(async () => {
  const broker = new SimBroker(CONFIG)
  const ledger = new Ledger()
  expect(await live(broker, ledger)).toBe(true)
  expect(ledger.refusals).toEqual(new Map())
  broker.kill()
  callsOfALife = broker.disk.calls
  await checkAfterRestart(broker, ledger, PROCESS_DIED)
})

describe('a broker on a failing disk', { timeout: 300_000 }, () => {
  it('has kept all it acknowledged when one call of the disk fails, for every call', async () => {
    await forEveryCall(callsOfALife, { first: 1, share: 2 }, async (nth) => {
      const broker = new SimBroker(CONFIG)
      const ledger = new Ledger()
      broker.disk.failAt(nth, 'EIO', { tornBytes: nth % 90 })
      if (await live(broker, ledger)) await expectAlive(broker)
      broker.disk.repair()
      broker.kill()
      await checkAfterRestart(broker, ledger, PROCESS_DIED)
    })
  })

  it('has kept what was written, and after a power cut what was synced, when its disk dies at the n-th call, for every n', async () => {
    await forEveryCall(callsOfALife, { first: 2, share: 2 }, async (nth) => {
      const broker = new SimBroker(CONFIG)
      const ledger = new Ledger()
      broker.disk.failAt(nth, nth % 2 === 0 ? 'EIO' : 'ENOSPC', { forever: true, tornBytes: (nth * 7) % 90 })
      if (await live(broker, ledger)) await expectAlive(broker)
      broker.disk.repair()
      broker.kill()
      const powerless = new SimBroker(CONFIG, { disk: broker.disk })
      powerless.disk.crash({ loseUnsynced: new SeededRandom(nth) })
      await checkAfterRestart(broker, ledger, PROCESS_DIED)
      await checkAfterRestart(powerless, ledger, POWER_CUT)
    })
  })

  it('loses nothing when the disk fails at the n-th call of a start after a crash, for every n', async () => {
    const first = new SimBroker(CONFIG)
    const ledger = new Ledger()
    await live(first, ledger)
    first.kill()
    const disk = first.disk.fork()
    const counted = new SimBroker(CONFIG, { disk })
    await counted.start()
    const calls = counted.disk.calls
    counted.kill()
    await forEveryCall(calls, { first: 1, share: 2 }, async (nth) => {
      const broker = new SimBroker(CONFIG, { disk })
      broker.disk.failAt(nth, 'EIO', { tornBytes: nth % 90 })
      const start = broker.start().then(
        () => undefined,
        (error: unknown) => error,
      )
      const refusal = await start
      if (refusal !== undefined && !(refusal instanceof StartError)) throw refusal
      broker.disk.repair()
      broker.kill()
      await broker.start()
      await broker.run(ledger.check(broker.client('checker'), PROCESS_DIED))
      broker.kill()
    })
  })
})

/** Whatever has failed: the process answers, and what it answers to a produce is a refusal or true. */
async function expectAlive(broker: SimBroker): Promise<void> {
  const client = broker.client('visitor')
  const versions = await broker.run(
    client.call(ApiVersions, { clientSoftwareName: 'test', clientSoftwareVersion: '1' }),
  )
  if (versions.errorCode !== ErrorCode.NONE) throw new Error(`ApiVersions: ${versions.errorCode}`)
  client.close()
  if (broker.bugs.length > 0) throw broker.bugs[0]
}

let values = 0

function produceTo(client: Caller, topicId: string, index: number): Promise<number | undefined> {
  const request = {
    acks: -1,
    timeoutMs: 1_000,
    topicData: [{ topicId, partitionData: [{ index, records: batchOf([`value ${values++}`]) }] }],
  }
  return client.call(Produce, request).then(({ responses }) => responses[0]?.partitionResponses[0]?.errorCode)
}

describe('two log directories', () => {
  const TWO = { ...CONFIG, 'log.dirs': '/first,/second' }

  async function startWithTopic(): Promise<{ broker: SimBroker; ledger: Ledger; client: Caller }> {
    const broker = new SimBroker(TWO)
    const ledger = new Ledger()
    await broker.start()
    const client = broker.client()
    await broker.run(ledger.createTopic(client, 'spread', { partitions: 4 }))
    for (let index = 0; index < 4; index++) await broker.run(ledger.producePlain(client, 'spread', index, -1))
    return { broker, ledger, client }
  }

  it('go on with the partitions of one when the other fails', async () => {
    const { broker, ledger, client } = await startWithTopic()
    broker.disk.failAt(1, 'EIO', { forever: true, matching: ({ path }) => path.startsWith('/second') })
    const topicId = ledger.topicIds.get('spread') as string
    const outcomes: (number | undefined)[] = []
    for (let round = 0; round < 2; round++)
      for (let index = 0; index < 4; index++)
        outcomes.push(await broker.run(produceTo(client, topicId, index)))
    expect(new Set(outcomes)).toEqual(new Set([ErrorCode.NONE, ErrorCode.KAFKA_STORAGE_ERROR]))
    // Once the failure is known the good directory takes everything.
    expect(outcomes.slice(4).filter((code) => code === ErrorCode.NONE).length).toBe(2)
    expect(await broker.run(ledger.createTopic(client, 'more'))).toBe(true)
    expect(await broker.run(ledger.producePlain(client, 'more', 0, -1))).toBe(true)
    broker.disk.repair()
    broker.kill()
    await checkAfterRestart(broker, ledger, PROCESS_DIED)
    expect(broker.bugs).toEqual([])
  })

  it('take no records any more when the one with the metadata fails: nobody would know of them later', async () => {
    const { broker, ledger, client } = await startWithTopic()
    broker.disk.failAt(1, 'ENOSPC', { forever: true, matching: ({ path }) => path.startsWith('/first') })
    // The refused topic is known to the running broker, whose metadata log has lost it.
    expect(await broker.run(ledger.createTopic(client, 'unknown'))).toBe(false)
    const topicId = ledger.topicIds.get('spread') as string
    for (let index = 0; index < 4; index++)
      expect(await broker.run(produceTo(client, topicId, index))).not.toBe(ErrorCode.NONE)
    await expectAlive(broker)
    broker.disk.repair()
    broker.kill()
    await checkAfterRestart(broker, ledger, PROCESS_DIED)
  })
})

describe('a full disk', () => {
  it('refuses what does not fit, and goes on after a restart with more room', async () => {
    const full = new SimBroker(CONFIG, { capacityBytes: 60_000 })
    const ledger = new Ledger()
    await full.start()
    const client = full.client()
    await full.run(ledger.createTopic(client, 'big'))
    let accepted = 0
    for (; accepted < 10_000; accepted++)
      if (!(await full.run(ledger.producePlain(client, 'big', 0, -1, 20)))) break
    expect(accepted).toBeGreaterThan(10)
    expect([...ledger.refusals.keys()]).toEqual(['KAFKA_STORAGE_ERROR'])
    expect(await full.run(ledger.producePlain(client, 'big', 0, 1))).toBe(false)
    await expectAlive(full)
    full.kill()
    const roomy = new SimBroker(CONFIG, { disk: full.disk })
    await checkAfterRestart(roomy, ledger, PROCESS_DIED)
  })
})
