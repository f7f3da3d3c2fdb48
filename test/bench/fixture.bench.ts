/**
 * What the fixture costs, beside its budget: `npx tsx test/bench/fixture.bench.ts`. The import is that of the built bundle, so build first.
 * A fork copies no records and reads hardly any, but it starts a broker.
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { startCluster } from '../../broker/index.ts'

const ROUNDS = 20

async function median(run: () => Promise<number>): Promise<number> {
  const figures: number[] = []
  for (let round = 0; round < ROUNDS; round++) figures.push(await run())
  return figures.sort((left, right) => left - right)[ROUNDS / 2] as number
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now()
  await run()
  return performance.now() - startMs
}

function say(what: string, figure: number, unit: string, budget: number): void {
  const verdict = figure <= budget ? 'ok' : 'over'
  console.log(
    `${what.padEnd(34)} ${figure.toFixed(1).padStart(8)} ${unit}  budget ${budget} ${unit}  ${verdict}`,
  )
}

await (await startCluster()).stop()
const before = process.memoryUsage.rss()
const kept = await startCluster()
const rssMb = (process.memoryUsage.rss() - before) / 2 ** 20
await kept.stop()

const stops: number[] = []
const oneMs = await median(async () => {
  let cluster = undefined as Awaited<ReturnType<typeof startCluster>> | undefined
  const tookMs = await timed(async () => {
    cluster = await startCluster()
  })
  stops.push(await timed(async () => cluster?.stop()))
  return tookMs
})
say('start of one broker', oneMs, 'ms', 25)
say('stop', stops.sort((left, right) => left - right)[ROUNDS / 2] as number, 'ms', 20)
say(
  'three brokers, a topic replicated',
  await median(async () => {
    let cluster = undefined as Awaited<ReturnType<typeof startCluster>> | undefined
    const tookMs = await timed(async () => {
      cluster = await startCluster({ brokers: 3, topics: { orders: { replicas: 3 } } })
    })
    await cluster?.stop()
    return tookMs
  }),
  'ms',
  50,
)

const cluster = await startCluster()
say(
  'end of a scope with one topic',
  await median(async () => {
    const scope = cluster.scope()
    await scope.topic('orders').create()
    return timed(() => scope.end())
  }),
  'ms',
  2,
)
const topic = await cluster.topic('large').create()
const value = 'x'.repeat(100_000)
for (let count = 0; count < 100; count++) await topic.produce(value)
say('snapshot of 10 MB', await median(() => timed(async () => cluster.snapshot())), 'ms', 5)
say(
  'fork of 10 MB, until it serves',
  await median(async () => {
    let fork = undefined as Awaited<ReturnType<typeof cluster.fork>> | undefined
    const tookMs = await timed(async () => {
      fork = await cluster.fork()
    })
    await fork?.stop()
    return tookMs
  }),
  'ms',
  5,
)
const seeded = cluster.snapshot()
say('restore of 10 MB', await median(() => timed(() => cluster.restore(seeded))), 'ms', 30)
await cluster.stop()
say('resident memory of a cluster', rssMb, 'MB', 20)

if (existsSync('dist/index.js')) {
  const program =
    "const t = performance.now(); await import('./dist/index.js'); console.log(performance.now() - t)"
  const importMs = await median(async () =>
    Number(execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })),
  )
  say('import of the bundle', importMs, 'ms', 60)
}
