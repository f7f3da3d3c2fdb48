/**
 * Runs the suites of the foreign clients against one cluster and counts what passed.
 *
 * A family is a folder with a suite in its client's own language. `families.ts` says how each is installed and started,
 * `cases.ts` what it prints. Without --bootstrap the runner starts a cluster in a temporary directory and stops it.
 */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { families, folder } from './lib/families.ts'
import { runLines } from './lib/program.ts'
import { startTarget, type Target } from './lib/target.ts'
import { makeLines } from './lib/text.ts'

const HELP = `test/interop/run.sh [options] [-- options of the server]

  --only FAMILY       run this family only (may be repeated): ${families.map((one) => one.name).join(', ')}
  --match TEXT        run only the cases whose sentence contains TEXT
  --list              print the cases and run none
  --bootstrap H:P     judge the cluster that listens there
  --target NAME       start kafkito (default) or oracle, which is Apache Kafka
  --brokers N         so many brokers (default 1)
  --faults N          of the family chaos: so many faults (default 10; 50 is the long form)
  --seed N            of the family chaos: which faults (default 1)
  --long              of the family old-brokers: every version and every suite
`

const SUITE_DEADLINE_MS = 600_000
/** Of the long form. */
const LONG_SUITE_DEADLINE_MS = 2_400_000

/** Each known failure is a line "family: sentence # reason" of allow.txt; the reason is mandatory. */
async function readAllowed(): Promise<Map<string, string>> {
  const allowed = new Map<string, string>()
  for (const line of (await readFile(join(folder, 'allow.txt'), 'utf8')).split('\n')) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const [name, reason] = line.split(' # ')
    if (name === undefined || reason === undefined || reason.trim() === '') {
      throw new Error(`allow.txt: no reason in "${line}"`)
    }
    allowed.set(name.trim(), reason.trim())
  }
  return allowed
}

class Tally {
  passed = 0
  failed = 0
  known = 0
  readonly #allowed: ReadonlyMap<string, string>

  constructor(allowed: ReadonlyMap<string, string>) {
    this.#allowed = allowed
  }

  add(family: string, sentence: string, isPassed: boolean): void {
    const name = `${family}: ${sentence}`
    const reason = this.#allowed.get(name)
    if (reason === undefined) {
      if (isPassed) this.passed++
      else this.failed++
      console.log(`${isPassed ? 'ok' : 'FAIL'} ${name}`)
    } else if (isPassed) {
      this.failed++
      console.log(`FAIL ${name}\n    it passes: take it out of allow.txt (${reason})`)
    } else {
      this.known++
      console.log(`known ${name}\n    ${reason}`)
    }
  }
}

async function runFamily(
  family: (typeof families)[number],
  env: NodeJS.ProcessEnv,
  timeoutMs: number,
  tally: Tally,
): Promise<void> {
  let planned = -1
  let seen = 0
  let stderr = ''
  try {
    const { command, args } = await family.prepare()
    const code = await runLines(command, args, {
      env,
      timeoutMs,
      onLine(line) {
        const [, word, sentence] = /^(plan|ok|FAIL) (.*)$/.exec(line) ?? []
        if (word === 'plan') planned = Number(sentence)
        else if (word !== undefined && sentence !== undefined) {
          seen++
          tally.add(family.name, sentence, word === 'ok')
        } else console.log(line)
      },
      onErrorLine(line) {
        stderr = `${stderr}    ${line}\n`.slice(-3000)
      },
    })
    if (planned === seen && (code === 0 || code === 1)) return
    stderr += `    ended with ${code} after ${seen} of ${planned} cases`
  } catch (error) {
    stderr += `    ${error instanceof Error ? error.message : String(error)}`
  }
  tally.add(family.name, 'the suite runs to its end', false)
  console.log(stderr)
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      only: { type: 'string', multiple: true, default: [] },
      match: { type: 'string', default: '' },
      list: { type: 'boolean', default: false },
      bootstrap: { type: 'string' },
      target: { type: 'string', default: 'kafkito' },
      brokers: { type: 'string', default: '1' },
      faults: { type: 'string', default: '' },
      seed: { type: 'string', default: '' },
      long: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const unknown = values.only.find((name) => !families.some((one) => one.name === name))
  if (values.help || unknown !== undefined || !['kafkito', 'oracle'].includes(values.target)) {
    console.log(unknown === undefined ? HELP : `no family ${unknown}\n\n${HELP}`)
    return values.help ? 0 : 2
  }
  const chosen = families.filter((one) => values.only.length === 0 || values.only.includes(one.name))
  if (values.list) {
    for (const family of chosen) {
      const { command, args } = await family.prepare()
      await runLines(command, [...args, '--list'], {
        env: { ...process.env, MATCH: values.match, OLD_BROKERS: values.long ? 'all' : '' },
        timeoutMs: SUITE_DEADLINE_MS,
        onLine: (line) => console.log(`${family.name}: ${line}`),
      })
    }
    return 0
  }
  const tally = new Tally(values.target === 'oracle' ? new Map() : await readAllowed())
  const directory = await mkdtemp(join(tmpdir(), 'interop-'))
  let target: Target | undefined
  try {
    const linesFile = join(directory, 'lines.txt')
    await writeFile(linesFile, `${makeLines().join('\n')}\n`)
    const brokers = Number(values.brokers)
    if (values.bootstrap === undefined) {
      target = await startTarget(values.target === 'oracle' ? 'oracle' : 'kafkito', {
        brokers,
        directory: join(directory, 'data'),
        // Half a minute after its start a broker looks for records as old as some that the cases write, and deletes them.
        extra: ['--config', 'log.initial.task.delay.ms=3600000', ...positionals],
      })
    }
    const env = {
      ...process.env,
      BOOTSTRAP: target?.bootstrap ?? values.bootstrap ?? '',
      LINES_FILE: linesFile,
      REPLICATION: String(Math.min(brokers, 3)),
      MATCH: values.match,
      TARGET: values.target,
      CHAOS_FAULTS: values.faults,
      CHAOS_SEED: values.seed,
      OLD_BROKERS: values.long ? 'all' : '',
    }
    for (const family of chosen) {
      const startedMs = Date.now()
      await runFamily(family, env, values.long ? LONG_SUITE_DEADLINE_MS : SUITE_DEADLINE_MS, tally)
      console.log(`   ${family.name} took ${((Date.now() - startedMs) / 1000).toFixed(1)} s`)
    }
  } finally {
    await target?.stop()
    await rm(directory, { recursive: true, force: true })
  }
  if (tally.known > 0) console.log(`${tally.known} known to fail, see allow.txt`)
  console.log(`${tally.passed} passed, ${tally.failed} failed`)
  return tally.failed > 0 ? 1 : 0
}

process.exit(await main())
