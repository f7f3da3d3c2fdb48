/**
 * Clients that are no dependencies of the project: the one over librdkafka, whose binary comes from a download or a build, and one
 * that asks for a newer Node. Each is installed into a cache of its own when it is wanted, and left out where that does not work.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'

const clients = {
  confluent: { name: '@confluentinc/kafka-javascript', version: '1.10.1' },
  platformatic: { name: '@platformatic/kafka', version: '2.12.1' },
} as const
export type CachedClientName = keyof typeof clients

const INSTALL_DEADLINE_MS = 1_200_000

const cache =
  process.env.INTEROP_CACHE ??
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'kafkito-interop')

export interface CachedClient {
  readonly name: string
  readonly version: string
  readonly directory: string
}

/** @returns why not, where it cannot be had. A failure is remembered: remove the folder to try again */
export async function cachedClient(client: CachedClientName): Promise<CachedClient | string> {
  const { name, version } = clients[client]
  const directory = join(cache, `node-${client}-${version}`)
  const found = { name, version, directory }
  if (existsSync(join(directory, '.complete'))) return found
  const failure = join(directory, '.failed')
  if (existsSync(failure)) return await readFile(failure, 'utf8')
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, 'package.json'), '{ "private": true }\n')
  console.error(
    `installing ${name} ${version}${client === 'confluent' ? ', which may build librdkafka' : ''}`,
  )
  const code = await install(directory, `${name}@${version}`)
  if (code !== 0 || !(await loads(directory, name))) {
    const reason = `${name} ${version} can be neither downloaded nor built here (see ${join(directory, 'install.log')})`
    await writeFile(failure, reason)
    return reason
  }
  await mkdir(join(directory, '.complete'))
  return found
}

/** The system's libraries where there is no ready binary: what it links statically it would have to download. */
async function install(directory: string, wanted: string): Promise<number> {
  const child = spawn('npm', ['install', '--no-audit', '--no-fund', '--save-exact', wanted], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { CKJS_LINKING: 'dynamic', ...process.env },
    timeout: INSTALL_DEADLINE_MS,
  })
  let log = ''
  for (const output of [child.stdout, child.stderr]) {
    output.setEncoding('utf8').on('data', (chunk: string) => {
      log += chunk
    })
  }
  const code = await new Promise<number>((resolve) => child.once('close', (status) => resolve(status ?? -1)))
  await writeFile(join(directory, 'install.log'), log)
  return code
}

async function loads(directory: string, name: string): Promise<boolean> {
  const load = `import('${name}').catch(() => process.exit(1))`
  const child = spawn(process.execPath, ['-e', load], { cwd: directory, stdio: 'ignore' })
  return await new Promise((resolve) => child.once('close', (status) => resolve(status === 0)))
}
