/**
 * Fault rules as data: when something matches, this happens. Used by tests, lessons and HTTP alike. The rules only answer
 * questions; the places that ask (transport, router before and after the handler, files) do what the answer says.
 * Owned by the cluster. Rules are asked oldest first and the first that applies wins.
 */
import { maxFaultRules } from './limits.ts'
import type { Random } from './random.ts'

/** What must be true. Lists mean "any of these"; absent fields match everything. */
export interface FaultCondition {
  readonly api?: string | readonly string[]
  /** Version of the request. */
  readonly version?: number | readonly number[]
  /** Node id of the broker concerned. */
  readonly broker?: number | readonly number[]
  /** Where the question is asked from. A rule without a direction applies to requests. */
  readonly direction?: 'request' | 'response' | 'files'
  readonly topic?: string | readonly string[]
  /** Together with `topic` both must match at the same place. */
  readonly partition?: number | readonly number[]
  readonly group?: string | readonly string[]
  readonly transactionalId?: string | readonly string[]
  readonly clientId?: string | readonly string[]
  /** Also what the nodes of the cluster say to each other. Default false: clients only. */
  readonly internal?: boolean
  /** The first so many matches are let through. */
  readonly after?: number
  /** Only the n-th match, counted from 1. */
  readonly nth?: number
  /** Only every n-th match. */
  readonly every?: number
  /** At most so many hits. */
  readonly times?: number
  /** Share of matches that hit, in [0, 1]. */
  readonly probability?: number
}

/** What happens. Which of these a place can do is said there; the rest is ignored. */
export interface FaultAction {
  /** Name of a Kafka error that is answered instead. */
  readonly error?: string
  readonly delayMs?: number
  /** The request gets lost: it is not carried out, and there is no answer. */
  readonly drop?: boolean
  /** The answer gets lost: the request is carried out. */
  readonly swallow?: boolean
  readonly disconnect?: boolean
  /** Error, delay, hold and disconnect come after the request was carried out. */
  readonly afterApply?: boolean
  /** Records arrive damaged. */
  readonly corrupt?: boolean
  /** What the answer says of being throttled. */
  readonly throttleTimeMs?: number
  /** Leader and epoch that Metadata tells of the partitions of the condition; -1: none. */
  readonly leader?: { readonly id: number; readonly epoch?: number }
  /** Waits until `release`. */
  readonly hold?: boolean
  /** Cuts the broker off from the others. */
  readonly isolate?: boolean
  /** Code of a `FileError`. */
  readonly ioError?: string
  /** Bytes that a failing write leaves. */
  readonly tornWriteBytes?: number
}

export interface FaultRule {
  readonly when: FaultCondition
  readonly then: FaultAction
}

/** What is going on where the question is asked. */
export interface FaultSubject {
  readonly direction?: 'request' | 'response' | 'files'
  readonly api?: string
  readonly version?: number
  readonly broker?: number
  readonly clientId?: string | null
  readonly isInternal?: boolean
  readonly topics?: ReadonlyArray<{ readonly name: string; readonly partitions?: readonly number[] }>
  readonly groups?: readonly string[]
  readonly transactionalIds?: readonly string[]
}

/** A rule that applies to a subject. */
export interface Fault {
  readonly rule: FaultRule
  readonly action: FaultAction
  /** Keeps what would have gone on until `release` or `remove`. */
  hold(goOn: () => void): void
}

export interface FaultHandle {
  readonly id: number
  readonly rule: FaultRule
  /** How often the condition was met, whatever `nth`, `every` and `probability` said. */
  readonly matches: number
  /** How often the action was handed out. */
  readonly hits: number
  readonly heldCount: number
  /** Can never hit again. */
  readonly isExhausted: boolean
  /** Calls back once, when there have been so many hits; at once when there have. @returns a function that stops waiting */
  waitForHit(callback: () => void, hits?: number): () => void
  /** Lets everything held go on; later hits are held again. */
  release(): void
  /** Takes the rule back and lets everything held go on. */
  remove(): void
}

export interface FaultRulesOptions {
  readonly random: Random
}

export class FaultRules {
  readonly #random: Random
  #lastId = 0
  /** Rules that can still hit or hold something, oldest first. */
  #active: readonly ActiveRule[] = []
  #all: readonly ActiveRule[] = []

  constructor(options: FaultRulesOptions) {
    this.#random = options.random
  }

  /** true when asking can be skipped. */
  get isEmpty(): boolean {
    return this.#active.length === 0
  }

