import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ROOT } from './tree.ts'

interface Row {
  readonly what: string
  readonly evidence: readonly string[]
}

function rows(page: string): Row[] {
  return page
    .split('\n')
    .map((line) => /^\| (.*?) +\| (.*?) +\|$/.exec(line))
    .filter((found) => found !== null)
    .map(([, what = '', cell = '']) => ({ what, evidence: cell.split('<br>') }))
    .filter(({ what }) => what !== 'Fault' && what !== 'Detail' && !/^-+$/.test(what))
}

/** `scenario: step` of every recorded answer, without the version. */
function recordedSteps(): Set<string> {
  const folder = join(ROOT, 'test/differential/answers')
  const lines = readdirSync(folder).flatMap((file) =>
    readFileSync(join(folder, file), 'utf8').trimEnd().split('\n'),
  )
  return new Set(
    lines.map((line) => {
      const { scenario, step } = JSON.parse(line) as { scenario: string; step: string }
      return `${scenario}: ${step.replace(/ \[\w+ v\d+\].*$/, '')}`
    }),
  )
}

describe('the list of what others get wrong', () => {
  const all = rows(readFileSync(join(ROOT, 'docs/peers.md'), 'utf8'))

  it('names tests and recorded answers that exist', () => {
    const steps = recordedSteps()
    const gone = all
      .flatMap(({ evidence }) => evidence)
      .filter((one) => {
        const [, where = '', title = ''] = /^`([^`]+)` (.+)$/.exec(one) ?? []
        if (where === '') return false
        if (where === 'differential') return !steps.has(title)
        if (!existsSync(join(ROOT, where))) return true
        const text = readFileSync(join(ROOT, where), 'utf8')
        return !text.includes(`'${title}'`) && !text.includes(`"${title}"`)
      })
    expect(gone).toEqual([])
  })

  it('has a test in every row', () => {
    expect(all.length).toBeGreaterThan(80)
    expect(all.filter(({ evidence }) => !evidence.some((one) => one.startsWith('`')))).toEqual([])
  })
})
