/**
 * One family's suite as a list of named cases, and the lines that a suite of any language prints for the runner:
 *
 *     plan N            how many cases follow
 *     ok SENTENCE       one line per case, in the order they end
 *     FAIL SENTENCE     followed by indented lines with the reason
 *
 * Every suite reads the same environment: BOOTSTRAP (host:port), LINES_FILE (the text that goes through the broker),
 * REPLICATION (of the topics it makes) and MATCH (run only cases whose sentence contains it).
 */

export interface Case {
  readonly name: string
  readonly run: () => Promise<void>
}

const CASE_DEADLINE_MS = 120_000

export class Failure extends Error {}

export function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Failure(message)
}

export function checkEqual(actual: unknown, expected: unknown, what: string): void {
  const actualText = JSON.stringify(actual)
  const expectedText = JSON.stringify(expected)
  check(actualText === expectedText, `${what}: expected ${expectedText}, got ${actualText}`)
}

/** Asks until the answer is right: a broker hears of a change a moment after the controller made it. */
export async function checkEventually(
  read: () => Promise<unknown>,
  expected: unknown,
  what: string,
  timeoutMs = 30_000,
): Promise<void> {
  const deadlineMs = Date.now() + timeoutMs
  for (;;) {
    const actual = await read()
    if (JSON.stringify(actual) === JSON.stringify(expected)) return
    if (Date.now() > deadlineMs) checkEqual(actual, expected, what)
  }
}

/** Rejects when the promise has not settled within the deadline; the sentence says what was waited for. */
export async function within<T>(
  promise: Promise<T>,
  what: string | (() => string),
  timeoutMs = CASE_DEADLINE_MS,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const missing = typeof what === 'string' ? what : what()
      reject(new Failure(`no ${missing} within ${timeoutMs / 1000} s`))
    }, timeoutMs)
  })
  try {
    return await Promise.race([promise, deadline])
  } finally {
    clearTimeout(timer)
  }
}

/** A name that no other run or case uses, for topics, groups and transactional ids. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${process.pid.toString(36)}-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`
}

export function environment(name: string): string {
  const value = process.env[name]
  if (value === undefined || value === '')
    throw new Error(`${name} is not set: start the suite through run.sh`)
  return value
}

/**
 * The whole program of a suite: lists the cases or runs them, `parallel` at a time, and exits.
 * @param after stops what the cases share
 */
export async function main(
  cases: readonly Case[],
  parallel = 1,
  after?: () => Promise<unknown>,
): Promise<never> {
  const match = process.env.MATCH ?? ''
  const chosen = cases.filter((one) => one.name.includes(match))
  if (process.argv.includes('--list')) {
    for (const one of chosen) console.log(one.name)
    process.exit(0)
  }
  console.log(`plan ${chosen.length}`)
  const waiting = [...chosen]
  let failed = 0
  const work = async (): Promise<void> => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
      try {
        await within(one.run(), 'end of the case')
        console.log(`ok ${one.name}`)
      } catch (error) {
        failed++
        console.log(`FAIL ${one.name}\n${indent(error)}`)
      }
    }
  }
  await Promise.all(Array.from({ length: parallel }, work))
  await after?.()
  process.exit(failed > 0 ? 1 : 0)
}

function indent(error: unknown): string {
  const text = error instanceof Failure ? error.message : error instanceof Error ? error.stack : String(error)
  return (text ?? '')
    .slice(0, 4000)
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n')
}
