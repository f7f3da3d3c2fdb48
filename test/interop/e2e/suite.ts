/**
 * kafkito's own client, by the suites of test/e2e: against three kafkito brokers and against Apache Kafka, each in processes of its own. A case
 * is a file of tests on one of the clusters. The cluster of the runner is left alone.
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { differences, nameOf, type Outcome, ownClusters, runSuites, type Where } from '../../e2e/suites.ts'
import { root } from '../lib/families.ts'

const clusters: readonly Where[] = [
  { target: 'kafkito', brokers: 3 },
  { target: 'oracle', brokers: 1 },
]

const ENDING = '.test.ts'
const match = process.env.MATCH ?? ''
const suites = (await readdir(join(root, 'test/e2e')))
  .filter((name) => name.endsWith(ENDING))
  .map((name) => name.slice(0, -ENDING.length))
  .filter((name) => !ownClusters.includes(name))
  .sort()

const sentence = (where: Where, suite: string): string => `${nameOf(where)}: the tests of ${suite}`
const cases = clusters.map((where) => ({
  where,
  chosen: suites.filter((suite) => sentence(where, suite).includes(match)),
}))

function print(where: Where, suite: string, outcome: Outcome): boolean {
  const file = `test/e2e/${suite}${ENDING}: `
  const wrong = differences([[where, outcome]]).filter((line) => line.includes(file))
  const ran = [...outcome.tests].filter(
    ([test, status]) => test.startsWith(file) && status !== 'skipped',
  ).length
  const isPassed = wrong.length === 0 && ran > 0
  console.log(`${isPassed ? 'ok' : 'FAIL'} ${sentence(where, suite)}`)
  const messages = outcome.messages.filter((message) => message.startsWith(`test/e2e/${suite}${ENDING}`))
  if (!isPassed) for (const line of [...wrong, ...messages].join('\n').split('\n')) console.log(`    ${line}`)
  return isPassed
}

if (process.argv.includes('--list')) {
  for (const { where, chosen } of cases) for (const suite of chosen) console.log(sentence(where, suite))
  process.exit(0)
}
console.log(`plan ${cases.reduce((sum, { chosen }) => sum + chosen.length, 0)}`)
let failed = 0
for (const { where, chosen } of cases) {
  if (chosen.length === 0) continue
  const files = chosen.map((suite) => `test/e2e/${suite}${ENDING}`)
  const outcome = await runSuites(where, { files })
  for (const suite of chosen) if (!print(where, suite, outcome)) failed++
}
process.exit(failed > 0 ? 1 : 0)
