/**
 * The command as a user runs it: a process, what it prints, and how it ends. It runs from the sources, so no build is needed.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startCluster } from '../../../../broker/index.ts'
import { Fetch } from '../../../../common/protocol/apis/01-fetch.ts'
import { FindCoordinator } from '../../../../common/protocol/apis/10-find-coordinator.ts'
import { ConsumerGroupHeartbeat } from '../../../../common/protocol/apis/68-consumer-group-heartbeat.ts'
import { rawClient } from '../../../support/raw-client.ts'
import { ROOT } from '../../../tidy/tree.ts'

let directory: string
const children = new Set<ChildProcess>()

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kafkito-start-'))
})

afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  children.clear()
  rmSync(directory, { recursive: true, force: true })
})

interface Server {
  readonly ready: Promise<string>
  readonly ended: Promise<{ code: number | null; out: string; error: string }>
  kill(signal: NodeJS.Signals): void
}

function kafkito(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Server {
  const tsx = join(ROOT, 'node_modules/tsx/dist/loader.mjs')
  const child = spawn(process.execPath, ['--import', tsx, join(ROOT, 'cli/main.ts'), ...args], {
    cwd: directory,
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.add(child)
  let out = ''
  let error = ''
  const ended = new Promise<{ code: number | null; out: string; error: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, out, error }))
  })
  const ready = new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
      const line = /^READY .*$/m.exec(out)?.[0]
      if (line !== undefined && out.includes(`${line}\n`)) resolve(line)
    })
    void ended.then(({ code }) => reject(new Error(`ended with ${code}: ${error}`)))
  })
  ready.catch(() => undefined)
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    error += text
  })
  return { ready, ended, kill: (signal) => child.kill(signal) }
}

/** Less than the session of a member, 45 s. */
const TIMEOUT_MS = 30_000
const FREE = ['--port', '0', '--http-port', '0']

