/**
 * Writes down a run of the end-to-end suites against Apache Kafka, in which `npm run docs` finds what was tested there:
 * BOOTSTRAP=host:port npx vitest run test/e2e --reporter=json --outputFile=run.json
 * node --import tsx test/tidy/record-oracle-run.ts run.json 'Apache Kafka 4.4.0, one broker'
 * A run of the same cluster and day adds to the one before. The lines that `test/interop/client-security/suite.ts` prints, in a file
 * that ends in .txt, are a run as well.
 */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { type OracleRun, oracleRuns } from './client-api-evidence.ts'
import { ROOT } from './tree.ts'

interface Report {
  readonly startTime: number
  readonly testResults: readonly {
    readonly name: string
    readonly assertionResults: readonly { readonly title: string; readonly status: string }[]
  }[]
}

const [path = '', cluster = ''] = process.argv.slice(2)
const report = path.endsWith('.txt')
  ? printedReport(path)
  : (JSON.parse(readFileSync(path, 'utf8')) as Report)
const date = new Date(report.startTime).toISOString().slice(0, 10)
const earlier = oracleRuns()
const same = earlier.find((run) => run.cluster === cluster && run.date === date)
const passed: Record<string, readonly string[]> = { ...same?.passed }
for (const { name, assertionResults } of report.testResults) {
  const file = relative(ROOT, name).replaceAll('\\', '/')
  // A test in a describe.each passed when it passed every time.
  const isBad = new Set(
    assertionResults.filter(({ status }) => status === 'failed').map(({ title }) => title),
  )
  const titles = assertionResults
    .filter(({ status, title }) => status === 'passed' && !isBad.has(title))
    .map(({ title }) => title)
  const all = [...new Set([...(passed[file] ?? []).filter((title) => !isBad.has(title)), ...titles])]
  if (all.length > 0) passed[file] = all
}
const command = path.endsWith('.txt')
  ? 'npm run test:interop -- --only client-security'
  : 'BOOTSTRAP=host:port npx vitest run test/e2e'
const run: OracleRun = { date, cluster, command, passed }
const runs = same === undefined ? [...earlier, run] : earlier.map((entry) => (entry === same ? run : entry))
writeFileSync(join(ROOT, 'test/tidy/client-api-runs.json'), `${JSON.stringify(runs, undefined, 2)}\n`)

/** The report of a suite that prints `ok` and a sentence for each case that passed. */
function printedReport(file: string): Report {
  const lines = readFileSync(file, 'utf8').split('\n')
  const titles = lines.filter((line) => line.startsWith('ok ')).map((line) => line.slice('ok '.length))
  return {
    startTime: statSync(file).mtimeMs,
    testResults: [
      {
        name: join(ROOT, 'test/interop/client-security/suite.ts'),
        assertionResults: titles.map((title) => ({ title, status: 'passed' })),
      },
    ],
  }
}
