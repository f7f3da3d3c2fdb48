/**
 * What the fixture costs, each the median of twenty; the goals are those of docs/benchmarks.md. Prints one line of JSON: name, unit and value of
 * each. A fork copies no records and reads hardly any, but it starts a broker. Measured is the built bundle, which is what tests import, where
 * there is one; the sources, translated while they run, take longer.
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type * as kafkito from '../../../broker/index.ts'

const BUNDLE = 'dist/index.js'
const { startCluster } = (await import(
  existsSync(BUNDLE) ? pathToFileURL(BUNDLE).href : '../../../broker/index.ts'
)) as typeof kafkito

const TIMES = 20
/** As many as a suite with a fork for each test has had before long. */
const WARM_FORKS = 100
const MIB = 1024 ** 2
const FORK_RECORDS = 100
const FORK_RECORD_BYTES = 100_000

export interface FixtureCost {
  readonly name: string
  readonly unit: string
  readonly value: number
}

async function median(run: () => Promise<number>): Promise<number> {
  const figures: number[] = []
  for (let round = 0; round < TIMES; round++) figures.push(await run())
  return figures.sort((left, right) => left - right)[TIMES / 2] as number
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now()
  await run()
  return performance.now() - startMs
}

/** The time until there is a cluster; its end is not counted. */
async function timedStart(start: () => Promise<kafkito.TestCluster>): Promise<number> {
  const startMs = performance.now()
  const cluster = await start()
  const tookMs = performance.now() - startMs
  await cluster.stop()
  return tookMs
}

const costs: FixtureCost[] = []
const cost = (name: string, unit: string, value: number): void => {
  costs.push({ name, unit, value })
}

await (await startCluster()).stop()
const before = process.memoryUsage.rss()
const kept = await startCluster()
cost('resident memory of one more broker', 'MiB', (process.memoryUsage.rss() - before) / MIB)
await kept.stop()

cost('start of one broker', 'ms', await median(() => timedStart(() => startCluster())))
cost(
  'start of three brokers with a replicated topic',
  'ms',
  await median(() => timedStart(() => startCluster({ brokers: 3, topics: { orders: { replicas: 3 } } }))),
)
cost(
  'stop',
  'ms',
  await median(async () => {
    const cluster = await startCluster()
    return timed(() => cluster.stop())
  }),
)

const cluster = await startCluster()
cost(
  'end of a scope with one topic',
  'ms',
  await median(async () => {
    const scope = cluster.scope()
    await scope.topic('orders').create()
    return timed(() => scope.end())
  }),
)
const topic = await cluster.topic('large').create()
for (let count = 0; count < FORK_RECORDS; count++) await topic.produce('x'.repeat(FORK_RECORD_BYTES))
cost('snapshot of 10 MB', 'ms', await median(() => timed(async () => cluster.snapshot())))
const fork = () => timedStart(() => cluster.fork())
cost('fork of 10 MB, until it serves', 'ms', await median(fork))
for (let count = 0; count < WARM_FORKS; count++) await fork()
cost('fork of 10 MB, when the code is warm', 'ms', await median(fork))
const seeded = cluster.snapshot()
cost('restore of 10 MB', 'ms', await median(() => timed(() => cluster.restore(seeded))))
await cluster.stop()

if (existsSync(BUNDLE)) {
  const program = `const t = performance.now(); await import('./${BUNDLE}'); console.log(performance.now() - t)`
  const importMs = await median(async () =>
    Number(execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })),
  )
  cost('import of the bundle', 'ms', importMs)
}
console.log(JSON.stringify(costs))
