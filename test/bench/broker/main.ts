/**
 * kafkito and Apache Kafka on the same machine, in turns, each number the median of its rounds:
 *
 *     npm run bench                     everything, three rounds
 *     npm run bench -- --short          one round with little data, without Kafka when its script is not there
 *     npm run bench -- --only produce   measures whose name contains this
 *     npm run bench -- --write          puts the table into docs/benchmarks.md
 *     npm run bench -- --only clients   standard clients against both, and clients for Node side by side (test/bench/clients)
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createTopic, whenUsable } from './admin.ts'
import type { FixtureCost } from './fixture.ts'
import type { LoadOptions } from './load.ts'
import { kafkaTools, Server, type Target } from './server.ts'
import { standardClients } from './standard-clients.ts'

const GIB = 1024 ** 3
const MIB = 1024 ** 2
const PARTITIONS = 4

const { values: flags } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    rounds: { type: 'string' },
  },
})
const rounds = Number(flags.rounds ?? (flags.short ? 1 : 3))
const targets: Target[] = existsSync(kafkaTools) ? ['kafkito', 'kafka'] : ['kafkito']

interface Row {
  readonly name: string
  readonly unit: string
  /** Whether a larger number is the better one. */
  readonly isMoreBetter: boolean
  readonly samples: Record<Target, number[]>
}

const rows = new Map<string, Row>()
const failures: string[] = []

function note(target: Target, name: string, unit: string, value: number, isMoreBetter = false): void {
  let row = rows.get(name)
  if (row === undefined) {
    row = { name, unit, isMoreBetter, samples: { kafkito: [], kafka: [] } }
    rows.set(name, row)
  }
  row.samples[target].push(value)
  console.error(`  ${target.padEnd(8)} ${name}: ${value.toFixed(2)} ${unit}`)
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

const loadScript = fileURLToPath(new URL('./load.ts', import.meta.url))

function load(options: LoadOptions): Promise<Record<string, number>> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx', loadScript, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(text) as Record<string, number>)
      else reject(new Error(`the load generator ended with ${code}`))
    })
  })
}

const isWanted = (name: string): boolean => name.includes(flags.only)

async function throughput(target: Target): Promise<void> {
  const bytes = flags.short ? 200 * MIB : 3 * GIB
  const server = await Server.start(target)
  try {
    note(target, 'start to READY', 'ms', server.startMs)
    note(target, 'resident memory, idle', 'MiB', server.residentMiB())
    const base = { bootstrap: server.bootstrap, partitions: PARTITIONS }
    // Compilers of either side shall have seen the path.
    await createTopic(server.bootstrap, 'warm', PARTITIONS)
    await load({ ...base, mode: 'produce', topic: 'warm', bytes: bytes / 10, batchBytes: 16 * 1024 })
    for (const [batchBytes, label] of [
      [16 * 1024, '16 KiB'],
      [64 * 1024, '64 KiB'],
    ] as const) {
      const topic = `load-${batchBytes}`
      await createTopic(server.bootstrap, topic, PARTITIONS)
      const cpuBefore = server.cpuSeconds()
      const produced = await load({ ...base, mode: 'produce', topic, bytes: bytes / 2, batchBytes })
      const cpuProduced = server.cpuSeconds()
      note(target, `produce, ${label} batches`, 'MiB/s', produced.mebibytesPerSecond ?? 0, true)
      const gib = (produced.bytes ?? 0) / GIB
      note(target, `processor time, produce, ${label} batches`, 's/GiB', (cpuProduced - cpuBefore) / gib)
      const consumed = await load({
        ...base,
        mode: 'consume',
        topic,
        bytes: (produced.bytes ?? 0) * 0.98,
        batchBytes,
      })
      note(target, `consume, ${label} batches`, 'MiB/s', consumed.mebibytesPerSecond ?? 0, true)
      const readGib = (consumed.bytes ?? 0) / GIB
      note(
        target,
        `processor time, consume, ${label} batches`,
        's/GiB',
        (server.cpuSeconds() - cpuProduced) / readGib,
      )
    }
    note(target, `resident memory, after ${(bytes / GIB).toFixed(1)} GiB`, 'MiB', server.residentMiB())
  } finally {
    await server.stop()
  }
}

