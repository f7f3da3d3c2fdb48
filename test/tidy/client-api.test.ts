import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { clientTests } from './client-api-evidence.ts'
import { sections } from './client-api-items.ts'
import { PAGE, renderedPage, rows } from './client-api-page.ts'
import { absent, notOnOracle, untested } from './client-api-reasons.ts'
import { ROOT } from './tree.ts'

describe('the list of the client API', () => {
  const all = rows()

  it('has every item in the client, or a reason', () => {
    const missing = all.filter(
      ({ implemented, key }) => implemented === undefined && absent[key] === undefined,
    )
    expect(missing.map(({ key }) => key)).toEqual([])
  })

  it('has no reason for what is there, and none for what is not listed', () => {
    const byKey = new Map(all.map((row) => [row.key, row]))
    const wrong = Object.keys(absent).filter((key) => byKey.get(key)?.implemented !== undefined)
    const unknown = [...Object.keys(absent), ...Object.keys(untested)].filter((key) => !byKey.has(key))
    expect({ wrong, unknown }).toEqual({ wrong: [], unknown: [] })
  })

  it('names tests that exist', () => {
    const tests = clientTests()
    const named = sections.flatMap(({ items, coveredBy }) => [
      ...items.flatMap((item) => item.tests ?? []),
      ...(coveredBy === undefined ? [] : [coveredBy]),
    ])
    const gone = named.filter(
      ([file, title]) => tests.get(`test/${file}.test.ts`)?.some((test) => test.title === title) !== true,
    )
    expect(gone.map((name) => name.join(': '))).toEqual([])
    const files = Object.keys(notOnOracle).map((name) => `test/${name.split(': ')[0]}.test.ts`)
    expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([])
  })

  it('has a test or a reason in every cell', () => {
    const empty = all.filter(({ kafkito, oracle }) => kafkito === undefined || oracle === undefined)
    expect(empty.map(({ key, kafkito }) => `${key}: ${kafkito ?? 'no test'}`)).toEqual([])
  })

  it('is the page of the documentation (npm run docs)', () => {
    const page = readFileSync(PAGE, 'utf8')
    expect(page).toBe(renderedPage(page))
  })
})
