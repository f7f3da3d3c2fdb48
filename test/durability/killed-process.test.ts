import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SeededRandom } from '../../common/runtime/seeded-random.ts'
import { type RawClient, rawClient } from '../support/raw-client.ts'
import { type BrokerProgram, bundleBroker, type RunningBroker } from './bundle.ts'
import { IdempotentProducer, Ledger } from './ledger.ts'

/** Rounds of kill and restart: a few in a quick run, as many as KAFKITO_KILL_ROUNDS says otherwise. */
const ROUNDS = Number(process.env.KAFKITO_KILL_ROUNDS ?? 12)
const SEED = Number(process.env.KAFKITO_KILL_SEED ?? 1)
/** A quick run does not begin another round after this time. */
const QUICK_RUN_MS = 12_000
/** Answers that a process gives before it is killed. */
const MAX_ANSWERS = 400
const CONFIG = { 'offsets.topic.num.partitions': '2', 'transaction.state.log.num.partitions': '2' }

let program: BrokerProgram
let dataDir: string
let broker: RunningBroker

beforeAll(async () => {
  program = await bundleBroker()
  dataDir = mkdtempSync(join(tmpdir(), 'kafkito-killed-'))
}, 60_000)

afterAll(async () => {
  await broker?.kill()
  program?.remove()
  if (dataDir !== undefined) rmSync(dataDir, { recursive: true, force: true })
})

/** Repeats a step over a client of its own until the connection breaks. */
function untilDisconnected(clients: RawClient[], step: (round: number) => Promise<unknown>): Promise<void> {
  const loop = async (): Promise<void> => {
    for (let round = 0; clients.length > 0; round++) await step(round)
  }
  return loop().catch((error: Error) => {
    if (!/disconnected|timed-out/.test(error.message)) throw error
  })
}

describe('a process that is killed at any moment', () => {
  it(
    `has kept every acknowledged record, offset, transaction and topic (SEED=${SEED})`,
    async () => {
      const random = new SeededRandom(SEED)
      const startedMs = Date.now()
      const ledger = new Ledger()
      broker = await program.start({ dataDir, config: CONFIG })
      const first = rawClient(broker.bootstrapServers)
      expect(await ledger.createTopic(first, 'busy', { partitions: 3 })).toBe(true)
      expect(await ledger.createTopic(first, 'rolling', { configs: { 'segment.bytes': '1048576' } })).toBe(
        true,
      )
      first.close()
      for (let partition = 0; partition < 3; partition++) {
        const acks = partition === 0 ? 1 : -1
        ledger.producers.push(
          new IdempotentProducer(`producer-${partition}`, { topic: 'busy', partition, acks }),
        )
      }
      for (let round = 0; round < ROUNDS; round++) {
        if (process.env.KAFKITO_KILL_ROUNDS === undefined && Date.now() - startedMs > QUICK_RUN_MS) break
        const clients: RawClient[] = []
        let answersLeft = 1 + random.int(MAX_ANSWERS)
        let isEnough = (): void => undefined
        const enough = new Promise<void>((resolve) => {
          isEnough = resolve
        })
        const client = (): RawClient => {
          const opened = rawClient(broker.bootstrapServers)
          clients.push(opened)
          return {
            close: opened.close,
            call: (api, request, version) => {
              const answer = opened.call(api, request, version)
              void answer.then(
                () => --answersLeft === 0 && isEnough(),
                () => undefined,
              )
              return answer
            },
          }
        }
        const topicId = ledger.topicIds.get('busy') as string
        const work = ledger.producers.map((producer) => {
          const own = client()
          return untilDisconnected(clients, () => producer.send(own, topicId, [1, 3, 2]))
        })
        const [plain, commits, transactions, topics] = [client(), client(), client(), client()]
        work.push(
          untilDisconnected(clients, (count) =>
            ledger.producePlain(plain, 'rolling', 0, count % 2 === 0 ? 1 : -1, 20),
          ),
          untilDisconnected(clients, () => ledger.commitOffset(commits, 'busy')),
          untilDisconnected(clients, (count) =>
            ledger.transact(
              transactions,
              [
                { topic: 'busy', partition: count % 3 },
                { topic: 'rolling', partition: 0 },
              ],
              count % 3 !== 0,
              `t-${count % 4}`,
            ),
          ),
          untilDisconnected(clients, (count) =>
            ledger.createTopic(topics, count < 4 ? `topic-${round}-${count}` : 'busy'),
          ),
        )
        await enough
        // Not a wait for something: the moment in which the process dies.
        await new Promise((resolve) => setTimeout(resolve, random.int(5)))
        await broker.kill()
        await Promise.all(work)
        for (const open of clients.splice(0)) open.close()
        broker = await program.start({ dataDir, config: CONFIG })
        const checker = rawClient(broker.bootstrapServers)
        await ledger.check(checker, { isWrittenKept: true })
        checker.close()
      }
      await broker.stop()
      const acknowledged = ledger.producers.reduce((sum, producer) => sum + producer.acknowledged.length, 0)
      expect(acknowledged).toBeGreaterThan(0)
    },
    30_000 + ROUNDS * 5_000,
  )
})
