import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { renderedPage } from './deviations-page.ts'
import { ROOT } from './tree.ts'

it('the page of deviations lists what the code does not do (npm run docs)', () => {
  const page = readFileSync(join(ROOT, 'docs/deviations.md'), 'utf8')
  expect(page).toBe(renderedPage(page))
})