describe('kafkito start', () => {
  it('prints one READY line, serves until SIGTERM and ends with 0', async () => {
    const server = kafkito(['start', '--memory', ...FREE])
    const line = await server.ready
    const fields =
      /^READY bootstrap=127\.0\.0\.1:\d+ http=(http:\/\/127\.0\.0\.1:\d+) profile=kafka data=memory$/.exec(
        line,
      )
    expect(fields).not.toBeNull()
    expect(await (await fetch(`${fields?.[1]}/health/ready`)).json()).toMatchObject({ status: 'ready' })
    server.kill('SIGTERM')
    expect(await server.ended).toEqual({ code: 0, out: `${line}\n`, error: '' })
  })

  it('keeps its data from one start to the next, and refuses a directory in use', async () => {
    const args = ['--data-dir', 'data', '--no-http', '--port', '0']
    const first = kafkito(args)
    await first.ready
    const other = await kafkito(args).ended
    expect([other.code, other.out]).toEqual([1, ''])
    expect(other.error).toMatch(/^kafkito: .*used by another process.*\n +.*--data-dir/)
    first.kill('SIGINT')
    expect((await first.ended).code).toBe(0)
    const again = kafkito(args)
    expect(await again.ready).toMatch(/ data=data$/)
    again.kill('SIGTERM')
    expect((await again.ended).code).toBe(0)
  }, 120_000)

  it('takes the next free port with a warning, or none with --strict-ports', async () => {
    const first = kafkito(['--memory', ...FREE])
    const [, port, httpPort] = /:(\d+) http=.*:(\d+) /.exec(await first.ready) ?? []
    const same = ['--memory', '--port', `${port}`, '--http-port', `${httpPort}`]
    const second = kafkito(same)
    expect(await second.ready).not.toContain(`:${port} `)
    second.kill('SIGTERM')
    const { code, error } = await second.ended
    expect(code).toBe(0)
    expect(error).toContain(`Port ${port} is taken; broker 1 listens on `)
    expect(error).toContain(`Port ${httpPort} is taken; HTTP listens on `)
    const strict = await kafkito([...same, '--strict-ports']).ended
    expect([strict.code, strict.out]).toEqual([1, ''])
    expect(strict.error).toContain(`${port}`)
    expect(strict.error).toContain('--port')
    const strictHttp = await kafkito([
      '--memory',
      '--port',
      '0',
      '--http-port',
      `${httpPort}`,
      '--strict-ports',
    ]).ended
    expect(strictHttp.code).toBe(1)
    expect(strictHttp.error).toContain('--http-port')
  })

  it('reads server.properties and the environment', async () => {
    writeFileSync(join(directory, 'server.properties'), 'log.dirs=kept\nnum.partitons=3\n')
    const server = kafkito(['--config-file', 'server.properties', '--no-http', '--port', '0'], {
      KAFKITO_PROFILE: 'test',
    })
    expect(await server.ready).toMatch(/ profile=test data=kept$/)
    server.kill('SIGTERM')
    const { error } = await server.ended
    expect(error).toContain('Did you mean "num.partitions"?')
  })

  it('takes a variable that says false for no, and tells of one that is misspelt', async () => {
    const variables = { KAFKITO_MEMORY: 'false', KAFKITO_PROFLE: 'test', KAFKITO_SERVICE_HOST: '10.0.0.1' }
    const server = kafkito(['--no-http', '--port', '0'], variables)
    expect(await server.ready).toMatch(/ profile=kafka data=\.kafkito$/)
    server.kill('SIGTERM')
    const { error } = await server.ended
    expect(error).toBe('kafkito: KAFKITO_PROFLE has no effect. Did you mean KAFKITO_PROFILE?\n')
  })

  it('lets members go with their connections, and nobody wait for nothing, with --profile test', async () => {
    const server = kafkito(['start', '--memory', '--profile', 'test', '--no-http', '--port', '0'])
    const [, address = ''] = /bootstrap=(\S+) /.exec(await server.ready) ?? []
    await using cluster = await startCluster({ bootstrapServers: address, topics: ['orders'], strict: false })
    const client = rawClient(address)
    const waited = await client.call(
      Fetch,
      {
        maxWaitMs: 10 * TIMEOUT_MS,
        minBytes: 1,
        topics: [
          { topic: 'orders', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] },
        ],
        forgottenTopicsData: [],
      },
      12,
    )
    expect(waited.responses[0]?.partitions[0]?.errorCode).toBe(0)
    const joined = await cluster.waitFor.condition(
      'a member',
      async () => {
        // Makes the topic of the offsets.
        await client.call(FindCoordinator, { coordinatorKeys: ['readers'] })
        const said = await client.call(ConsumerGroupHeartbeat, {
          groupId: 'readers',
          memberId: 'member',
          memberEpoch: 0,
          instanceId: null,
          rebalanceTimeoutMs: 10 * TIMEOUT_MS,
          subscribedTopicNames: ['orders'],
          topicPartitions: [],
        })
        return said.errorCode === 0
      },
      { timeoutMs: TIMEOUT_MS },
    )
    expect(joined).toBe(true)
    client.close()
    await cluster.waitFor.group('readers').members(0, { timeoutMs: TIMEOUT_MS })
    server.kill('SIGTERM')
    expect((await server.ended).code).toBe(0)
  }, 120_000)

  it('says READY when the seed folder is in place, and until then that it is live but not ready', async () => {
    const seedDir = join(directory, 'seed')
    mkdirSync(join(seedDir, 'records'), { recursive: true })
    writeFileSync(join(seedDir, 'records/orders.jsonl'), '{"value":"one"}\n{"value":"two"}\n')
    writeFileSync(join(seedDir, 'groups.jsonl'), '{"group":"readers","topic":"orders","offset":1}\n')
    // Of the listeners of the process, the one that speaks HTTP.
    writeFileSync(
      join(seedDir, 'look.mjs'),
      `import { writeFileSync } from 'node:fs'
      export async function seed() {
        const ports = process._getActiveHandles().flatMap((handle) => handle.address?.()?.port ?? [])
        const asked = (path) => Promise.any(ports.map((port) => fetch('http://127.0.0.1:' + port + path)))
        const [live, ready] = [await asked('/health/live'), await asked('/health/ready')]
        writeFileSync('seen.json', JSON.stringify([live.status, ready.status, (await ready.json()).status]))
      }`,
    )
    const args = ['start', '--data-dir', 'data', ...FREE]
    for (const _ of ['first', 'again']) {
      const server = kafkito(args, { KAFKITO_SEED_DIR: 'seed' })
      const [, address = '', url = ''] = /bootstrap=(\S+) http=(\S+) /.exec(await server.ready) ?? []
      expect(JSON.parse(readFileSync(join(directory, 'seen.json'), 'utf8'))).toEqual([200, 503, 'seeding'])
      expect((await fetch(`${url}/health/ready`)).status).toBe(200)
      await using cluster = await startCluster({ bootstrapServers: address, strict: false })
      expect((await cluster.topic('orders').records()).map(({ value }) => value)).toEqual(['one', 'two'])
      await cluster.waitFor.group('readers').committed('orders-0', 1, { timeoutMs: TIMEOUT_MS })
      await cluster.stop()
      server.kill('SIGTERM')
      expect(await server.ended).toMatchObject({ code: 0, error: '' })
    }
  }, 120_000)

  it('does not start with a seed that is not right, and stops on a signal while a script runs', async () => {
    const seedDir = join(directory, 'seed')
    mkdirSync(seedDir)
    writeFileSync(join(seedDir, 'topics.jsonl'), '{"name":"orders"}\n{"nam":"letters"}\n')
    const args = ['start', '--memory', '--no-http', '--port', '0', '--seed-dir', 'seed']
    const wrong = await kafkito(args).ended
    expect([wrong.code, wrong.out]).toEqual([2, ''])
    expect(wrong.error).toContain('kafkito: seed/topics.jsonl:2: ')
    writeFileSync(join(seedDir, 'topics.jsonl'), '{"name":"orders","replicas":3}\n')
    const refused = await kafkito(args).ended
    expect([refused.code, refused.out]).toEqual([1, ''])
    expect(refused.error).toContain(
      'seed/topics.jsonl:1: creating topic "orders": INVALID_REPLICATION_FACTOR',
    )
    writeFileSync(join(seedDir, 'topics.jsonl'), '')
    writeFileSync(
      join(seedDir, 'endless.mjs'),
      'export const seed = () => { process.kill(process.pid, "SIGTERM"); return new Promise(() => {}) }',
    )
    expect(await kafkito(args).ended).toEqual({ code: 0, out: '', error: '' })
  }, 120_000)

  it('logs JSON lines to standard error when KAFKITO_LOG asks', async () => {
    const server = kafkito(['--memory', '--no-http', '--port', '0'], { KAFKITO_LOG: 'info' })
    const line = await server.ready
    server.kill('SIGTERM')
    const { out, error } = await server.ended
    expect(out).toBe(`${line}\n`)
    const messages = error
      .trim()
      .split('\n')
      .map((text): unknown => JSON.parse(text))
    expect(messages).toContainEqual(expect.objectContaining({ kind: 'cluster.ready', msg: line }))
    expect(messages).toContainEqual(expect.objectContaining({ msg: 'stopping on SIGTERM' }))
  })
})
