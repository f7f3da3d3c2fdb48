import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ineffectiveKeys } from '../../../../broker/config/reference.ts'
import { describedNameError } from '../../../../broker/config/resource-names.ts'

const INVALID_REQUEST = 42
const recorded = readFileSync(new URL('./facts/session-default.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map(
    (line) =>
      JSON.parse(line) as {
        api: string
        type: number
        name: string
        errorCode?: number
        errorMessage?: string
      },
  )
  .filter(({ api, errorCode }) => api === 'describe' && (errorCode === 0 || errorCode === INVALID_REQUEST))

test.each(recorded)("describing the resource $type '$name' is refused as Kafka refuses it", (step) => {
  expect(describedNameError(step.type, step.name, 1)).toBe(step.errorCode === 0 ? null : step.errorMessage)
})

test('keys without effect are listed with their reasons', () => {
  const keys = ineffectiveKeys()
  expect(keys.find(({ name }) => name === 'num.io.threads')?.reason).toContain('event loop')
  expect(keys.find(({ name }) => name === 'retention.ms')).toBeUndefined()
})
