/** The broker as a program of its own: bundled once, run as a child process that a test may kill. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'

const repository = join(import.meta.dirname, '..', '..')

export interface BrokerProgram {
  readonly directory: string
  /** Starts it; resolves when it serves. */
  start(options: { dataDir: string; config?: Readonly<Record<string, string>> }): Promise<RunningBroker>
  remove(): void
}

export interface RunningBroker {
  readonly bootstrapServers: string
  readonly child: ChildProcess
  /** `kill -9`, and waits until the process is gone. */
  kill(): Promise<void>
  /** Ends it as a signal from a terminal does. */
  stop(): Promise<void>
}

export async function bundleBroker(): Promise<BrokerProgram> {
  const directory = mkdtempSync(join(tmpdir(), 'kafkito-durability-'))
  const file = join(directory, 'broker.mjs')
  await build({
    entryPoints: [join(import.meta.dirname, 'broker-process.ts')],
    outfile: file,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    logLevel: 'warning',
  })
  if (!existsSync(join(directory, 'node_modules')))
    symlinkSync(join(repository, 'node_modules'), join(directory, 'node_modules'))
  return {
    directory,
    start: (options) => startProcess(file, options),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}

function startProcess(
  file: string,
  { dataDir, config = {} }: { dataDir: string; config?: Readonly<Record<string, string>> },
): Promise<RunningBroker> {
  const child = spawn(process.execPath, [file, dataDir, JSON.stringify(config)], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk
  })
  return new Promise((resolve, reject) => {
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk
      const ready = /^READY (\S+)$/m.exec(output)
      if (ready === null) return
      resolve({
        bootstrapServers: ready[1] as string,
        child,
        kill: () => {
          child.kill('SIGKILL')
          return gone
        },
        stop: () => {
          child.stdin.end()
          return gone
        },
      })
    })
    void gone.then(() => reject(new Error(`the broker ended before it was ready: ${errors}`)))
  })
}
