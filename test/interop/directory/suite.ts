/**
 * Directories change hands: kafkito writes one, Apache Kafka checks it, serves it and writes on, and kafkito takes it back. The suite starts
 * its own servers; the cluster that the runner offers is not used.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCluster } from '../../../broker/index.ts'
import type { Scenario } from '../../differential/scenario.ts'
import { noRetention, recordedSettings } from '../../differential/settings.ts'
import { rawClient } from '../../support/raw-client.ts'
import { type Case, check, checkEqual, main } from '../lib/cases.ts'
import { kafkaTools } from '../lib/families.ts'
import { Running, runProgram } from '../lib/program.ts'
import { Contents } from './contents.ts'
import { EXPIRATION, expirations, histories, historySettings } from './histories.ts'
import { INTERNAL_TOPICS, type InternalTopic, playHistories, recordsOf } from './internal-topics.ts'

type Observed = Record<string, unknown>

const root = mkdtempSync(join(tmpdir(), 'interop-directory-'))
process.on('exit', () => rmSync(root, { recursive: true, force: true }))

/** Where the script that runs Apache Kafka looks for the files of its first broker. */
const data = join(root, 'broker-1', 'data')

async function onKafkito<T>(
  dataDir: string,
  use: (bootstrap: string) => Promise<T>,
  config: Readonly<Record<string, string>> = {},
): Promise<T> {
  const cluster = await startCluster({
    dataDir,
    profile: 'kafka',
    config: { 'group.initial.rebalance.delay.ms': 0, 'log.cleaner.backoff.ms': 100, ...config },
  })
  try {
    return await use(cluster.bootstrapServers)
  } finally {
    await cluster.stop()
  }
}

async function onKafka<T>(
  use: (bootstrap: string) => Promise<T>,
  { dir = root, config = {} }: { dir?: string; config?: Readonly<Record<string, string>> } = {},
): Promise<T> {
  const port = await freePort()
  const env = { ...process.env, ORACLE_LOG: 'warn' }
  const settings = Object.entries(config).flatMap(([key, value]) => ['--config', `${key}=${value}`])
  const server = new Running(kafkaTools, ['server', '--port', String(port), '--dir', dir, ...settings], env)
  try {
    await server.until('the READY line', (lines) => lines.some((line) => line.startsWith('READY')), 100_000)
    return await use(`127.0.0.1:${port}`)
  } finally {
    await server.stop()
  }
}

/** The script takes the port a thousand above for the controller. */
async function freePort(): Promise<number> {
  const isFree = (port: number) =>
    new Promise<number>((resolve) => {
      const server = createServer()
      server.on('error', () => resolve(-1))
      server.listen(port, '127.0.0.1', () => {
        const address = server.address()
        server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : -1))
      })
    })
  for (;;) {
    const port = await isFree(0)
    if (port < 64_000 && (await isFree(port + 1000)) > 0) return port
  }
}

