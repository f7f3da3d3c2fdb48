/**
 * What clients asked and what they were told: the latest requests, for questions like "did it commit?" and for the words of a test that failed.
 *
 * Owner: the cluster of a test. Limit: the latest `capacity` answered requests.
 */
import { type ErrorName, errorName } from '../../common/protocol/errors.ts'
import { knownApi, refuseUnknownKeys } from './known-names.ts'
import type { NamedTopic } from './message-shape.ts'

export interface JournalEntry {
  /** 1 for the first request of the cluster. */
  readonly number: number
  /** Wall clock of the cluster. */
  readonly timeMs: number
  readonly api: string
  readonly version: number
  readonly clientId: string
  readonly connectionId: string
  /** `User:ANONYMOUS` unless authenticated. */
  readonly principal: string
  readonly broker: number
  readonly topics: readonly NamedTopic[]
  readonly groups: readonly string[]
  readonly transactionalIds: readonly string[]
  /** Names of every error in the answer; empty when all went well. */
  readonly errors: readonly string[]
  readonly durationMs: number
  /** What became of it. */
  readonly outcome: 'answered' | 'no answer' | 'disconnected'
  /** A fault or a control hook had a hand in it. */
  readonly isFault: boolean
}

/** Absent fields match everything; lists mean "any of these". */
export interface JournalFilter {
  readonly api?: string | readonly string[]
  readonly version?: number
  readonly clientId?: string
  readonly broker?: number
  readonly topic?: string
  readonly partition?: number
  readonly group?: string
  readonly transactionalId?: string
  readonly error?: string
  /** Only requests after this one: a `number` of an entry. */
  readonly after?: number
}

const FILTER_KEYS = {
  api: true,
  version: true,
  clientId: true,
  broker: true,
  topic: true,
  partition: true,
  group: true,
  transactionalId: true,
  error: true,
  after: true,
} as const satisfies Record<keyof JournalFilter, true>

/** @throws Error for a filter or an API that does not exist */
export function checkJournalFilter(filter: JournalFilter): void {
  refuseUnknownKeys('filter of requests', filter, FILTER_KEYS)
  for (const name of [filter.api ?? []].flat()) knownApi(name)
}

export const journalCapacity = 10_000

export class Journal {
  readonly #ring: (JournalEntry | undefined)[]
  #count = 0
  #firstNumber = 1
  isRecording: boolean

  constructor(options: { capacity?: number; isRecording: boolean }) {
    this.#ring = new Array(options.capacity ?? journalCapacity)
    this.isRecording = options.isRecording
  }

  /** Requests recorded since the cluster started, those that fell out of the ring included. */
  get count(): number {
    return this.#count
  }

  add(entry: Omit<JournalEntry, 'number' | 'errors'>, errorCodes: readonly number[]): void {
    this.#count += 1
    const errors = errorCodes.length === 0 ? NO_ERRORS : errorCodes.map(nameOf)
    this.#ring[this.#count % this.#ring.length] = { ...entry, number: this.#count, errors }
  }

  /** Oldest first. */
  list(filter: JournalFilter = {}): readonly JournalEntry[] {
    const found: JournalEntry[] = []
    const first = Math.max(
      this.#firstNumber,
      this.#count - this.#ring.length + 1,
      filter.after === undefined ? 1 : filter.after + 1,
    )
    for (let number = first; number <= this.#count; number++) {
      const entry = this.#ring[number % this.#ring.length]
      if (entry !== undefined && matches(entry, filter)) found.push(entry)
    }
    return found
  }

  /** Forgets what was recorded; recording goes on. */
  clear(): void {
    this.#firstNumber = this.#count + 1
    this.#ring.fill(undefined)
  }
}

const NO_ERRORS: readonly string[] = []

function nameOf(code: number): ErrorName | `error ${number}` {
  try {
    return errorName(code)
  } catch {
    return `error ${code}`
  }
}

function matches(entry: JournalEntry, filter: JournalFilter): boolean {
  const { api, version, clientId, broker, topic, partition, group, transactionalId, error } = filter
  if (api !== undefined && !(typeof api === 'string' ? api === entry.api : api.includes(entry.api)))
    return false
  if (version !== undefined && version !== entry.version) return false
  if (clientId !== undefined && clientId !== entry.clientId) return false
  if (broker !== undefined && broker !== entry.broker) return false
  if (group !== undefined && !entry.groups.includes(group)) return false
  if (transactionalId !== undefined && !entry.transactionalIds.includes(transactionalId)) return false
  if (error !== undefined && !entry.errors.includes(error)) return false
  if (topic === undefined && partition === undefined) return true
  return entry.topics.some(
    ({ name, partitions }) =>
      (topic === undefined || name === topic) && (partition === undefined || partitions.includes(partition)),
  )
}

/** One line for people. */
export function journalLine(entry: JournalEntry): string {
  const topics = entry.topics
    .slice(0, 3)
    .map(({ name, partitions }) => (partitions.length === 0 ? name : `${name}[${partitions.join(',')}]`))
  const more = entry.topics.length > 3 ? [`+${entry.topics.length - 3} topics`] : []
  const names = [...topics, ...more, ...entry.groups, ...entry.transactionalIds].join(' ')
  const result =
    entry.errors.length > 0 ? entry.errors.join(',') : entry.outcome === 'answered' ? 'ok' : entry.outcome
  const time = new Date(entry.timeMs).toISOString().slice(11, 23)
  return `#${entry.number} ${time} ${entry.api} v${entry.version} ${entry.clientId || '(no client id)'} -> broker ${entry.broker} ${names} ${result} ${entry.durationMs.toFixed(1)} ms${entry.isFault ? ' (fault)' : ''}`.replace(
    / {2,}/g,
    ' ',
  )
}
