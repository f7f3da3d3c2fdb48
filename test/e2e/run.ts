/**
 * The suites of this folder against clusters in processes of their own, one after the other: equal results are what is wanted.
 * Exit code 1 when a test failed anywhere, or was skipped without a reason.
 */
import { parseArgs } from 'node:util'
import type { TargetName } from '../interop/lib/target.ts'
import { differences, nameOf, type Outcome, runSuites, type Where } from './suites.ts'

const HELP = `npm run test:e2e -- [options] [files]

  --target NAME    kafkito (as npm run build made it) or oracle, which is Apache Kafka; repeatable, default both
  --brokers N      so many brokers; repeatable, default 1 and 3
  --port P         of the first broker, default one that is free
  --config K=V     further broker setting; repeatable
  --report FILE    vitest's JSON of the last run, for test/tidy/record-oracle-run.ts
`

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      target: { type: 'string', multiple: true, default: ['kafkito', 'oracle'] },
      brokers: { type: 'string', multiple: true, default: ['1', '3'] },
      port: { type: 'string' },
      config: { type: 'string', multiple: true, default: [] },
      report: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const isTarget = (name: string): name is TargetName => name === 'kafkito' || name === 'oracle'
  const targets = values.target.filter(isTarget)
  if (values.help || targets.length < values.target.length) {
    console.log(HELP)
    return values.help ? 0 : 2
  }
  const runs: [Where, Outcome][] = []
  for (const target of targets) {
    for (const brokers of values.brokers.map(Number)) {
      const where = { target, brokers }
      const outcome = await runSuites(where, {
        config: values.config,
        ...(values.port === undefined ? {} : { port: Number(values.port) }),
        ...(values.report === undefined ? {} : { report: values.report }),
        ...(positionals.length === 0 ? {} : { files: positionals }),
      })
      runs.push([where, outcome])
      console.log(summary(where, outcome))
    }
  }
  const wrong = differences(runs)
  for (const line of wrong) console.log(`FAIL ${line}`)
  const total = runs.reduce((sum, [, { tests }]) => sum + tests.size, 0)
  console.log(`${total - wrong.length} passed, ${wrong.length} failed`)
  return wrong.length > 0 ? 1 : 0
}

function summary(where: Where, { tests, messages, tookMs }: Outcome): string {
  const statuses = [...tests.values()]
  const count = (status: string): number => statuses.filter((one) => one === status).length
  const numbers = `${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`
  return [`${nameOf(where)}: ${numbers} in ${(tookMs / 1000).toFixed(0)} s`, ...messages].join('\n')
}

process.exit(await main())
