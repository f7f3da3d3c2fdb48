/**
 * What happened in a simulation, in order: a hash of all lines, and the lines themselves when somebody wants to read them. Two runs of a seed
 * are the same exactly when their hashes are.
 */
import { createHash, type Hash } from 'node:crypto'

export class EventLog {
  readonly #hash: Hash = createHash('sha256')
  readonly #nowMs: () => number
  readonly #print: ((line: string) => void) | undefined
  count = 0

  constructor(options: { nowMs: () => number; print?: ((line: string) => void) | undefined }) {
    this.#nowMs = options.nowMs
    this.#print = options.print
  }

  add(event: string): void {
    const line = `${this.#nowMs().toFixed(3)} ${event}\n`
    this.count += 1
    this.#hash.update(line)
    this.#print?.(line)
  }

  get isPrinted(): boolean {
    return this.#print !== undefined
  }

  /** A line for those who read the history; no part of it. */
  remark(text: string): void {
    this.#print?.(`${text}\n`)
  }

  /** Of all lines so far. */
  digest(): string {
    return this.#hash.copy().digest('hex').slice(0, 16)
  }
}
