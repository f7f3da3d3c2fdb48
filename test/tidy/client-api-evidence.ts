/** Tests found by reading: which test cases there are, and what each of them names. Leans on the formatter's indentation. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { notOnOracle } from './client-api-reasons.ts'
import { filesUnder, ROOT } from './tree.ts'

export interface TestCase {
  readonly file: string
  readonly title: string
  readonly body: string
}

const START = /^(\s*)(?:it|test)(?:\.\w+)*\(/
const TITLE = /^\s*(?:it|test)(?:\.\w+)*\(\s*(['"])(.*?)\1,|\]\)\(\s*(['"])(.*?)\3,|\w\)\(\s*(['"])(.*?)\5,/s

export function testCases(file: string): TestCase[] {
  const lines = readFileSync(join(ROOT, file), 'utf8').split('\n')
  const cases: TestCase[] = []
  for (let index = 0; index < lines.length; index++) {
    const indent = START.exec(lines[index] ?? '')?.[1]
    if (indent === undefined) continue
    const end = new RegExp(`^${indent}[})]`)
    let last = index
    if (!/\)$/.test(lines[index] ?? '') || /\($/.test(lines[index] ?? '')) {
      last = index + 1
      while (last < lines.length && !end.test(lines[last] ?? '')) last++
    }
    const body = lines.slice(index, last + 1).join('\n')
    const match = TITLE.exec(body)
    const title = match?.[2] ?? match?.[4] ?? match?.[6]
    if (title !== undefined) cases.push({ file, title, body })
    index = last
  }
  return cases
}

let all: Map<string, TestCase[]> | undefined

/** Every test of the client, by file. */
export function clientTests(): Map<string, TestCase[]> {
  if (all === undefined) {
    const files = [...filesUnder('test/e2e'), ...filesUnder('test/unit/client')].filter((path) =>
      path.endsWith('.test.ts'),
    )
    all = new Map(files.map((file) => [file, testCases(file)]))
  }
  return all
}

/** A suite that starts an Apache Kafka of its own, for what kafkito's brokers do not have: TLS and SASL. */
const SECURITY_SUITE = 'test/interop/client-security/suite.ts'

let security: readonly TestCase[] | undefined

/** The cases of the suite, by the name and the text of each. */
export function securityCases(): readonly TestCase[] {
  security ??= readFileSync(join(ROOT, SECURITY_SUITE), 'utf8')
    .split(/^ {2}\{\n {4}name: /m)
    .slice(1)
    .flatMap((body) => {
      const title = /^(['"])(.*)\1,/.exec(body)?.[2]
      return title === undefined ? [] : [{ file: SECURITY_SUITE, title, body }]
    })
  return security
}

export function isEndToEnd({ file }: TestCase): boolean {
  return file.startsWith('test/e2e/')
}

/** One run of the end-to-end suites, or of the suite of security, against Apache Kafka: the titles that passed, and why others were skipped. */
export interface OracleRun {
  readonly date: string
  readonly cluster: string
  readonly command: string
  readonly passed: Readonly<Record<string, readonly string[]>>
}

let runs: readonly OracleRun[] | undefined

export function oracleRuns(): readonly OracleRun[] {
  runs ??= JSON.parse(readFileSync(join(ROOT, 'test/tidy/client-api-runs.json'), 'utf8')) as OracleRun[]
  return runs
}

/** `e2e/producer: title` */
export function testName({ file, title }: Pick<TestCase, 'file' | 'title'>): string {
  return `${file.replace(/^test\//, '').replace(/\.test\.ts$/, '')}: ${title}`
}

/** Why the test did not run against Apache Kafka; undefined when nothing is said about it. */
export function reasonNotOnOracle(test: Pick<TestCase, 'file' | 'title'>): string | undefined {
  const name = testName(test)
  return notOnOracle[name] ?? notOnOracle[name.slice(0, name.indexOf(': '))]
}

/** The number of the latest run in which the test passed; undefined when it passed in none. */
export function oracleRunOf({ file, title }: TestCase): number | undefined {
  if (reasonNotOnOracle({ file, title }) !== undefined) return undefined
  const pattern = new RegExp(
    `^${title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/%[sdifjo]|\\\$\w+/g, '.*')}$`,
  )
  const number = oracleRuns().findLastIndex(
    ({ passed }) => passed[file]?.some((name) => pattern.test(name)) === true,
  )
  return number < 0 ? undefined : number + 1
}
