/**
 * `npm run sim:mutations`: puts one deliberate bug after the other into a copy of the sources, and tells after how many seeds the simulation
 * notices it.
 *
 *     npm run sim:mutations -- [--seeds 50] [--only words] [--client]
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { apply } from './apply.ts'
import { CLIENT_MUTATIONS } from './client-mutations.ts'
import { MUTATIONS, type Mutation } from './mutations.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '50' },
    only: { type: 'string', default: '' },
    client: { type: 'boolean', default: false },
  },
})

const source = join(import.meta.dirname, '../../..')
const root = mkdtempSync(join(tmpdir(), 'kafkito-mutations-'))
let missed = 0
try {
  for (const folder of ['broker', 'client', 'common', 'storage', 'test/sim', 'package.json', 'tsconfig.json'])
    cpSync(join(source, folder), join(root, folder), { recursive: true })
  symlinkSync(join(source, 'node_modules'), join(root, 'node_modules'))
  for (const mutation of values.client ? CLIENT_MUTATIONS : [...MUTATIONS, ...CLIENT_MUTATIONS]) {
    if (!mutation.name.includes(values.only)) continue
    const restore = apply(root, mutation)
    const run = spawnSync(
      process.execPath,
      ['--import', 'tsx', 'test/sim/main.ts', '--seeds', values.seeds, ...flagsOf(mutation)],
      { cwd: root, encoding: 'utf8' },
    )
    restore()
    const [, seed, what] = /^SEED=(\S+) (?:Violation: |Error: )?(.*)$/m.exec(run.stdout) ?? []
    if (seed === undefined) missed += 1
    const verdict = seed === undefined ? 'MISSED' : `seed ${seed}`
    const reason = seed === undefined ? run.stderr.slice(0, 300) : (what as string).split(':')[0]
    console.log(`| ${mutation.name} | ${verdict} | ${reason} |`)
  }
} finally {
  rmSync(root, { recursive: true })
}
console.log(`${missed} missed`)
if (missed > 0) process.exitCode = 1

/** Which simulation is to notice it. */
function flagsOf(mutation: Mutation): string[] {
  return CLIENT_MUTATIONS.includes(mutation) ? ['--client'] : []
}