/** Three brokers, three replicas, `acks=all`. */
async function replication(target: Target): Promise<void> {
  const [brokers, partitions, batchBytes] = [3, 6, 16 * 1024]
  const bytes = flags.short ? 150 * MIB : GIB
  const server = await Server.start(target, undefined, brokers)
  try {
    note(target, 'three brokers, start to READY', 'ms', server.startMs)
    note(target, 'three brokers, resident memory, idle', 'MiB', server.residentMiB())
    const base = { bootstrap: server.bootstrap, partitions, batchBytes }
    // Compilers of either side shall have seen the path.
    await createTopic(server.bootstrap, 'warm', partitions, brokers)
    await load({ ...base, mode: 'produce', topic: 'warm', bytes: bytes / 10 })
    await createTopic(server.bootstrap, 'replicated', partitions, brokers)
    const cpuBefore = server.cpuSeconds()
    const produced = await load({ ...base, mode: 'produce', topic: 'replicated', bytes })
    const cpuProduced = server.cpuSeconds()
    note(target, 'three replicas, produce', 'MiB/s', produced.mebibytesPerSecond ?? 0, true)
    const gib = (produced.bytes ?? 0) / GIB
    note(target, 'three replicas, processor time, produce', 's/GiB', (cpuProduced - cpuBefore) / gib)
    const wanted = (produced.bytes ?? 0) * 0.98
    const consumed = await load({ ...base, mode: 'consume', topic: 'replicated', bytes: wanted })
    note(target, 'three replicas, consume', 'MiB/s', consumed.mebibytesPerSecond ?? 0, true)
    const readGib = (consumed.bytes ?? 0) / GIB
    const cpuRead = server.cpuSeconds() - cpuProduced
    note(target, 'three replicas, processor time, consume', 's/GiB', cpuRead / readGib)
    note(target, `three brokers, resident memory, after ${gib.toFixed(1)} GiB`, 'MiB', server.residentMiB())
  } finally {
    await server.stop()
  }
}

async function latency(target: Target): Promise<void> {
  const server = await Server.start(target)
  try {
    await createTopic(server.bootstrap, 'latency', 1)
    const base = { bootstrap: server.bootstrap, partitions: 1, topic: 'latency', bytes: 0, batchBytes: 1024 }
    await load({ ...base, mode: 'latency', messages: 1500, perSecond: 500 })
    const result = await load({
      ...base,
      mode: 'latency',
      messages: flags.short ? 1500 : 5000,
      perSecond: 500,
    })
    note(target, 'acknowledged, 500 a second, median', 'ms', result.ackP50Ms ?? 0)
    note(target, 'acknowledged, 500 a second, 99th of 100', 'ms', result.ackP99Ms ?? 0)
    note(target, 'end to end, 500 a second, median', 'ms', result.endToEndP50Ms ?? 0)
    note(target, 'end to end, 500 a second, 99th of 100', 'ms', result.endToEndP99Ms ?? 0)
  } finally {
    await server.stop()
  }
}

async function manyPartitions(target: Target): Promise<void> {
  const count = flags.short ? 1_000 : 10_000
  const server = await Server.start(target)
  let again: Server | undefined
  try {
    const label = `${count.toLocaleString('en')} partitions`
    note(target, `${label}, create`, 'ms', await createTopic(server.bootstrap, 'many', count))
    const seconds = flags.short ? 5 : 20
    // Compilers and writers of the creation shall have come to rest.
    await new Promise((resolve) => setTimeout(resolve, flags.short ? 2_000 : 10_000))
    const cpuBefore = server.cpuSeconds()
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
    note(target, `${label}, processor when idle`, '%', ((server.cpuSeconds() - cpuBefore) / seconds) * 100)
    note(target, `${label}, resident memory`, 'MiB', server.residentMiB())
    const stopMs = performance.now()
    await server.stop(false)
    note(target, `${label}, stop`, 'ms', performance.now() - stopMs)
    again = await Server.start(target, server.directory)
    await whenUsable(again.bootstrap, 'many', count)
    note(target, `${label}, start again`, 'ms', again.startMs)
  } finally {
    await (again ?? server).stop()
  }
}

