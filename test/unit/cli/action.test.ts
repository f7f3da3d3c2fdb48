/**
 * The step of the GitHub action as a runner runs it: its script, in a copy of the folder in which the command runs from the sources.
 */
import { spawn } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startCluster } from '../../../broker/index.ts'
import { ROOT } from '../../tidy/tree.ts'

const action = readFileSync(join(ROOT, 'action.yml'), 'utf8')
let directory: string
let server: number | undefined

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kafkito-action-'))
  for (const folder of ['.ci', 'dist', 'seed/records'])
    mkdirSync(join(directory, folder), { recursive: true })
  copyFileSync(join(ROOT, '.ci/start-for-job.sh'), join(directory, '.ci/start-for-job.sh'))
  const main = pathToFileURL(join(ROOT, 'cli/main.ts')).href
  writeFileSync(join(directory, 'dist/cli.cjs'), `import(${JSON.stringify(main)})\n`)
})

afterEach(() => {
  if (server !== undefined) process.kill(server, 'SIGKILL')
  server = undefined
  rmSync(directory, { recursive: true, force: true })
})

/** Runs the step. @returns its exit code, what it said, and its outputs */
async function step(variables: Readonly<Record<string, string>>) {
  const loader = pathToFileURL(join(ROOT, 'node_modules/tsx/dist/loader.mjs')).href
  const output = join(directory, 'output')
  const child = spawn('bash', [join(directory, '.ci/start-for-job.sh')], {
    cwd: directory,
    env: {
      PATH: process.env.PATH,
      NODE_OPTIONS: `--import ${loader}`,
      RUNNER_TEMP: directory,
      GITHUB_OUTPUT: output,
      KAFKITO_PORT: '0',
      ...variables,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let error = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    error += text
  })
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  const lines = existsSync(output) ? readFileSync(output, 'utf8').trim().split('\n') : []
  const outputs = new Map(
    lines.map((line): [string, string] => {
      const at = line.indexOf('=')
      return [line.slice(0, at), line.slice(at + 1)]
    }),
  )
  if (outputs.has('pid')) server = Number(outputs.get('pid'))
  return { code, error, outputs }
}

describe('the GitHub action', () => {
  it('leaves a cluster with its seed to the steps that follow, and tells them where it is', async () => {
    writeFileSync(join(directory, 'seed/records/orders.jsonl'), '{"value":"one"}\n')
    const { code, error, outputs } = await step({
      KAFKITO_BROKERS: '2',
      KAFKITO_PROFILE: 'test',
      SEED_DIR: 'seed',
    })
    expect([code, error]).toEqual([0, ''])
    const declared = [...action.matchAll(/steps\.start\.outputs\.([a-z-]+)/g)].map(([, name]) => name)
    expect([...outputs.keys()].sort()).toEqual(declared.sort())
    expect(outputs.get('bootstrap-servers')?.split(',')).toHaveLength(2)
    expect((await fetch(`${outputs.get('http-url')}/health/ready`)).status).toBe(200)
    await using cluster = await startCluster({ bootstrapServers: outputs.get('bootstrap-servers') ?? '' })
    expect((await cluster.topic('orders').records()).map(({ value }) => value)).toEqual(['one'])
  }, 120_000)

  it('fails with the words of the command when it does not start', async () => {
    const { code, error, outputs } = await step({ SEED_DIR: 'nowhere' })
    expect([code, outputs.size]).toEqual([1, 0])
    expect(error).toContain('The seed nowhere cannot be read')
  }, 120_000)
})