  add(rule: FaultRule): FaultHandle {
    if (this.#all.length >= maxFaultRules) throw new Error(`there are ${maxFaultRules} fault rules already`)
    checkRule(rule)
    const added = new ActiveRule(++this.#lastId, rule, () => this.#remove(added))
    this.#all = [...this.#all, added]
    this.#active = [...this.#active, added]
    return added
  }

  /** The rule that applies, if any. Asking counts: every rule up to the one that hits sees the match. */
  match(subject: FaultSubject): Fault | undefined {
    for (const rule of this.#active) {
      if (!rule.tryHit(subject, this.#random)) continue
      if (rule.isExhausted) this.#active = this.#active.filter((other) => other !== rule)
      return rule
    }
    return undefined
  }

  /** Every rule that was not removed, oldest first, exhausted ones included. */
  list(): readonly FaultHandle[] {
    return this.#all
  }

  /** Rules that never hit: a test that set them did not test what it meant to. */
  unused(): readonly FaultHandle[] {
    return this.#all.filter((rule) => rule.hits === 0)
  }

  /** Removes every rule. */
  reset(): void {
    for (const rule of this.#all) rule.remove()
  }

  #remove(rule: ActiveRule): void {
    this.#all = this.#all.filter((other) => other !== rule)
    this.#active = this.#active.filter((other) => other !== rule)
  }
}

class ActiveRule implements FaultHandle, Fault {
  readonly id: number
  readonly rule: FaultRule
  matches = 0
  hits = 0
  readonly #onRemove: () => void
  #held: Array<() => void> = []
  #waiting: Array<{ readonly hits: number; readonly callback: () => void }> = []
  #isRemoved = false

  constructor(id: number, rule: FaultRule, onRemove: () => void) {
    this.id = id
    this.rule = rule
    this.#onRemove = onRemove
  }

  get action(): FaultAction {
    return this.rule.then
  }

  get heldCount(): number {
    return this.#held.length
  }

  get isExhausted(): boolean {
    const { nth, times } = this.rule.when
    return (
      (nth !== undefined && this.matches >= nth + (this.rule.when.after ?? 0)) ||
      (times !== undefined && this.hits >= times)
    )
  }

  tryHit(subject: FaultSubject, random: Random): boolean {
    const { when } = this.rule
    if (this.isExhausted || !conditionHolds(when, subject)) return false
    this.matches++
    const counted = this.matches - (when.after ?? 0)
    if (counted <= 0) return false
    if (when.nth !== undefined && counted !== when.nth) return false
    if (when.every !== undefined && counted % when.every !== 0) return false
    if (when.probability !== undefined && random.float() >= when.probability) return false
    this.hits++
    const reached = this.#waiting.filter((entry) => entry.hits <= this.hits)
    this.#waiting = this.#waiting.filter((entry) => entry.hits > this.hits)
    for (const { callback } of reached) callback()
    return true
  }

  hold(goOn: () => void): void {
    if (this.#isRemoved) goOn()
    else this.#held.push(goOn)
  }

  waitForHit(callback: () => void, hits = 1): () => void {
    if (this.hits >= hits) {
      callback()
      return () => {}
    }
    const entry = { hits, callback }
    this.#waiting.push(entry)
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== entry)
    }
  }

  release(): void {
    const held = this.#held
    this.#held = []
    for (const goOn of held) goOn()
  }

  remove(): void {
    if (this.#isRemoved) return
    this.#isRemoved = true
    this.#onRemove()
    this.release()
  }
}

/** @throws Error in words when the rule makes no sense */
export function checkRule({ when, then }: FaultRule): void {
  for (const name of ['nth', 'every', 'times'] as const) {
    const value = when[name]
    if (value !== undefined && (!Number.isInteger(value) || value < 1)) {
      throw new Error(`"${name}" of a fault rule must be a whole number from 1, not ${value}`)
    }
  }
  const { probability } = when
  if (probability !== undefined && !(probability >= 0 && probability <= 1)) {
    throw new Error(`"probability" of a fault rule must be in [0, 1], not ${probability}`)
  }
  if (Object.values(then).every((value) => value === undefined || value === false)) {
    throw new Error('a fault rule without an action would do nothing')
  }
}

function conditionHolds(when: FaultCondition, subject: FaultSubject): boolean {
  return (
    (when.direction ?? 'request') === (subject.direction ?? 'request') &&
    (subject.isInternal !== true || when.internal === true) &&
    isOneOf(when.api, subject.api) &&
    isOneOf(when.version, subject.version) &&
    isOneOf(when.broker, subject.broker) &&
    isOneOf(when.clientId, subject.clientId ?? undefined) &&
    isAnyOneOf(when.group, subject.groups) &&
    isAnyOneOf(when.transactionalId, subject.transactionalIds) &&
    placeHolds(when, subject)
  )
}

function placeHolds({ topic, partition }: FaultCondition, { topics = [] }: FaultSubject): boolean {
  if (topic === undefined && partition === undefined) return true
  return topics.some(
    ({ name, partitions = [] }) =>
      isOneOf(topic, name) &&
      // Who names no partition (Metadata) means all of them.
      (partition === undefined ||
        partitions.length === 0 ||
        partitions.some((index) => isOneOf(partition, index))),
  )
}

function isOneOf<T>(wanted: T | readonly T[] | undefined, actual: T | undefined): boolean {
  if (wanted === undefined) return true
  if (actual === undefined) return false
  return Array.isArray(wanted) ? wanted.includes(actual) : wanted === actual
}

function isAnyOneOf<T>(wanted: T | readonly T[] | undefined, actual: readonly T[] = []): boolean {
  return wanted === undefined || actual.some((value) => isOneOf(wanted, value))
}
