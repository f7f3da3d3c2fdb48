/**
 * Judges what clients saw against what lies in the logs at the end. Pure: events and records in, sentences about what is wrong out.
 *
 * Limits: a record is known by its number or by the source of its copy, so each topic has one producer; offsets in a log may have gaps
 * (markers of transactions), its records are compared by their order.
 */
import type { ChaosEvent, Place } from './events.ts'

export interface Entry {
  readonly offset: number
  readonly value: string
}

const keyOf = ({ topic, partition }: Place): string => `${topic}-${partition}`

/** The records of every partition as a read_committed reader finds them at the end. */
export class FinalLog {
  readonly #partitions = new Map<string, Entry[]>()
  readonly #indexes = new Map<string, Map<number, number>>()

  constructor(events: Iterable<ChaosEvent>) {
    for (const event of events) {
      if (event.kind !== 'record') continue
      const key = keyOf(event)
      const entries = this.#partitions.get(key) ?? []
      entries.push({ offset: event.offset, value: event.value })
      this.#partitions.set(key, entries)
    }
    for (const [key, entries] of this.#partitions)
      this.#indexes.set(key, new Map(entries.map(({ offset }, index) => [offset, index])))
  }

  /** Partitions of a topic with their records in order. */
  partitionsOf(topic: string): { readonly partition: number; readonly entries: readonly Entry[] }[] {
    return [...this.#partitions]
      .filter(([key]) => key.slice(0, key.lastIndexOf('-')) === topic)
      .map(([key, entries]) => ({ partition: Number(key.slice(key.lastIndexOf('-') + 1)), entries }))
      .sort((left, right) => left.partition - right.partition)
  }

  at(place: Place, offset: number): Entry | undefined {
    const index = this.indexOf(place, offset)
    return index === undefined ? undefined : this.#partitions.get(keyOf(place))?.[index]
  }

  /** Which record of the partition it is, counted from 0. */
  indexOf(place: Place, offset: number): number | undefined {
    return this.#indexes.get(keyOf(place))?.get(offset)
  }

  /** The first record at or behind an offset; the number of records if there is none. */
  indexFrom(place: Place, offset: number): number {
    const entries = this.#partitions.get(keyOf(place)) ?? []
    let low = 0
    let high = entries.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((entries[middle]?.offset ?? 0) < offset) low = middle + 1
      else high = middle
    }
    return low
  }
}

export interface Produced {
  readonly problems: string[]
  readonly acknowledged: number
  /** Copies beyond the first; a problem only when once was promised. */
  readonly doubled: number
  /** Given up by the client. */
  readonly failed: number
}

export type Guarantee = 'exactly once' | 'at least once'

/** Every acknowledged record is there, where it was said to be, once (if promised), and in the order of its numbers. */
export function judgeProduced(
  topic: string,
  events: readonly ChaosEvent[],
  log: FinalLog,
  guarantee: Guarantee,
): Produced {
  const problems: string[] = []
  const found = new Map<string, number>()
  let doubled = 0
  for (const { partition, entries } of log.partitionsOf(topic)) {
    let highest = -1
    for (const { offset, value } of entries) {
      const number = Number(value)
      const key = `${partition} ${number}`
      const earlier = found.get(key)
      if (earlier !== undefined) {
        doubled += 1
        if (guarantee === 'exactly once')
          problems.push(`${topic}-${partition}: ${number} is there twice, at ${earlier} and ${offset}`)
        continue
      }
      found.set(key, offset)
      if (number < highest)
        problems.push(`${topic}-${partition}: ${number} at ${offset} comes after ${highest}: reordered`)
      highest = Math.max(highest, number)
    }
  }
  let acknowledged = 0
  let failed = 0
  for (const event of events) {
    if (event.kind === 'failed' && event.topic === topic) failed += 1
    if (event.kind !== 'ack' || event.topic !== topic) continue
    acknowledged += 1
    const { partition, number, offset } = event
    if (!found.has(`${partition} ${number}`))
      problems.push(`${topic}-${partition}: ${number} was acknowledged at ${offset} and is lost`)
    else if (offset >= 0 && log.at(event, offset)?.value !== String(number))
      problems.push(
        `${topic}-${partition}: ${number} was acknowledged at ${offset}, where ${log.at(event, offset)?.value ?? 'nothing'} lies`,
      )
  }
  return { problems, acknowledged, doubled, failed }
}

export interface Grouped {
  readonly problems: string[]
  readonly received: number
  /** How often a member resumed at a committed offset. */
  readonly resumes: number
  readonly commits: number
}

interface GroupPartition {
  /** Latest commit that was acknowledged; the group may not resume before it. */
  committed: number
  /** Highest commit that was asked for; the group may not resume behind it. */
  tried: number
  readonly received: Set<number>
}

interface Session {
  /** Which record comes next; undefined until the first one after an assignment. */
  next: number | undefined
  readonly committedBefore: number
}

/** A group resumes where it committed, reads what lies in the log without gaps or steps back, and misses nothing. */
export function judgeGroup(
  group: string,
  topics: readonly string[],
  events: readonly ChaosEvent[],
  log: FinalLog,
): Grouped {
  const problems: string[] = []
  const partitions = new Map<string, GroupPartition>()
  const sessions = new Map<string, Session>()
  let received = 0
  let resumes = 0
  let commits = 0
  const stateOf = (place: Place): GroupPartition => {
    const state = partitions.get(keyOf(place)) ?? { committed: 0, tried: 0, received: new Set<number>() }
    partitions.set(keyOf(place), state)
    return state
  }
  for (const event of events) {
    if (!('group' in event) || event.group !== group) continue
    const state = stateOf(event)
    const name = `${group} on ${keyOf(event)}`
    if (event.kind === 'trying') {
      state.tried = Math.max(state.tried, event.offset)
    } else if (event.kind === 'committed') {
      commits += 1
      if (event.offset < state.committed)
        problems.push(`${name}: the committed offset goes back from ${state.committed} to ${event.offset}`)
      state.committed = event.offset
    } else if (event.kind === 'assigned') {
      sessions.set(`${event.life} ${keyOf(event)}`, { next: undefined, committedBefore: state.committed })
    } else if (event.kind === 'got') {
      received += 1
      const session = sessions.get(`${event.life} ${keyOf(event)}`)
      const index = log.indexOf(event, event.offset)
      if (session === undefined) problems.push(`${name}: ${event.life} reads what it does not own`)
      if (index === undefined || log.at(event, event.offset)?.value !== event.value) {
        problems.push(`${name}: read ${event.value} at ${event.offset}, which the log does not hold`)
        continue
      }
      state.received.add(index)
      if (session === undefined) continue
      if (session.next === undefined) {
        resumes += 1
        const [from, to] = [log.indexFrom(event, session.committedBefore), log.indexFrom(event, state.tried)]
        if (index < from || index > to)
          problems.push(
            `${name}: ${event.life} resumes at ${event.offset}, committed was ${session.committedBefore}, asked for ${state.tried}`,
          )
      } else if (index !== session.next)
        problems.push(`${name}: ${event.life} reads record ${index} after record ${session.next - 1}`)
      session.next = index + 1
    }
  }
  for (const topic of topics) {
    for (const { partition, entries } of log.partitionsOf(topic)) {
      const seen = partitions.get(keyOf({ topic, partition }))?.received.size ?? 0
      if (seen < entries.length)
        problems.push(`${group} on ${topic}-${partition}: ${entries.length - seen} records were never read`)
    }
  }
  return { problems, received, resumes, commits }
}

export interface Transactions {
  readonly problems: string[]
  readonly committed: number
  readonly aborted: number
  /** Those whose producer never learnt their end. */
  readonly unknown: number
}

/**
 * Copies are `TRANSACTION:PARTITION:OFFSET:SIDE` of a source record, side a and b in different partitions. Of each transaction all copies are
 * there or none, as its producer was told; and every source record has one copy on each side, in order.
 */
export function judgeTransactions(
  parts: { readonly source: string; readonly sink: string },
  events: readonly ChaosEvent[],
  log: FinalLog,
): Transactions {
  const problems: string[] = []
  const visible = new Map<number, number>()
  const copied = new Map<string, number[]>()
  for (const { entries } of log.partitionsOf(parts.sink)) {
    for (const { value } of entries) {
      const [id = '', partition = '', offset = '', side = ''] = value.split(':')
      visible.set(Number(id), (visible.get(Number(id)) ?? 0) + 1)
      const key = `${partition} ${side}`
      const offsets = copied.get(key) ?? []
      offsets.push(Number(offset))
      copied.set(key, offsets)
    }
  }
  const ends = new Map<number, 'commit' | 'abort' | 'unknown'>()
  const counts = new Map<number, number>()
  for (const event of events) {
    if (event.kind === 'begin') counts.set(event.id, event.count)
    if (event.kind === 'commit' || event.kind === 'abort' || event.kind === 'unknown')
      ends.set(event.id, event.kind)
  }
  const known = { commit: 0, abort: 0, unknown: 0 }
  for (const [id, count] of counts) {
    const end = ends.get(id) ?? 'unknown'
    const seen = visible.get(id) ?? 0
    known[end] += 1
    if (end === 'abort' && seen > 0)
      problems.push(`transaction ${id} was aborted, ${seen} of its records are visible`)
    else if (end === 'commit' && seen === 0) problems.push(`transaction ${id} was committed and is lost`)
    else if (seen !== 0 && seen !== count)
      problems.push(`transaction ${id}: ${seen} of ${count} records are visible`)
  }
  for (const id of visible.keys())
    if (!counts.has(id)) problems.push(`transaction ${id} is visible and was never begun`)
  for (const { partition, entries } of log.partitionsOf(parts.source))
    for (const side of ['a', 'b'])
      problems.push(
        ...differences(
          `copies ${side} of ${parts.source}-${partition}`,
          entries.map(({ offset }) => offset),
          copied.get(`${partition} ${side}`) ?? [],
        ),
      )
  return { problems, committed: known.commit, aborted: known.abort, unknown: known.unknown }
}

function differences(what: string, wanted: readonly number[], actual: readonly number[]): string[] {
  const problems: string[] = []
  const seen = new Set<number>()
  let highest = -1
  for (const offset of actual) {
    if (seen.has(offset)) problems.push(`${what}: offset ${offset} was copied twice`)
    else if (offset < highest) problems.push(`${what}: offset ${offset} comes after ${highest}`)
    seen.add(offset)
    highest = Math.max(highest, offset)
  }
  const missing = wanted.filter((offset) => !seen.has(offset))
  if (missing.length > 0)
    problems.push(`${what}: ${missing.length} are missing, the first is of offset ${missing[0]}`)
  return problems
}
