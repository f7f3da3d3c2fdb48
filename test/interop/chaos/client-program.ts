/**
 * A program of clients: its lines, what it is told, and a watch over those that are known to stop turning.
 *
 * A program that is watched prints something at least every second. When it is silent for long it is killed and started anew with what it
 * was told before; its lines go on where they ended. Silence is counted in turns of this process, which runs the brokers too: a machine so
 * slow that nobody gets on does not count against the program.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { within } from '../lib/cases.ts'

/** Nothing but a sign of life; not kept. */
const ALIVE = 'alive'
const TURN_MS = 1000

export interface ProgramOptions {
  readonly name: string
  readonly command: string
  /** @param incarnation 1 for the first start */
  readonly args: (incarnation: number) => readonly string[]
  /** After so many seconds of silence it is started anew; undefined: it is not watched. */
  readonly silenceSeconds?: number
  /** Of each wait. */
  readonly deadlineMs: number
}

export class ClientProgram {
  readonly lines: string[] = []
  readonly #options: ProgramOptions
  /** When each line came, for whoever has to understand a failure. */
  readonly #timesMs: number[] = []
  readonly #told: string[] = []
  readonly #watch: NodeJS.Timeout | undefined
  #child: ChildProcess
  #incarnation = 1
  /** Undefined until it has printed something: how long a start takes is not the point. */
  #silentTurns: number | undefined
  #onLine: () => void = () => {}
  #ended: number | null | undefined

  constructor(options: ProgramOptions) {
    this.#options = options
    this.#child = this.#start()
    process.on('exit', () => this.kill())
    if (options.silenceSeconds !== undefined) this.#watch = setInterval(() => this.#look(), TURN_MS)
  }

  /** How often it was started anew. */
  get restarts(): number {
    return this.#incarnation - 1
  }

  #start(): ChildProcess {
    const { command, args } = this.#options
    const child = spawn(command, args(this.#incarnation), { stdio: ['pipe', 'pipe', 'inherit'] })
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (child !== this.#child) return
      this.#silentTurns = 0
      if (line === ALIVE) return
      this.lines.push(line)
      this.#timesMs.push(Date.now())
      this.#onLine()
    })
    child.on('close', (code) => {
      if (child !== this.#child) return
      this.#ended = code
      this.#onLine()
    })
    child.stdin.on('error', () => {})
    return child
  }

  #look(): void {
    const { name, silenceSeconds = 0 } = this.#options
    if (this.#ended !== undefined || this.#silentTurns === undefined) return
    this.#silentTurns += 1
    if (this.#silentTurns * TURN_MS < silenceSeconds * 1000) return
    console.log(
      `  ${Date.now()} ${name} is silent for ${silenceSeconds} s (known, findings.md): killed, started anew`,
    )
    this.#silentTurns = undefined
    this.#incarnation += 1
    const silent = this.#child
    silent.kill('SIGKILL')
    this.#child = this.#start()
    for (const command of this.#told) this.#child.stdin?.write(`${command}\n`)
  }

  /** Until some line begins so. */
  async until(what: string, prefix: string): Promise<void> {
    const { name, deadlineMs } = this.#options
    let from = 0
    await within(
      new Promise<void>((resolve, reject) => {
        this.#onLine = () => {
          for (; from < this.lines.length; from++) if (this.lines[from]?.startsWith(prefix)) return resolve()
          if (this.#ended !== undefined) reject(new Error(`${name} ended with ${this.#ended} before ${what}`))
        }
        this.#onLine()
      }),
      `${what} of ${name}`,
      deadlineMs,
    )
  }

  tell(command: string): void {
    this.#told.push(command)
    this.#child.stdin?.write(`${command}\n`)
  }

  notes(): string {
    const notes = this.lines.filter((line) => line.startsWith('note '))
    return `${this.#options.name}, latest lines:\n${[...notes.slice(-15), '…', ...this.lines.slice(-5)].join('\n')}`
  }

  keep(directory: string): void {
    const lines = this.lines.map((line, index) => `${this.#timesMs[index]} ${line}`)
    writeFileSync(join(directory, `${this.#options.name}.txt`), lines.join('\n'))
  }

  kill(): void {
    clearInterval(this.#watch)
    this.#child.kill('SIGKILL')
  }
}
