/**
 * The scenario: clients of three makes write, read in groups and move records in transactions while brokers are killed, stopped, restarted,
 * cut off and frozen; then everything is brought back, the clients come to their ends, and a Java reader tells what lies in the logs.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { check, within } from '../lib/cases.ts'
import { folder, javaClasspath, pythonEnvironment } from '../lib/families.ts'
import { mustRun } from '../lib/program.ts'
import { FinalLog } from './checker.ts'
import { ClientProgram } from './client-program.ts'
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
/** A consumer of kafkajs may spin for ever (findings.md); its process prints something every second otherwise. */
const KAFKAJS_SILENCE_SECONDS = 20

export interface History {
  readonly events: Readonly<Record<ClientName, readonly ChaosEvent[]>>
  readonly log: FinalLog
  readonly problems: readonly string[]
  /** How often the consumers of kafkajs had to be started anew. */
  readonly kafkajsRestarts: number
}

type Role = 'produce' | 'consume' | 'watch'

interface Part {
  readonly client: ClientName
  readonly roles: readonly Role[]
  readonly program: ClientProgram
}

async function startClients(bootstrap: string): Promise<{ parts: readonly Part[]; java: string }> {
  const java = await javaClasspath('4.4.0')
  const python = await pythonEnvironment()
  const deadlineMs = END_DEADLINE_MS
  const producing = (client: ClientName): string[] => [
    `bootstrap=${bootstrap}`,
    `produce=${topicOf(client)}`,
    `perSecond=${RECORDS_PER_SECOND}`,
  ]
  const grouped = (client: ClientName): string[] => [`group=${groupOf(client)}`, `topics=${TOPICS.join(',')}`]
  const kafkajs = ['--import', 'tsx', join(folder, 'chaos/worker.ts')]
  const parts: Part[] = [
    {
      client: 'java',
      roles: ['produce', 'consume'],
      program: new ClientProgram({
        name: 'java',
        command: 'java',
        args: () => [
          ...['-Xshare:auto', '-Xmx256m', '-cp', java, 'kafkito.interop.chaos.Worker'],
          ...[...producing('java'), ...grouped('java')],
          ...[`forward=${topicOf('java')}`, `sink=${SINK}`],
        ],
        deadlineMs,
      }),
    },
    {
      client: 'librdkafka',
      roles: ['produce', 'consume', 'watch'],
      program: new ClientProgram({
        name: 'librdkafka',
        command: join(python, 'bin/python'),
        args: () => [
          ...['-u', join(folder, 'chaos/worker.py')],
          ...[...producing('librdkafka'), ...grouped('librdkafka'), `watch=${SINK}`],
        ],
        deadlineMs,
      }),
    },
    {
      client: 'kafkajs',
      roles: ['produce'],
      program: new ClientProgram({
        name: 'kafkajs-producers',
        command: 'node',
        args: () => [...kafkajs, ...producing('kafkajs')],
        deadlineMs,
      }),
    },
    {
      client: 'kafkajs',
      roles: ['consume'],
      program: new ClientProgram({
        name: 'kafkajs-consumers',
        command: 'node',
        args: (incarnation) => [
          ...[...kafkajs, `bootstrap=${bootstrap}`, ...grouped('kafkajs')],
          `incarnation=${incarnation}`,
        ],
        silenceSeconds: KAFKAJS_SILENCE_SECONDS,
        deadlineMs,
      }),
    },
  ]
  return { parts, java }
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
  const { parts, java } = await startClients(target.bootstrap)
  const having = (role: Role): readonly Part[] => parts.filter(({ roles }) => roles.includes(role))
  const eventsFrom = (client: ClientName): ChaosEvent[] =>
    parts.flatMap((part) => (part.client === client ? eventsOf(part.program.lines) : []))
  try {
    // Everybody is at work before the first fault.
    for (const { program } of having('produce')) await program.until('an acknowledgement', 'ack ')
    for (const { program, client } of having('consume'))
      await program.until('a commit', `committed ${groupOf(client)} `)
    for (const { program, client } of parts)
      if (client === 'java') await program.until('a transaction', 'commit ')
    const { seed, faultCount } = options
    const { kinds, pace } = target
    const startedMs = Date.now()
    await doHarm(target, planFaults({ seed, count: faultCount, brokers: BROKERS, kinds, pace }))
    console.log(
      `  ${faultCount} faults in ${((Date.now() - startedMs) / 1000).toFixed(0)} s, all brokers are back`,
    )
    const end = async (role: Role, last: readonly string[] = []): Promise<void> => {
      // Who has not got the role hears it too: members stop to come and go when nobody produces any more.
      for (const { program } of parts) program.tell(['stop', role, ...last].join(' '))
      for (const { program } of having(role)) await program.until(`the end of ${role}`, `done ${role}`)
    }
    await end('produce')
    await end('consume')
    const problems = await whenInSync(target)
    const dump = await mustRun('java', [
      ...['-Xmx256m', '-cp', java, 'kafkito.interop.chaos.Worker'],
      ...[`bootstrap=${target.bootstrap}`, `dump=${[...TOPICS, SINK].join(',')}`],
    ])
    const log = new FinalLog(eventsOf(dump.stdout.split('\n')))
    const last = log
      .partitionsOf(SINK)
      .map(({ partition, entries }) => `${partition}:${entries.at(-1)?.offset}`)
    await end('watch', last)
    return {
      events: {
        java: eventsFrom('java'),
        librdkafka: eventsFrom('librdkafka'),
        kafkajs: eventsFrom('kafkajs'),
      },
      log,
      problems,
      kafkajsRestarts: parts.reduce((sum, { program }) => sum + program.restarts, 0),
    }
  } catch (error) {
    for (const { program } of parts) console.log(program.notes())
    throw error
  } finally {
    for (const { program } of parts) {
      program.kill()
      if (options.keepIn !== undefined) program.keep(options.keepIn)
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