/** Runs one of the scripts beside this one in a process of its own. @returns what it printed */
async function printedBy(name: string): Promise<unknown> {
  const script = fileURLToPath(new URL(`./${name}.ts`, import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  await new Promise((resolve) => child.on('close', resolve))
  return JSON.parse(text)
}

/** Only kafkito can start in the process of a test: from the call to the first answered request. */
async function inProcess(): Promise<void> {
  const { coldMs, warmMs } = (await printedBy('in-process')) as { coldMs: number; warmMs: number }
  note('kafkito', 'in process, first start to first answer', 'ms', coldMs)
  note('kafkito', 'in process, later start to first answer', 'ms', warmMs)
}

/** What tests pay for the fixture. */
async function fixture(): Promise<void> {
  const costs = (await printedBy('fixture')) as readonly FixtureCost[]
  for (const { name, unit, value } of costs) note('kafkito', `fixture, ${name}`, unit, value)
}

const measures: readonly (readonly [string, (target: Target) => Promise<void>])[] = [
  ['throughput produce consume', throughput],
  ['replication', replication],
  ['latency', latency],
  ['partitions', manyPartitions],
  [
    'clients',
    (target) =>
      standardClients(target, flags.short, (name, unit, value, more) =>
        note(target, name, unit, value, more),
      ),
  ],
]

function table(): string {
  const lines = ['| | kafkito | Kafka | ratio |', '| --- | ---: | ---: | ---: |']
  const figure = (value: number): string =>
    Number.isNaN(value)
      ? ''
      : value >= 100
        ? value.toFixed(0)
        : value >= 1
          ? value.toFixed(1)
          : value.toFixed(2)
  for (const { name, unit, isMoreBetter, samples } of rows.values()) {
    const ours = median(samples.kafkito)
    const theirs = median(samples.kafka)
    const ratio = isMoreBetter ? ours / theirs : theirs / ours
    const shown = Number.isFinite(ratio) ? `${ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(2)} ×` : ''
    lines.push(`| ${name} (${unit}) | ${figure(ours)} | ${figure(theirs)} | ${shown} |`)
  }
  if (failures.length > 0) lines.push('', ...failures.map((one) => `Not measured: ${one}.`))
  return lines.join('\n')
}

for (let round = 0; round < rounds; round++) {
  for (const [name, measure] of measures) {
    if (!isWanted(name)) continue
    // Who begins changes with the round, so that warmth and throttling of the machine favour nobody.
    for (const target of round % 2 === 0 ? targets : [...targets].reverse()) {
      console.error(`round ${round + 1}, ${name}, ${target}`)
      try {
        await measure(target)
      } catch (error) {
        // What one of them cannot do must not hide the rest.
        failures.push(`${name}, ${target}: ${error instanceof Error ? error.message : String(error)}`)
        console.error(`  ${failures.at(-1)}`)
      }
    }
  }
  if (isWanted('in process')) await inProcess()
  if (isWanted('fixture')) await fixture()
}

const { version } = JSON.parse(await readFile(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string
}
const circumstances = [
  `${new Date().toISOString().slice(0, 10)}, kafkito ${version}, Apache Kafka 4.4.0, Node ${process.versions.node}`,
  `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}, ${(totalmem() / GIB).toFixed(0)} GiB`,
  `${rounds} ${rounds === 1 ? 'round' : 'rounds'}, load from the same machine${flags.short ? ', short form' : ''}`,
].join('; ')
console.log(`${circumstances}\n\n${table()}`)

/** Measured again in part: what was not measured stays, with the words about it. */
function merged(old: string): string {
  const title = `Measured with \`--only ${flags.only}\``
  const [words = '', ...rows] = old.trim().split(/^(?=\|)/m)
  const kept = words
    .trim()
    .split('\n\n')
    .filter((paragraph) => !paragraph.startsWith(title))
  const [head = '', ruler = ''] = table().split('\n')
  const nameOf = (row: string): string => row.split('|')[1]?.trim() ?? ''
  const byName = new Map<string, string>()
  for (const row of [...rows.slice(2), ...table().split('\n').slice(2)])
    if (row.startsWith('|')) byName.set(nameOf(row), row.trim())
  return [...kept, `${title}: ${circumstances}.`, [head, ruler, ...byName.values()].join('\n')].join('\n\n')
}

/** Columns as wide as their widest cell, numbers to the right. */
function aligned(results: string): string {
  const lines = results.split('\n')
  const rows = lines.filter((line) => line.startsWith('|')).map((line) => line.split('|').slice(1, -1))
  const isRuler = (cell: string): boolean => /^ *-+:? *$/.test(cell)
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(
      3,
      ...rows.map((cells) => (isRuler(cells[column] ?? '') ? 0 : (cells[column] ?? '').trim().length)),
    ),
  )
  return lines
    .map((line) => {
      if (!line.startsWith('|')) return line
      const cells = line.split('|').slice(1, -1)
      const padded = cells.map((cell, column) => {
        const width = widths[column] ?? 0
        if (isRuler(cell)) return column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`
        return column === 0 ? cell.trim().padEnd(width) : cell.trim().padStart(width)
      })
      return `| ${padded.join(' | ')} |`
    })
    .join('\n')
}

if (flags.write) {
  const path = fileURLToPath(new URL('../../../docs/benchmarks.md', import.meta.url))
  const text = await readFile(path, 'utf8')
  const [begin, end] = ['<!-- results -->', '<!-- end of results -->']
  const from = text.indexOf(begin) + begin.length
  const to = text.indexOf(end)
  const results = flags.only === '' ? `${circumstances}.\n\n${table()}` : merged(text.slice(from, to))
  await writeFile(path, `${text.slice(0, from)}\n\n${aligned(results)}\n\n${text.slice(to)}`)
}

/** Clients for Node have columns and a table of their own. */
async function nodeClients(): Promise<void> {
  const script = fileURLToPath(new URL('../clients/main.ts', import.meta.url))
  const passed = [
    ...(flags.short ? ['--short'] : []),
    ...(flags.write ? ['--write'] : []),
    ...['--rounds', String(rounds)],
  ]
  const child = spawn(process.execPath, ['--import', 'tsx', script, ...passed], { stdio: 'inherit' })
  process.exitCode = await new Promise<number>((resolve) => child.on('close', (code) => resolve(code ?? 1)))
}

if (isWanted('clients for Node')) await nodeClients()
