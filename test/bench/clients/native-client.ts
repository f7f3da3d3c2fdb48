/**
 * The client over librdkafka. It needs a binary that comes from a download or a build, so it is no dependency of the project: it is
 * installed into a cache of its own when it is wanted, and left out where that does not work.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'

const NAME = '@confluentinc/kafka-javascript'
const VERSION = '1.10.1'
const INSTALL_DEADLINE_MS = 1_200_000

const cache =
  process.env.INTEROP_CACHE ??
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'kafkito-interop')

export interface NativeClient {
  readonly name: string
  readonly version: string
  readonly directory: string
}

/** @returns why not, where it cannot be had. A failure is remembered: remove the folder to try again */
export async function nativeClient(): Promise<NativeClient | string> {
  const directory = join(cache, `node-confluent-${VERSION}`)
  const client = { name: NAME, version: VERSION, directory }
  if (existsSync(join(directory, '.complete'))) return client
  const failure = join(directory, '.failed')
  if (existsSync(failure)) return await readFile(failure, 'utf8')
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, 'package.json'), '{ "private": true }\n')
  console.error(`installing ${NAME} ${VERSION}, which may build librdkafka`)
  const code = await install(directory)
  if (code !== 0 || !(await loads(directory))) {
    const reason = `${NAME} ${VERSION} can be neither downloaded nor built here (see ${join(directory, 'install.log')})`
    await writeFile(failure, reason)
    return reason
  }
  await mkdir(join(directory, '.complete'))
  return client
}

/** The system's libraries where there is no ready binary: what it links statically it would have to download. */
async function install(directory: string): Promise<number> {
  const child = spawn('npm', ['install', '--no-audit', '--no-fund', '--save-exact', `${NAME}@${VERSION}`], {
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

async function loads(directory: string): Promise<boolean> {
  const child = spawn(process.execPath, ['-e', `require('${NAME}')`], { cwd: directory, stdio: 'ignore' })
  return await new Promise((resolve) => child.once('close', (status) => resolve(status === 0)))
}
