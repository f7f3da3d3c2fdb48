/**
 * The scenario: clients of three makes write, read in groups and move records in transactions while brokers are killed, stopped, restarted,
 * cut off and frozen; then everything is brought back, the clients come to their ends, and a Java reader tells what lies in the logs.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { check, within } from '../lib/cases.ts'
import { folder, javaClasspath, pythonEnvironment } from '../lib/families.ts'
import { mustRun } from '../lib/program.ts'
import { FinalLog } from './checker.ts'
import { type ChaosEvent, parseEvent } from './events.ts'
import { type PlannedFault, planFaults } from './plan.ts'
import { BROKERS, type Target } from './targets.ts'

export const CLIENTS = ['java', 'librdkafka', 'kafkajs'] as const
export type ClientName = (typeof CLIENTS)[number]

export const topicOf = (client: ClientName): string => `from-${client}`
export const groupOf = (client: ClientName): string => `group-${client}`
export const SINK = 'sink'
export const FORWARD_GROUP = `forward-${topicOf('java')}`
export const TOPICS: readonly string[] = CLIENTS.map(topicOf)

const PARTITIONS = 3
const RECORDS_PER_SECOND = 120
/** No more brokers than this are away at a time. */
const MOST_AWAY = 2
const END_DEADLINE_MS = 180_000

export interface History {
  readonly events: Readonly<Record<ClientName, readonly ChaosEvent[]>>
  readonly log: FinalLog
  readonly problems: readonly string[]
}

class Client {
  readonly lines: string[] = []
  /** When each came, for whoever has to understand a failure. */
  readonly timesMs: number[] = []
  readonly #child: ChildProcess
  readonly #name: string
  #onLine: () => void = () => {}
  #ended: number | null | undefined

  constructor(name: string, command: string, args: readonly string[]) {
    this.#name = name
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    process.on('exit', () => this.#child.kill('SIGKILL'))
    if (this.#child.stdout !== null)
      createInterface({ input: this.#child.stdout }).on('line', (line) => {
        this.lines.push(line)
        this.timesMs.push(Date.now())
        this.#onLine()
      })
    this.#child.on('close', (code) => {
      this.#ended = code
      this.#onLine()
    })
    this.#child.stdin?.on('error', () => {})
  }

