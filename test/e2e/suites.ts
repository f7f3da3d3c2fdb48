/**
 * The suites of this folder as one run against a cluster in processes of its own, and what the runs of several clusters have in
 * common. Suites that start, stop and break a cluster in their own process say nothing about another one and stay out.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { root } from '../interop/lib/families.ts'
import { runProgram } from '../interop/lib/program.ts'
import { startTarget, type TargetName } from '../interop/lib/target.ts'

/** Rebalances of KIP-848 follow heartbeats, whose interval the broker sets. */
const settings = [
  'group.consumer.min.heartbeat.interval.ms=100',
  'group.consumer.heartbeat.interval.ms=200',
  // Half a minute after its start a broker looks for records as old as some that the tests write, and deletes them.
  'log.initial.task.delay.ms=3600000',
]

export const ownClusters: readonly string[] = ['consumer-failover', 'delivery']

export interface Where {
  readonly target: TargetName
  readonly brokers: number
}

export interface RunOptions {
  /** Of the first broker; without it one that is free. */
  readonly port?: number
  readonly config?: readonly string[]
  /** Which files; all that need no cluster of their own, unless given. */
  readonly files?: readonly string[]
  /** The JSON of vitest, beside the outcome. */
  readonly report?: string
  readonly timeoutMs?: number
}

export type Status = 'passed' | 'failed' | 'skipped'

export interface Outcome {
  /** By "file: describe … title". */
  readonly tests: ReadonlyMap<string, Status>
  /** What the cluster lacks, by skipped test. */
  readonly needs: ReadonlyMap<string, string>
  readonly messages: readonly string[]
  readonly tookMs: number
}

interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly message: string
    readonly assertionResults: readonly {
      readonly fullName: string
      readonly status: string
      readonly failureMessages: readonly string[]
      readonly meta?: { readonly needs?: string }
    }[]
  }[]
}

export function nameOf({ target, brokers }: Where): string {
  return `${target === 'oracle' ? 'Apache Kafka' : 'kafkito'}, ${brokers === 1 ? 'one broker' : `${brokers} brokers`}`
}

/** Starts the cluster, runs the suites with BOOTSTRAP, stops it. */
export async function runSuites({ target, brokers }: Where, options: RunOptions = {}): Promise<Outcome> {
  const directory = await mkdtemp(join(tmpdir(), 'e2e-'))
  const cluster = await startTarget(target, {
    brokers,
    directory: join(directory, 'data'),
    ...(options.port === undefined ? {} : { port: options.port }),
    extra: [...settings, ...(options.config ?? [])].flatMap((setting) => ['--config', setting]),
  })
  try {
    return await runSuitesAgainst(cluster.bootstrap, options)
  } finally {
    await cluster.stop().catch((error: Error) => console.log(`stopping the cluster: ${error.message}`))
    await rm(directory, { recursive: true, force: true })
  }
}

/** Runs the suites against a cluster that is there. */
export async function runSuitesAgainst(
  bootstrap: string,
  options: Pick<RunOptions, 'files' | 'report' | 'timeoutMs'> = {},
): Promise<Outcome> {
  const directory = await mkdtemp(join(tmpdir(), 'e2e-report-'))
  const startedMs = Date.now()
  try {
    const output = options.report ?? join(directory, 'report.json')
    const files = options.files ?? ['test/e2e']
    const excluded = ownClusters.flatMap((name) => ['--exclude', `test/e2e/${name}.test.ts`])
    const vitest = join(root, 'node_modules/vitest/vitest.mjs')
    const args = ['run', '--root', root, ...files, ...excluded, '--reporter=json', `--outputFile=${output}`]
    const { stderr, code } = await runProgram('node', [vitest, ...args], {
      env: { ...process.env, BOOTSTRAP: bootstrap },
      timeoutMs: options.timeoutMs ?? 900_000,
    })
    const text = await readFile(output, 'utf8').catch(() => {
      throw new Error(`vitest ended with ${code} and no report\n${stderr.slice(-3000)}`)
    })
    return { ...outcomeOf(JSON.parse(text) as Report), tookMs: Date.now() - startedMs }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

function outcomeOf({ testResults }: Report): Omit<Outcome, 'tookMs'> {
  const tests = new Map<string, Status>()
  const needs = new Map<string, string>()
  const messages: string[] = []
  for (const { name, status, message, assertionResults } of testResults) {
    const file = relative(root, name).replaceAll('\\', '/')
    for (const { fullName, status: result, failureMessages, meta } of assertionResults) {
      const test = `${file}: ${fullName.trim()}`
      tests.set(test, result === 'passed' || result === 'failed' ? result : 'skipped')
      if (meta?.needs !== undefined) needs.set(test, meta.needs)
      if (result === 'failed') messages.push(`${test}\n${failureMessages.join('\n').slice(0, 2000)}`)
    }
    // A file that could not even be loaded has no tests of its own to fail.
    if (status === 'failed' && assertionResults.every((one) => one.status !== 'failed')) {
      tests.set(`${file}: the file itself`, 'failed')
      messages.push(`${file}\n${message.slice(0, 2000)}`)
    }
  }
  return { tests, needs, messages }
}

/** Tests that a kind of cluster cannot run, by pattern of "file: describe … title", and why. */
const reasons: readonly (readonly [pattern: RegExp, isSkipped: (where: Where) => boolean, why: string])[] = [
  [
    /admin-acls\.test\.ts: with an authorizer|admin-flat-constants\.test\.ts: flat constants make rules/,
    () => true,
    'the cluster has no authorizer; with one the cases without are skipped',
  ],
  [
    /admin-replicas\.test\.ts: elections give a partition back/,
    ({ brokers }) => brokers < 2,
    'one broker has nowhere to move a replica',
  ],
]

export function reasonToSkip(test: string, where: Where): string | undefined {
  return reasons.find(([pattern, isSkipped]) => pattern.test(test) && isSkipped(where))?.[2]
}

/** What went wrong in the runs, one line each: failures, skips without a reason, tests that only some of them know. */
export function differences(runs: readonly (readonly [Where, Outcome])[]): string[] {
  const names = new Set(runs.flatMap(([, { tests }]) => [...tests.keys()]))
  const wrong: string[] = []
  for (const test of [...names].sort()) {
    for (const [where, { tests }] of runs) {
      const status = tests.get(test)
      if (status === 'passed') continue
      if (status === 'skipped' && reasonToSkip(test, where) !== undefined) continue
      wrong.push(`${nameOf(where)}: ${status ?? 'not run'}: ${test}`)
    }
  }
  return wrong
}
