/**
 * docs/client-api.md: every item of the documented client API, whether the client has it, and the tests that show it, against
 * kafkito and against Apache Kafka. `npm run docs` writes it, `client-api.test.ts` holds it. A test that a row names stays as long
 * as it still names the item, so that new tests elsewhere change nothing.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { refusedProperties, refusedValues } from '../../client/config/refused-properties.ts'
import { canonicalName, properties } from '../../client/config/table.ts'
import {
  clientTests,
  isEndToEnd,
  oracleRunOf,
  oracleRuns,
  reasonNotOnOracle,
  securityCases,
  type TestCase,
} from './client-api-evidence.ts'
import { type Item, type Section, sections } from './client-api-items.ts'
import { absent, untested } from './client-api-reasons.ts'
import { exported, exportKind, hasStatistic, memberKind } from './client-api-reflection.ts'
import { ROOT } from './tree.ts'

export const PAGE: string = join(ROOT, 'docs/client-api.md')

export interface Row {
  readonly key: string
  readonly implemented: string | undefined
  readonly kafkito: string | undefined
  readonly oracle: string | undefined
  readonly isTestedOnKafkito: boolean
  readonly isTestedOnOracle: boolean
  readonly cells: readonly string[]
}

/** How the item is there, or undefined. */
function implementation(item: Item): string | undefined {
  switch (item.kind) {
    case 'export':
      return exportKind(item.name, item.entry)
    case 'member':
      return memberKind(item.owner ?? '', item.member ?? '', item.entry)
    case 'values': {
      const held = exported(item.owner ?? '', item.entry)
      if (!isDeepStrictEqual(plain(held), item.values)) return undefined
      return typeof held === 'object' ? `${Object.keys(held ?? {}).length} members` : String(held)
    }
    case 'code':
      return exported(`KafkaError.${item.member}`) === item.values ? 'number and name' : undefined
    case 'property':
      return propertyImplementation(item)
    case 'refused property': {
      const instead = refusedProperties[item.name]
      return instead === undefined ? undefined : `use ${instead}`
    }
    case 'refused value': {
      const instead = refusedValues[item.owner ?? '']?.[(item.member ?? '').toLowerCase()]
      return instead === undefined ? undefined : `use ${instead}`
    }
    case 'statistic':
      return hasStatistic(item.member ?? '') ? 'written' : undefined
    case 'behaviour':
      return casesOf(item).length > 0 ? 'behaviour' : undefined
  }
}

function plain(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? { ...value } : value
}

function propertyImplementation({ property }: Item): string | undefined {
  if (property === undefined) return undefined
  const known = properties[property.name]
  if (known === undefined || known.side !== property.side) return undefined
  if (property.aliases?.some((alias) => canonicalName(alias) !== property.name)) return undefined
  if (property.min !== undefined && (known.min > property.min || known.max !== property.max)) return undefined
  const fallback = Array.isArray(known.default) ? known.default.join() : known.default
  if (property.default !== undefined && (fallback || null) !== (property.default || null)) return undefined
  const range = property.min === undefined ? '' : `, ${property.min} … ${property.max}`
  const text = fallback === undefined || fallback === '' ? 'no default' : `default ${fallback}`
  return known.withoutEffect === undefined
    ? `${text}${range}`
    : `${text}${range}; no effect: ${known.withoutEffect}`
}