  /** Until some line begins so. */
  async until(what: string, prefix: string): Promise<void> {
    let from = 0
    await within(
      new Promise<void>((resolve, reject) => {
        this.#onLine = () => {
          for (; from < this.lines.length; from++) if (this.lines[from]?.startsWith(prefix)) return resolve()
          if (this.#ended !== undefined)
            reject(new Error(`${this.#name} ended with ${this.#ended} before ${what}\n${this.notes()}`))
        }
        this.#onLine()
      }),
      `${what} of ${this.#name}`,
      END_DEADLINE_MS,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.notes()}`)
    })
  }

  tell(command: string): void {
    this.#child.stdin?.write(`${command}\n`)
  }

  notes(): string {
    const notes = this.lines.filter((line) => line.startsWith('note '))
    return `${this.#name}, latest lines:\n${[...notes.slice(-15), '…', ...this.lines.slice(-5)].join('\n')}`
  }

  keep(directory: string): void {
    const lines = this.lines.map((line, index) => `${this.timesMs[index]} ${line}`)
    writeFileSync(join(directory, `${this.#name}.txt`), lines.join('\n'))
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

async function startClients(
  bootstrap: string,
): Promise<{ clients: Record<ClientName, Client>; java: string }> {
  const java = await javaClasspath('4.4.0')
  const python = await pythonEnvironment()
  const common = (client: ClientName): string[] => [
    `bootstrap=${bootstrap}`,
    `produce=${topicOf(client)}`,
    `perSecond=${RECORDS_PER_SECOND}`,
    `group=${groupOf(client)}`,
    `topics=${TOPICS.join(',')}`,
  ]
  const clients = {
    java: new Client('java', 'java', [
      ...['-Xshare:auto', '-Xmx256m', '-cp', java, 'kafkito.interop.chaos.Worker'],
      ...[...common('java'), `forward=${topicOf('java')}`, `sink=${SINK}`],
    ]),
    librdkafka: new Client('librdkafka', join(python, 'bin/python'), [
      ...['-u', join(folder, 'chaos/worker.py')],
      ...[...common('librdkafka'), `watch=${SINK}`],
    ]),
    kafkajs: new Client('kafkajs', 'node', [
      ...['--import', 'tsx', join(folder, 'chaos/worker.ts')],
      ...common('kafkajs'),
    ]),
  }
  return { clients, java }
}

/** The faults one after the other, some of them at once; resolves when every broker is back. */
async function doHarm(target: Target, faults: readonly PlannedFault[]): Promise<void> {
  const busy = new Map<number, Promise<void>>()
  const startedMs = Date.now()
  for (const [index, { kind, broker, afterMs, awayMs }] of faults.entries()) {
    await sleep(afterMs)
    await busy.get(broker)
    while (busy.size >= MOST_AWAY) await Promise.race(busy.values())
    const seconds = ((Date.now() - startedMs) / 1000).toFixed(1).padStart(6)
    console.log(`  ${Date.now()} ${seconds} s, fault ${index + 1}: ${kind} broker ${broker}, ${awayMs} ms`)
    const work = (async () => {
      await within(target.begin(kind, broker), `${kind} of broker ${broker}`)
      await sleep(awayMs)
      await within(target.end(kind, broker), `end of ${kind} of broker ${broker}`)
    })().finally(() => busy.delete(broker))
    // A rejection shows when the broker is waited for; until then nobody listens.
    work.catch(() => {})
    busy.set(broker, work)
  }
  await Promise.all(busy.values())
}

export async function runScenario(
  target: Target,
  options: { readonly seed: number; readonly faultCount: number; readonly keepIn: string | undefined },
): Promise<History> {
  const { cluster } = target
  for (const topic of [...TOPICS, SINK])
    await cluster.topic(topic).create({ partitions: PARTITIONS, replicas: BROKERS.length })
  const { clients, java } = await startClients(target.bootstrap)
  const all = CLIENTS.map((name) => clients[name])
  try {
    // Everybody is at work before the first fault.
    for (const name of CLIENTS) {
      await clients[name].until('an acknowledgement', 'ack ')
      await clients[name].until('a commit', `committed ${groupOf(name)} `)
    }
    await clients.java.until('a transaction', 'commit ')
    const { seed, faultCount } = options
    const { kinds, pace } = target
    const startedMs = Date.now()
    await doHarm(target, planFaults({ seed, count: faultCount, brokers: BROKERS, kinds, pace }))
    console.log(
      `  ${faultCount} faults in ${((Date.now() - startedMs) / 1000).toFixed(0)} s, all brokers are back`,
    )
    for (const client of all) client.tell('stop produce')
    for (const client of all) await client.until('the end of producing', 'done produce')
    for (const client of all) client.tell('stop consume')
    for (const client of all) await client.until('the end of consuming', 'done consume')
    const problems = await whenInSync(target)
    const dump = await mustRun('java', [
      ...['-Xmx256m', '-cp', java, 'kafkito.interop.chaos.Worker'],
      ...[`bootstrap=${target.bootstrap}`, `dump=${[...TOPICS, SINK].join(',')}`],
    ])
    const log = new FinalLog(eventsOf(dump.stdout.split('\n')))
    const last = log
      .partitionsOf(SINK)
      .map(({ partition, entries }) => `${partition}:${entries.at(-1)?.offset}`)
    clients.librdkafka.tell(`stop watch ${last.join(' ')}`)
    await clients.librdkafka.until('the end of watching', 'done watch')
    const events = {
      java: eventsOf(clients.java.lines),
      librdkafka: eventsOf(clients.librdkafka.lines),
      kafkajs: eventsOf(clients.kafkajs.lines),
    }
    return { events, log, problems }
  } catch (error) {
    for (const client of all) console.log(client.notes())
    throw error
  } finally {
    for (const client of all) {
      client.kill()
      if (options.keepIn !== undefined) client.keep(options.keepIn)
    }
  }
}

/** The brokers' own view: all replicas are in sync again, and what can be compared inside agrees. */
async function whenInSync(target: Target): Promise<readonly string[]> {
  const { waitFor } = target.cluster
  for (const topic of [...TOPICS, SINK])
    for (let partition = 0; partition < PARTITIONS; partition++)
      await waitFor.isr({ topic, partition }, BROKERS, { timeoutMs: 60_000 })
  return target.problems()
}

function eventsOf(lines: readonly string[]): ChaosEvent[] {
  return lines.flatMap((line) => {
    const event = parseEvent(line)
    check(event !== undefined || line.trim() === '', `a client printed "${line}"`)
    return event ?? []
  })
}
