/**
 * `npm run sim`: simulates a cluster and a metadata quorum a seed, or with `--client` the bundled client against such a cluster, until the seeds
 * are through or one fails.
 *
 *     npm run sim -- --seeds 200 [--first 1000] [--ms 20000]
 *     npm run sim -- --client --seeds 200 [--wide]
 *     npm run sim -- --seed 1234 --trace
 */
import { parseArgs } from 'node:util'
import { simulateClient } from './bundled-client/simulation.ts'
import { simulateQuorum } from './raft-simulation.ts'
import { simulate } from './simulation.ts'

const VOTERS = 3

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '50' },
    first: { type: 'string', default: '1' },
    seed: { type: 'string' },
    ms: { type: 'string' },
    trace: { type: 'boolean', default: false },
    client: { type: 'boolean', default: false },
    wide: { type: 'boolean', default: false },
    'keep-going': { type: 'boolean', default: false },
  },
})

async function main(): Promise<void> {
  const first = Number(values.first)
  const seeds =
    values.seed === undefined
      ? Array.from({ length: Number(values.seeds) }, (_, index) => String(first + index))
      : [values.seed]
  const print = values.trace ? (line: string): boolean => process.stdout.write(line) : undefined
  const startMs = performance.now()
  const total = { events: 0, turns: 0, simulatedMs: 0, acknowledged: 0, read: 0 }
  const harm: Record<string, number> = {}
  let failed = 0
  for (const seed of seeds) {
    try {
      // Quick, so first.
      if (!values.client) simulateQuorum(seed, VOTERS)
      const result = await (values.client ? simulateClient : simulate)({
        seed,
        print,
        isWide: values.wide,
        ...(values.ms === undefined ? {} : { harmMs: Number(values.ms) }),
      })
      for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += result[name]
      for (const [kind, count] of Object.entries(result.harm)) harm[kind] = (harm[kind] ?? 0) + (count ?? 0)
      if (values.seed !== undefined) console.log(`digest ${result.digest}`)
    } catch (error) {
      failed += 1
      console.log(
        `SEED=${seed} ${error instanceof Error ? (values['keep-going'] && error.name === 'Violation' ? error.message : error.stack) : error}`,
      )
      if (!values['keep-going']) break
    }
  }
  const seconds = (performance.now() - startMs) / 1000
  const count = seeds.length
  console.log(
    `${count} seeds, ${failed} failed, ${seconds.toFixed(1)} s (${(count / seconds).toFixed(1)} a second): ` +
      Object.entries(total)
        .map(([name, value]) => `${Math.round(value)} ${name}`)
        .join(', '),
  )
  console.log(JSON.stringify(harm))
  if (failed > 0) process.exitCode = 1
}

await main()
