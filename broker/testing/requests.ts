/** The journal of requests as a test asks it. */
import type { ApiName } from '../../common/protocol/registry.ts'
import {
  checkJournalFilter,
  type Journal,
  type JournalEntry,
  type JournalFilter,
  journalLine,
} from './journal.ts'

export class Requests {
  readonly #journal: Journal

  /** @internal */
  constructor(journal: Journal) {
    this.#journal = journal
  }

  /** Answered requests of clients, oldest first. */
  list(filter: JournalFilter = {}): readonly JournalEntry[] {
    checkJournalFilter(filter)
    return this.#journal.list(filter)
  }

  count(filter: JournalFilter = {}): number {
    return this.list(filter).length
  }

  /** The one answered last. */
  last(filter: JournalFilter = {}): JournalEntry | undefined {
    return this.list(filter).at(-1)
  }

  /** Fails unless there were exactly so many; without a number, at least one. */
  expect(api: ApiName, count?: number, filter: Omit<JournalFilter, 'api'> = {}): readonly JournalEntry[] {
    const found = this.list({ ...filter, api })
    const isMet = count === undefined ? found.length > 0 : found.length === count
    if (isMet) return found
    const silence = this.isRecording
      ? ''
      : ' Nothing is recorded: start with { journal: true }, or call requests.start().'
    const wanted = count === undefined ? 'at least one' : String(count)
    throw new Error(
      `Expected ${wanted} ${api} request(s)${Object.keys(filter).length > 0 ? ` like ${JSON.stringify(filter)}` : ''}, there were ${found.length}.${silence}\n${this.text()}`,
    )
  }

  /** The latest requests, one a line. */
  text(count = 30): string {
    return this.list().slice(-count).map(journalLine).join('\n')
  }

  clear(): void {
    this.#journal.clear()
  }

  get isRecording(): boolean {
    return this.#journal.isRecording
  }

  start(): void {
    this.#journal.isRecording = true
  }

  stop(): void {
    this.#journal.isRecording = false
  }
}