async function withContents<T>(bootstrap: string, use: (contents: Contents) => Promise<T>): Promise<T> {
  const client = rawClient(bootstrap, 'suite')
  try {
    return await use(new Contents(client))
  } finally {
    client.close()
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}

/** Steps that build on each other; a case asks for the ones that it is about. */
const written = once(async (): Promise<Observed> => {
  const own = join(root, 'kafkito')
  const observed = await onKafkito(own, (bootstrap) =>
    withContents(bootstrap, async (contents) => {
      await contents.write()
      return contents.observe()
    }),
  )
  mkdirSync(join(root, 'broker-1'), { recursive: true })
  renameSync(join(own, 'broker-1'), data)
  return observed
})

const dumped = once(async () => {
  await written()
  return dumpAll(false)
})

const servedByKafka = once(async (): Promise<{ taken: Observed; grown: Observed }> => {
  await written()
  await dumped()
  return onKafka((bootstrap) =>
    withContents(bootstrap, async (contents) => {
      const taken = await contents.observe()
      await contents.writeMore()
      return { taken, grown: await contents.observe() }
    }),
  )
})

const takenBack = once(async (): Promise<{ back: Observed; grown: Observed }> => {
  await servedByKafka()
  return onKafkito(data, (bootstrap) =>
    withContents(bootstrap, async (contents) => {
      const back = await contents.observe()
      await contents.writeMore()
      return { back, grown: await contents.observe() }
    }),
  )
})

const servedAgain = once(async (): Promise<Observed> => {
  await takenBack()
  return onKafka((bootstrap) => withContents(bootstrap, (contents) => contents.observe()))
})

function checkSame(actual: Observed, expected: Observed): void {
  const differences = differencesOf(expected, actual, '')
  check(differences.length === 0, differences.slice(0, 20).join('\n'))
}

/** One line per leaf that is not the same. */
function differencesOf(expected: unknown, actual: unknown, path: string): string[] {
  const isBranch = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Buffer.isBuffer(value)
  if (isBranch(expected) && isBranch(actual)) {
    const keys = new Set([...Object.keys(expected), ...Object.keys(actual)])
    return [...keys].flatMap((key) => differencesOf(expected[key], actual[key], `${path}/${key}`))
  }
  const [wanted, got] = [shown(expected), shown(actual)]
  return wanted === got ? [] : [`${path}: expected ${wanted}, got ${got}`]
}

function shown(value: unknown): string {
  return JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? `${inner}n` : inner)) ?? 'nothing'
}

/**
 * Complaints of Kafka's own tool about any file of the directory.
 * @param isKafkas Kafka wrote last: it leaves the indexes of its metadata log as large as it made them, which its own check refuses
 */
async function dumpAll(isKafkas: boolean): Promise<{ records: number; complaints: string[] }> {
  let records = 0
  const complaints: string[] = []
  const folders = readdirSync(data, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const files = (ending: string) =>
    folders.flatMap(({ name }) =>
      readdirSync(join(data, name))
        .filter((file) => file.endsWith(ending))
        .map((file) => join(data, name, file)),
    )
  const dump = async (paths: readonly string[], ...options: string[]) => {
    if (paths.length === 0) return ''
    const { code, stdout, stderr } = await runProgram(kafkaTools, [
      'dump-log',
      ...options,
      '--files',
      paths.join(','),
    ])
    if (code !== 0) complaints.push(`${options.join(' ')} ended with ${code}: ${stderr.slice(0, 700)}`)
    return stdout + stderr
  }
  for (const line of (await dump(files('.log'), '--deep-iteration', '--print-data-log')).split('\n')) {
    if (line.startsWith('| offset:')) records += 1
    if (/isvalid: false|trailing|could not/i.test(line)) complaints.push(line)
  }
  const indexes = [...files('.index'), ...files('.timeindex')].filter(
    (path) => !isKafkas || !path.includes('/__cluster_metadata-0/'),
  )
  for (const line of (await dump(indexes, '--index-sanity-check')).split('\n')) {
    if (/mismatch|fail|exception|error|do not match|out of order|missing/i.test(line)) complaints.push(line)
  }
  await dump(files('.txnindex'))
  await dump(files('.snapshot'))
  return { records, complaints }
}

/** Warnings in which Kafka speaks of files; it also warns of its own settings. */
function warningsOfFiles(): string[] {
  const log = join(root, 'broker-1', 'server.log')
  if (!existsSync(log)) return ['there is no log']
  return readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => /\b(WARN|ERROR|FATAL)\b/.test(line))
    .filter((line) =>
      /log|segment|index|snapshot|checkpoint|recover|corrupt|metadata|record|partition/i.test(line),
    )
}

async function tool(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runProgram(kafkaTools, args)
  check(code === 0, `${args.join(' ')} ended with ${code}: ${stderr.slice(-1000)}`)
  return stdout
}

/**
 * What both keep of the same histories in these topics, record by record.
 * @returns how many records were compared
 */
