/** Foreign programs as child processes: run one to its end, or keep it and wait for what it prints. */

import { type ChildProcess, spawn } from 'node:child_process'
import { createReadStream, createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { finished } from 'node:stream/promises'
import { check, Failure, within } from './cases.ts'

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  /** File given as standard input; `inputText` gives text instead. Without either it is empty. */
  readonly inputFile?: string
  readonly inputText?: string
  /** File that takes standard output; `stdout` of the result is then empty. */
  readonly outputFile?: string
  readonly env?: NodeJS.ProcessEnv
  readonly timeoutMs?: number
}

const alive = new Set<ChildProcess>()

process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})

/** Runs a program to its end, whatever its exit code. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  const child = spawn(command, args, { env: options.env ?? process.env })
  alive.add(child)
  let stdout = ''
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const written: Promise<void>[] = []
  if (options.outputFile === undefined) {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
  } else {
    written.push(finished(child.stdout.pipe(createWriteStream(options.outputFile))))
  }
  child.stdin.on('error', () => {})
  if (options.inputFile === undefined) child.stdin.end(options.inputText ?? '')
  else createReadStream(options.inputFile).pipe(child.stdin)
  const closed = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  try {
    const code = await within(closed, `end of ${command} ${args.join(' ')}`, options.timeoutMs ?? 100_000)
    await Promise.all(written)
    return { code, stdout, stderr }
  } catch (error) {
    if (error instanceof Failure)
      throw new Failure(`${error.message}\n${stdout.slice(-1000)}\n${stderr.slice(-2000)}`)
    throw error
  } finally {
    child.kill('SIGKILL')
    alive.delete(child)
  }
}

/** Runs a program that has to end with exit code 0. */
export async function mustRun(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  const done = await runProgram(command, args, options)
  check(
    done.code === 0,
    `${command} ${args.join(' ')} ended with ${done.code}\n${done.stdout.slice(-1000)}\n${done.stderr.slice(-2000)}`,
  )
  return done
}

/** A program that runs on while the case looks at the lines it prints on stdout and stderr. */
export class Running {
  readonly lines: string[] = []
  readonly #child: ChildProcess
  readonly #closed: Promise<number | null>
  readonly #watchers = new Set<() => void>()

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    alive.add(child)
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) {
      let rest = ''
      stream.setEncoding('utf8').on('data', (text: string) => {
        const parts = (rest + text).split('\n')
        rest = parts.pop() ?? ''
        this.lines.push(...parts)
        for (const watcher of [...this.#watchers]) watcher()
      })
    }
    this.#closed = new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code) => {
        alive.delete(child)
        resolve(code)
      })
    })
    this.#closed.catch(() => {})
  }

  /** Resolves as soon as the predicate holds for the lines so far; it is asked again whenever some arrive. */
  async until(
    what: string,
    predicate: (lines: readonly string[]) => boolean,
    timeoutMs = 60_000,
  ): Promise<void> {
    let watcher: () => void = () => {}
    const happened = new Promise<void>((resolve, reject) => {
      watcher = () => {
        if (predicate(this.lines)) resolve()
      }
      this.#watchers.add(watcher)
      watcher()
      this.#closed.then(
        (code) => reject(new Failure(`the program ended with ${code} before ${what}\n${this.#tail()}`)),
        reject,
      )
    })
    try {
      await within(happened, what, timeoutMs)
    } catch (error) {
      if (error instanceof Failure) throw new Failure(`${error.message}\n${this.#tail()}`)
      throw error
    } finally {
      this.#watchers.delete(watcher)
    }
  }

  /** Asks the program to end and waits until it has. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.#child.kill(signal)
    try {
      return await within(this.#closed, 'end of the program', 30_000)
    } finally {
      this.#child.kill('SIGKILL')
    }
  }

  #tail(): string {
    return this.lines.slice(-20).join('\n')
  }
}

export interface LinesOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly timeoutMs: number
  readonly onLine: (line: string) => void
  readonly onErrorLine?: (line: string) => void
}

/** Runs a program and hands over its lines as they come; resolves to its exit code. */
export async function runLines(
  command: string,
  args: readonly string[],
  options: LinesOptions,
): Promise<number | null> {
  const child = spawn(command, args, { env: options.env ?? process.env, stdio: ['ignore', 'pipe', 'pipe'] })
  alive.add(child)
  createInterface({ input: child.stdout }).on('line', options.onLine)
  createInterface({ input: child.stderr }).on('line', options.onErrorLine ?? (() => {}))
  const closed = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  try {
    return await within(closed, `end of ${command}`, options.timeoutMs)
  } finally {
    child.kill('SIGKILL')
    alive.delete(child)
  }
}