/** The tests that show the item, those that also passed on Apache Kafka first. */
function casesOf(item: Item): TestCase[] {
  const tests = clientTests()
  if (item.tests !== undefined) {
    return item.tests.flatMap(([file, title]) => {
      const path = `test/${file}.test.ts`
      const found = tests.get(path)?.find((test) => test.title === title)
      return found === undefined ? [] : [found]
    })
  }
  const { mention, files } = item
  if (mention === undefined) return []
  const found = [...tests.values()]
    .flat()
    .filter(({ file }) => files === undefined || files.test(file.replace(/^test\//, '')))
    .filter(({ body }) => mention.test(body))
  return found
    .map((test) => ({ test, rank: rankOf(test) }))
    .sort((one, other) => one.rank - other.rank)
    .map(({ test }) => test)
}

/** Tests that passed on Apache Kafka are best, then those against kafkito. */
function rankOf(test: TestCase): number {
  return isEndToEnd(test) ? (oracleRunOf(test) === undefined ? 1 : 0) : 2
}

/** A case behind TLS or SASL that names the item and passed. */
function securedCaseOf({ mention, securedBy }: Item): TestCase | undefined {
  return securityCases().find(({ title, body, file }) => {
    const isNamed = securedBy === undefined ? mention?.test(body) === true : title === securedBy
    return isNamed && oracleRunOf({ file, title, body }) !== undefined
  })
}

function shown({ file, title }: TestCase): string {
  return `\`${file.replace(/^test\//, '').replace(/(?:\/suite|\.test)\.ts$/, '')}\` ${title.replaceAll('|', '\\|')}`
}

function rowOf(section: Section, item: Item, before: string | undefined): Row {
  const key = `${section.title}/${item.name}`
  const implemented = implementation(item)
  const cases = casesOf(item)
  const kept = cases.find((test) => before?.includes(shown(test)) === true)
  const [first] = cases
  const best = kept !== undefined && first !== undefined && rankOf(kept) === rankOf(first) ? kept : first
  const named = item.tests === undefined ? (best === undefined ? [] : [best]) : cases
  const covering = section.coveredBy === undefined ? [] : casesOf({ ...item, tests: [section.coveredBy] })
  const ownEndToEnd = named.filter(isEndToEnd)
  const endToEnd = ownEndToEnd.length > 0 ? ownEndToEnd : covering.filter(isEndToEnd)
  const local = named.filter((test) => !isEndToEnd(test))
  const withoutBroker = local.length > 0 ? local : covering
  const isTestedOnKafkito = endToEnd.length > 0
  const reason = absent[key] ?? untested[key]
  const kafkito = isTestedOnKafkito
    ? [...endToEnd, ...local].map(shown).join('<br>')
    : withoutBroker.length > 0 && section.withoutBroker !== undefined
      ? `*${section.withoutBroker}*: ${withoutBroker.map(shown).join('<br>')}`
      : reason
  const runs = endToEnd.map(oracleRunOf)
  const isSameOnOracle = isTestedOnKafkito && runs.every((run) => run !== undefined)
  const secured = isTestedOnKafkito ? undefined : securedCaseOf(item)
  const isTestedOnOracle = isSameOnOracle || secured !== undefined
  const oracle = isSameOnOracle
    ? `the same, run ${Math.max(...runs.map((run) => run ?? 0))}`
    : secured !== undefined
      ? `${shown(secured)}, run ${oracleRunOf(secured)}`
      : isTestedOnKafkito
        ? endToEnd.map(reasonNotOnOracle).find((text) => text !== undefined)
        : kafkito === undefined
          ? undefined
          : kafkito === reason
            ? reason
            : `*${section.withoutBroker}*`
  const cells = [`\`${item.name}\``, implemented ?? absent[key], kafkito, oracle].map(
    (cell) => cell ?? '**missing**',
  )
  return { key, implemented, kafkito, oracle, isTestedOnKafkito, isTestedOnOracle, cells }
}

export function rows(page: string = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : ''): Row[] {
  const before = rowsOfPage(page)
  return sections.flatMap((section) =>
    section.items.map((item) => rowOf(section, item, before.get(`${section.title}/${item.name}`))),
  )
}

/** Third cells by key. */
function rowsOfPage(page: string): Map<string, string> {
  const found = new Map<string, string>()
  let title = ''
  for (const line of page.split('\n')) {
    if (line.startsWith('## ')) title = line.slice(3)
    const [, name, , kafkito] = line.split(/(?<!\\)\|/).map((cell) => cell.trim())
    if (name?.startsWith('`') && kafkito !== undefined) found.set(`${title}/${name.slice(1, -1)}`, kafkito)
  }
  return found
}

export function renderedPage(page?: string): string {
  const all = rows(page)
  const byKey = new Map(all.map((row) => [row.key, row]))
  const count = (test: (row: Row) => boolean): number => all.filter(test).length
  const runs = oracleRuns().map(
    ({ date, cluster, command, passed }, index) =>
      `${index + 1}. ${date}, ${cluster}: \`${command}\`, ${Object.values(passed).flat().length} titles passed in ${Object.keys(passed).length} files`,
  )
  const tables = sections.map((section) =>
    [
      `## ${section.title}`,
      '',
      '| Item | In the client | Tested against kafkito | Tested against Apache Kafka |',
      '| --- | --- | --- | --- |',
      ...section.items.map((item) => `| ${byKey.get(`${section.title}/${item.name}`)?.cells.join(' | ')} |`),
      '',
    ].join('\n'),
  )
  return `# Client API

Every item of the documented client API and of what is added to it. Written by \`npm run docs\`, held by a test: what is in the
client is read from its exports, prototypes, declarations and tables, and every test that a cell names is there under that title.
Tests stand below \`test/\`, in files that end in \`.test.ts\`; \`interop/client-security\` is a suite that starts an Apache Kafka behind
TLS and SASL, which kafkito's brokers do not have. What stands in italics is why no broker takes part.

${all.length} items: ${count(({ implemented }) => implemented !== undefined)} in the client, ${count(({ isTestedOnKafkito }) => isTestedOnKafkito)} tested against kafkito, ${count(({ isTestedOnOracle }) => isTestedOnOracle)} against Apache Kafka.

The suites were run against Apache Kafka:

${runs.join('\n')}

${tables.join('\n')}`
}

export function writeClientApiPage(): void {
  writeFileSync(PAGE, renderedPage())
}
