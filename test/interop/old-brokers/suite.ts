/**
 * kafkito's own client against brokers of older Apache Kafka, by the suites of test/e2e. A case is a file of tests on one version; tests that
 * need what its ApiVersions do not offer are left out and listed with what they need. The cluster of the runner is left alone.
 * OLD_BROKERS=all takes every version and every suite.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Outcome, ownClusters, reasonToSkip, runSuitesAgainst } from '../../e2e/suites.ts'
import { oldBrokerJars, root } from '../lib/families.ts'
import { startOldBroker } from './broker.ts'
import { checkRefusals } from './refusals.ts'
import { type OldVersion, shortSuites, suitesOfToday, versions } from './versions.ts'

const ENDING = '.test.ts'
const match = process.env.MATCH ?? ''
const isLong = process.env.OLD_BROKERS === 'all'

const allSuites = (await readdir(join(root, 'test/e2e')))
  .filter((name) => name.endsWith(ENDING))
  .map((name) => name.slice(0, -ENDING.length))
  .filter((name) => !ownClusters.includes(name) && !suitesOfToday.includes(name))
  .sort()

const suiteSentence = ({ kafka }: OldVersion, suite: string): string =>
  `Kafka ${kafka}: the tests of ${suite}`
const refusalSentence = ({ kafka }: OldVersion): string =>
  `Kafka ${kafka}: what it lacks is refused at once and by name`

const plans = versions
  .filter(({ isLongOnly }) => isLong || isLongOnly !== true)
  .map((version) => ({
    version,
    suites: (isLong ? allSuites : shortSuites).filter((suite) =>
      suiteSentence(version, suite).includes(match),
    ),
    hasRefusals: refusalSentence(version).includes(match),
  }))

function report(sentence: string, problems: readonly string[]): boolean {
  console.log(`${problems.length === 0 ? 'ok' : 'FAIL'} ${sentence}`)
  for (const line of problems.join('\n').split('\n')) if (line !== '') console.log(`    ${line}`)
  return problems.length === 0
}

/** Failures, and skips that neither the broker's versions nor its being one alone explain. */
function problemsOf(suite: string, { tests, needs, messages }: Outcome): string[] {
  const file = `test/e2e/${suite}${ENDING}`
  const own = [...tests].filter(([test]) => test.startsWith(file))
  const isExplained = (test: string): boolean =>
    needs.has(test) || reasonToSkip(test, { target: 'oracle', brokers: 1 }) !== undefined
  return [
    ...(own.length === 0 ? ['no test was found'] : []),
    ...own
      .filter(([test, status]) => status === 'skipped' && !isExplained(test))
      .map(([test]) => `skipped: ${test}`),
    ...messages.filter((message) => message.startsWith(file)),
  ]
}

function printNeeds(version: OldVersion, { needs }: Outcome): void {
  const counts = new Map<string, number>()
  for (const need of needs.values()) counts.set(need, (counts.get(need) ?? 0) + 1)
  const text = [...counts].map(([need, count]) => `${need} (${count})`).sort()
  if (text.length > 0) console.log(`   Kafka ${version.kafka}: tests left out for ${text.join(', ')}`)
}

async function run({ version, suites, hasRefusals }: (typeof plans)[number]): Promise<boolean> {
  const jars = await oldBrokerJars(version.kafka, version.scala, version.zookeeper)
  const directory = await mkdtemp(join(tmpdir(), 'interop-old-broker-'))
  const broker = await startOldBroker(version, jars, directory)
  try {
    const results: boolean[] = []
    if (hasRefusals) {
      const problems = await checkRefusals(broker.bootstrap).then(
        () => [],
        (error: Error) => [error.message],
      )
      results.push(report(refusalSentence(version), problems))
    }
    if (suites.length > 0) {
      const files = suites.map((suite) => `test/e2e/${suite}${ENDING}`)
      const outcome = await runSuitesAgainst(broker.bootstrap, { files })
      for (const suite of suites)
        results.push(report(suiteSentence(version, suite), problemsOf(suite, outcome)))
      printNeeds(version, outcome)
    }
    return !results.includes(false)
  } finally {
    await broker.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

if (process.argv.includes('--list')) {
  for (const { version, suites, hasRefusals } of plans) {
    if (hasRefusals) console.log(refusalSentence(version))
    for (const suite of suites) console.log(suiteSentence(version, suite))
  }
  process.exit(0)
}
console.log(
  `plan ${plans.reduce((sum, { suites, hasRefusals }) => sum + suites.length + Number(hasRefusals), 0)}`,
)
let isPassed = true
for (const plan of plans)
  if (plan.suites.length > 0 || plan.hasRefusals) isPassed = (await run(plan)) && isPassed
process.exit(isPassed ? 0 : 1)
