/**
 * Clients for Node side by side against the same broker, each in a process of its own and in turns; every figure is the median of the
 * rounds. kafkito's broker first, then Apache Kafka.
 *
 *     npm run bench:clients                        three rounds
 *     npm run bench:clients -- --short             one round with little data
 *     npm run bench:clients -- --only consume      measures whose name contains this
 *     npm run bench:clients -- --client kafkito    some of the clients, by commas
 *     npm run bench:clients -- --target kafkito    one of the brokers
 *     npm run bench:clients -- --minutes 10        memory over time, at 1,000 messages a second
 *     npm run bench:clients -- --write             puts the table into docs/benchmarks.md
 *
 * CLIENT_NODE_OPTIONS are for the measured processes: `--cpu-prof --cpu-prof-dir=…`.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { createTopic } from '../broker/admin.ts'
import { kafkaTools, Server, type Target } from '../broker/server.ts'
import { type CachedClientName, cachedClient } from './cached-client.ts'
import { type Column, type Figure, markdownTable, Results } from './results.ts'
import type { Measure, WorkOptions, WorkResult } from './worker.ts'

const MIB = 1024 * 1024
const PARTITIONS = 4
/** Of a measured process; the steady form has its minutes besides. */
const DEADLINE_MS = 300_000

const root = fileURLToPath(new URL('../../..', import.meta.url))
const { values: flags } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    client: { type: 'string', default: '' },
    target: { type: 'string', default: '' },
    rounds: { type: 'string' },
    minutes: { type: 'string' },
  },
})
const rounds = Number(flags.rounds ?? (flags.short ? 1 : 3))
const bulk = flags.short ? 60_000 : 200_000
const plan: readonly (readonly [Measure, number])[] =
  flags.minutes === undefined
    ? [
        ['single', flags.short ? 4000 : 20_000],
        ['arrays', bulk],
        ['stream', bulk],
        ['consume-each', bulk],
        ['consume-fast', bulk],
        ['latency', flags.short ? 1000 : 1600],
      ]
    : [['steady', 0]]

const versionOf = async (path: string): Promise<string> =>
  (JSON.parse(await readFile(path, 'utf8')) as { version: string }).version

/** Where the worker finds what is no dependency of the project. */
const directories: Record<CachedClientName, string> = {
  platformatic: 'PLATFORMATIC_CLIENT',
  confluent: 'CONFLUENT_CLIENT',
}

async function findClients(): Promise<Column[]> {
  const wanted = flags.client === '' ? undefined : flags.client.split(',')
  const isWanted = (client: string): boolean => wanted === undefined || wanted.includes(client)
  const columns: Column[] = []
  if (isWanted('kafkito')) {
    const version = await versionOf(join(root, 'package.json'))
    columns.push({ client: 'kafkito', title: `kafkito ${version}`, kind: 'ours' })
  }
  if (isWanted('kafkajs')) {
    const version = await versionOf(join(root, 'node_modules/kafkajs/package.json'))
    columns.push({ client: 'kafkajs', title: `kafkajs ${version}`, kind: 'javascript' })
  }
  for (const client of ['platformatic', 'confluent'] as const) {
    if (!isWanted(client)) continue
    const found = await cachedClient(client)
    if (typeof found === 'string') {
      console.error(`Not measured: ${found}`)
      continue
    }
    process.env[directories[client]] = found.directory
    const kind = client === 'confluent' ? 'native' : 'javascript'
    columns.push({ client, title: `${found.name} ${found.version}`, kind })
  }
  return columns
}

/** Client and worker as plain JavaScript, as applications have them: a loader would take memory of its own. */
async function buildWorker(): Promise<string> {
  const outdir = join(root, 'node_modules/.cache/bench-clients')
  await mkdir(outdir, { recursive: true })
  await build({
    entryPoints: [fileURLToPath(new URL('worker.ts', import.meta.url))],
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    logLevel: 'warning',
  })
  return join(outdir, 'worker.mjs')
}

function work(script: string, options: WorkOptions): Promise<WorkResult> {
  const nodeOptions = process.env.CLIENT_NODE_OPTIONS?.split(' ') ?? []
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...nodeOptions, script, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const deadlineMs = DEADLINE_MS + (options.minutes ?? 0) * 60_000
    const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs)
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    child.on('close', (code) => {
      clearTimeout(timer)
      if (code === 0) resolve(JSON.parse(text) as WorkResult)
      else reject(new Error(`ended with ${code}${code === null ? ' after its time' : ''}`))
    })
  })
}

/** What a topic of a consume measure holds, from the load generator of the broker's benchmark. */
async function fill(bootstrap: string, topic: string, messages: number): Promise<void> {
  const script = fileURLToPath(new URL('../broker/load.ts', import.meta.url))
  // A little more than is read: the generator rounds to batches.
  const options = {
    ...{ mode: 'produce', bootstrap, topic, partitions: PARTITIONS },
    ...{ bytes: messages * 1024 * 1.1 + 8 * MIB, batchBytes: 64 * 1024 },
  }
  const child = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(options)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const code = await new Promise((resolve) => child.once('exit', resolve))
  if (code !== 0) throw new Error(`filling ${topic} ended with ${code}`)
}