async function compareRecords(
  name: string,
  scenarios: readonly Scenario[],
  more: Readonly<Record<string, string>>,
  topics: readonly InternalTopic[],
): Promise<number> {
  const [own, kafka] = [join(root, `${name} kafkito`), join(root, `${name} kafka`)]
  const config = { ...recordedSettings, ...noRetention, ...historySettings, ...more }
  const { 'log.initial.task.delay.ms': _, ...forKafka } = config
  await onKafkito(own, (bootstrap) => playHistories(bootstrap, scenarios), config)
  await onKafka((bootstrap) => playHistories(bootstrap, scenarios), { dir: kafka, config: forKafka })
  let count = 0
  for (const topic of topics) {
    const expected = await recordsOf(join(kafka, 'broker-1', 'data'), topic)
    const actual = await recordsOf(join(own, 'broker-1'), topic)
    checkSame(Object.fromEntries(actual), Object.fromEntries(expected))
    for (const records of expected.values()) count += records.length
  }
  return count
}

const cases: readonly Case[] = [
  {
    name: 'kafkito writes topics, transactions, groups and settings and stops',
    run: async () => {
      await written()
    },
  },
  {
    name: "Apache Kafka's tool reads every segment, index and producer snapshot that kafkito wrote",
    run: async () => {
      const { records, complaints } = await dumped()
      check(records > 100, `only ${records} records`)
      checkEqual(complaints, [], 'complaints')
    },
  },
  {
    name: 'Apache Kafka serves the same records, offsets, groups and settings from that directory',
    run: async () => {
      const [expected, { taken }] = [await written(), await servedByKafka()]
      checkSame(taken, expected)
    },
  },
  {
    name: 'Apache Kafka takes the directory over without a warning',
    run: async () => {
      await servedByKafka()
      checkEqual(warningsOfFiles(), [], 'warnings')
    },
  },
  {
    name: 'kafkito serves what Apache Kafka wrote on top of it',
    run: async () => {
      const [{ grown }, { back }] = [await servedByKafka(), await takenBack()]
      checkSame(back, grown)
    },
  },
  {
    name: 'Apache Kafka serves it once more after kafkito wrote on',
    run: async () => {
      const [{ grown }, again] = [await takenBack(), await servedAgain()]
      checkSame(again, grown)
      const { complaints } = await dumpAll(true)
      checkEqual(complaints, [], 'complaints')
      checkEqual(warningsOfFiles(), [], 'warnings')
    },
  },
  {
    name: 'groups, transactions and share groups leave the records that Apache Kafka leaves of the same histories',
    run: async () => {
      const all = Object.keys(INTERNAL_TOPICS) as InternalTopic[]
      const count = await compareRecords('histories', histories, {}, all)
      check(count > 200, `only ${count} records`)
    },
  },
  {
    name: 'offsets, transactions and transactional ids that expire leave the records that Apache Kafka leaves',
    run: async () => {
      const count = await compareRecords('expirations', expirations, EXPIRATION, [
        '__consumer_offsets',
        '__transaction_state',
      ])
      check(count > 5, `only ${count} records`)
    },
  },
  {
    name: "Apache Kafka's tools show the quorum, the features and the brokers of kafkito",
    run: () =>
      onKafkito(join(root, 'tools'), async (bootstrap) => {
        const server = ['--bootstrap-server', bootstrap]
        const status = await tool('metadata-quorum', ...server, 'describe', '--status')
        check(/LeaderId: +1\b/.test(status) && /"CONTROLLER:\/\//.test(status), status)
        const replication = await tool('metadata-quorum', ...server, 'describe', '--replication')
        check(/Leader/.test(replication), replication)
        const features = await tool('features', ...server, 'describe')
        check(/transaction\.version.*FinalizedVersionLevel: 2/.test(features), features)
        const endpoints = await tool('cluster', 'list-endpoints', ...server)
        check(/unfenced/.test(endpoints), endpoints)
      }),
  },
]

await main(cases)
