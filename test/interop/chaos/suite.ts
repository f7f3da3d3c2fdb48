/**
 * Faults under load, judged by what the clients saw. The suite starts its own brokers; the cluster that the runner offers is not used.
 * CHAOS_FAULTS (10), CHAOS_SEED (1) and TARGET are the runner's --faults, --seed and --target; CHAOS_LINES names a directory
 * for the events and the brokers' data.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Case, check, main } from '../lib/cases.ts'
import { judgeGroup, judgeProduced, judgeTransactions } from './checker.ts'
import {
  CLIENTS,
  type ClientName,
  FORWARD_GROUP,
  groupOf,
  type History,
  runScenario,
  SINK,
  TOPICS,
  topicOf,
} from './scenario.ts'
import { startKafkito, startOracle } from './targets.ts'

const seed = Number(process.env.CHAOS_SEED || '1')
const faultCount = Number(process.env.CHAOS_FAULTS || '10')

function fine(problems: readonly string[]): void {
  check(problems.length === 0, [`${problems.length} problems`, ...problems.slice(0, 15)].join('\n'))
}

function casesOf(history: () => History): Case[] {
  const produced = (client: ClientName): Case => {
    // kafkajs takes a new producer id when its sequence is refused, and cannot know then what had arrived.
    const once = client !== 'kafkajs'
    return {
      name: `what ${client} had acknowledged is there ${once ? 'once' : 'at least once'} and in order`,
      async run() {
        const { events, log } = history()
        const renewed = events[client].filter(({ kind }) => kind === 'renewed').length
        const guarantee = once || renewed === 0 ? 'exactly once' : 'at least once'
        const found = judgeProduced(topicOf(client), events[client], log, guarantee)
        console.log(
          `   ${client}: ${found.acknowledged} acknowledged, ${found.failed} given up, ${found.doubled} doubled, ${renewed} new producer ids`,
        )
        fine(found.problems)
        check(found.failed === 0, `${found.failed} records were given up`)
      },
    }
  }
  const grouped = (client: ClientName, group: string, topics: readonly string[], sentence: string): Case => ({
    name: sentence,
    async run() {
      const { events, log, kafkajsRestarts } = history()
      const found = judgeGroup(group, topics, events[client], log)
      if (client === 'kafkajs' && kafkajsRestarts > 0)
        console.log(
          `   ${group}: its process stopped turning ${kafkajsRestarts} times, a known fault of kafkajs`,
        )
      console.log(
        `   ${group}: ${found.received} received, ${found.resumes} resumes, ${found.commits} commits of offsets`,
      )
      fine(found.problems)
    },
  })
  return [
    ...CLIENTS.map(produced),
    ...CLIENTS.map((client) =>
      grouped(
        client,
        groupOf(client),
        TOPICS,
        `a group of ${client} resumes where it committed and misses nothing`,
      ),
    ),
    grouped(
      'java',
      FORWARD_GROUP,
      [topicOf('java')],
      'a group that commits in transactions resumes where they say',
    ),
    {
      name: 'transactions are visible whole or not at all, and copy every record once',
      async run() {
        const { events, log } = history()
        const found = judgeTransactions({ source: topicOf('java'), sink: SINK }, events.java, log)
        console.log(
          `   transactions: ${found.committed} committed, ${found.aborted} aborted, ${found.unknown} of unknown end`,
        )
        fine(found.problems)
      },
    },
    grouped('librdkafka', 'watch', [SINK], 'a read_committed reader saw in time what is there at the end'),
    { name: 'the replicas are in sync and agree', run: async () => fine(history().problems) },
  ]
}

async function run(): Promise<History> {
  const keepIn = process.env.CHAOS_LINES
  const directory = keepIn ?? mkdtempSync(join(tmpdir(), 'interop-chaos-'))
  if (keepIn === undefined) process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
  console.log(`chaos: seed ${seed}, ${faultCount} faults`)
  const target = await (process.env.TARGET === 'oracle' ? startOracle : startKafkito)(join(directory, 'data'))
  try {
    return await runScenario(target, { seed, faultCount, keepIn })
  } finally {
    await target.stop()
  }
}

let history: History | undefined
if (!process.argv.includes('--list')) {
  try {
    history = await run()
  } catch (error) {
    console.error(error)
    process.exit(2)
  }
}
await main(casesOf(() => history as History))