function figuresOf(measure: Measure, result: WorkResult): Figure[] {
  const { messagesPerSecond, cpuMicrosPerMessage, p50Ms, p99Ms, peakMiB, residentMiB, heapMiB } = result
  const label: Record<Measure, string> = {
    single: 'produce, each awaited',
    arrays: 'produce, arrays of 1,000',
    stream: "produce, the client's own batching",
    'consume-each': 'consume, one at a time',
    'consume-fast': 'consume, quickest form',
    latency: 'end to end, 200 a second',
    steady: `${flags.minutes} minutes at 1,000 a second`,
  }
  const name = label[measure]
  const figures: (Figure | undefined)[] = [
    measure === 'latency' ? undefined : figure(name, 'messages/s', messagesPerSecond, true),
    figure(`${name}, median`, 'ms', p50Ms),
    figure(`${name}, 99th of 100`, 'ms', p99Ms),
    figure(`${name}, processor time`, 'µs/message', cpuMicrosPerMessage),
    measure === 'single' ? undefined : figure(`${name}, peak memory`, 'MiB', peakMiB),
    figure(`${name}, memory after a minute`, 'MiB', residentMiB?.[5]),
    figure(`${name}, memory at the end`, 'MiB', residentMiB?.at(-1)),
    figure(`${name}, heap after a minute`, 'MiB', heapMiB?.[5]),
    figure(`${name}, heap at the end`, 'MiB', heapMiB?.at(-1)),
  ]
  return figures.filter((one) => one !== undefined)
}

function figure(name: string, unit: string, value: number | undefined, isMoreBetter = false) {
  return value === undefined ? undefined : { name, unit, value, isMoreBetter }
}

async function measureAll(target: Target, columns: readonly Column[], script: string): Promise<Results> {
  const results = new Results(columns)
  const server = await Server.start(target)
  const { bootstrap } = server
  try {
    for (const [measure, messages] of plan) {
      if (!measure.includes(flags.only)) continue
      const topic = `filled-${measure}`
      const isConsume = measure.startsWith('consume')
      if (isConsume) {
        await createTopic(bootstrap, topic, PARTITIONS)
        await fill(bootstrap, topic, messages)
      }
      for (let round = 0; round < rounds; round++) {
        // Who begins changes with the round.
        const order = columns.map((_, index) => columns[(index + round) % columns.length] as Column)
        for (const { client } of order) {
          const own = isConsume ? topic : `${measure}-${client}-${round}`
          if (!isConsume) await createTopic(bootstrap, own, measure === 'latency' ? 1 : PARTITIONS)
          const options: WorkOptions = {
            ...{ client, measure, bootstrap, topic: own, messages },
            ...(flags.minutes === undefined ? {} : { minutes: Number(flags.minutes) }),
          }
          try {
            for (const one of figuresOf(measure, await work(script, options))) {
              results.note(client, one)
              console.error(
                `  ${target} ${client.padEnd(12)} ${one.name}: ${one.value.toFixed(2)} ${one.unit}`,
              )
            }
          } catch (error) {
            // What one of them cannot do must not hide the rest.
            const reason = error instanceof Error ? error.message : String(error)
            results.failed(`${target}, ${client}, ${measure}: ${reason}`)
            console.error(`  ${target} ${client}: ${reason}`)
          }
        }
      }
    }
  } finally {
    await server.stop()
  }
  return results
}

const columns = await findClients()
const script = await buildWorker()
const targets: Target[] = (['kafkito', 'kafka'] as const).filter(
  (one) => (flags.target === '' || flags.target === one) && (one === 'kafkito' || existsSync(kafkaTools)),
)
const sections: string[] = []
for (const target of targets) {
  const results = await measureAll(target, columns, script)
  const broker = target === 'kafkito' ? "kafkito's broker" : 'Apache Kafka 4.4.0'
  sections.push(`Against ${broker}:\n\n${markdownTable(results)}`)
}
const circumstances = [
  `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}`,
  `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}, ${(totalmem() / 1024 ** 3).toFixed(0)} GiB`,
  `${rounds} ${rounds === 1 ? 'round' : 'rounds'}${flags.short ? ', short form' : ''}`,
].join('; ')
const text = [`${circumstances}.`, ...sections].join('\n\n')
console.log(text)

if (flags.write) {
  const path = join(root, 'docs/benchmarks.md')
  const old = await readFile(path, 'utf8')
  const [begin, end] = ['<!-- clients -->', '<!-- end of clients -->']
  const from = old.indexOf(begin) + begin.length
  const to = old.indexOf(end)
  if (from < begin.length || to < 0) throw new Error('docs/benchmarks.md has no place for the clients')
  await writeFile(path, `${old.slice(0, from)}\n\n${text}\n\n${old.slice(to)}`)
}
