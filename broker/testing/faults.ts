// biome-ignore-all lint/suspicious/noThenProperty: `when` and `then` are the words of fault rules, and no rule is ever awaited
/**
 * Faults as a test writes them: `faults.on('Produce', { topic: 'orders' }).times(2).error('NOT_LEADER_OR_FOLLOWER')`. What `on` gives back is
 * both: the rule while it is written, and the handle afterwards. A rule works from its first verb on.
 */

import type { ErrorName } from '../../common/protocol/errors.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { ApiName } from '../../common/protocol/registry.ts'
import {
  checkRule,
  type FaultAction,
  type FaultCondition,
  type FaultHandle,
  type FaultRules,
} from '../../common/runtime/faults.ts'
import type { ControlFunction, ControlHandle } from './control-hooks.ts'
import { CORRUPTIBLE } from './corruption.ts'
import type { FaultEngine } from './fault-engine.ts'
import { knownApi, refuseUnknownKeys } from './known-names.ts'
import type { Waits } from './waits.ts'

export type FaultFilter = Pick<
  FaultCondition,
  'version' | 'broker' | 'topic' | 'partition' | 'group' | 'transactionalId' | 'clientId' | 'internal'
>

export type FaultApi = ApiName | readonly ApiName[] | '*'

/** One entry of `push`: what happens to one request. An error name alone is short for `{ error }`; NONE lets it pass. */
export type PushedFault =
  | ErrorName
  | { readonly error?: ErrorName; readonly delayMs?: number; readonly disconnect?: boolean }

const FILTER_KEYS = {
  version: true,
  broker: true,
  topic: true,
  partition: true,
  group: true,
  transactionalId: true,
  clientId: true,
  internal: true,
} as const satisfies Record<keyof FaultFilter, true>

type Writable<T> = { -readonly [K in keyof T]: T[K] }

export class FaultBuilder {
  readonly #rules: FaultRules
  readonly #waits: Waits
  readonly #when: Writable<FaultCondition>
  readonly #then: Writable<FaultAction> = {}
  #handle: FaultHandle | undefined
  #isRemoved = false

  /** @internal */
  constructor(rules: FaultRules, waits: Waits, when: FaultCondition) {
    this.#rules = rules
    this.#waits = waits
    this.#when = { ...when }
  }

  // --- when ---

  /** At most so many requests. Default: all of them, until it is removed. */
  times(count: number): this {
    return this.#say({ times: count })
  }
  once(): this {
    return this.times(1)
  }
  /** Only the n-th that matches, counted from 1. */
  nth(count: number): this {
    return this.#say({ nth: count })
  }
  /** Every n-th that matches. */
  every(count: number): this {
    return this.#say({ every: count })
  }
  /** Lets so many matches through first. */
  after(count: number): this {
    return this.#say({ after: count })
  }
  /** This share of the matches, drawn from the cluster's seed. */
  probability(share: number): this {
    return this.#say({ probability: share })
  }

  // --- then ---

  /** Answered in place of the handler, for the partitions that match; the others are carried out. */
  error(error: ErrorName | number): this {
    const name = typeof error === 'number' ? nameOfCode(error) : error
    if (!(name in ErrorCode) || name === 'NONE')
      throw new Error(`Kafka has no error called ${String(error)}.`)
    return this.#do({ error: name })
  }
  delay(ms: number): this {
    return this.#do({ delayMs: checkedMs(ms) })
  }
  /** The request gets lost: it is not carried out and never answered. */
  drop(): this {
    return this.#do({ drop: true })
  }
  /** The answer gets lost: the request is carried out. */
  swallow(): this {
    return this.#do({ swallow: true })
  }
  /** Closes the connection in place of an answer. */
  disconnect(): this {
    return this.#do({ disconnect: true })
  }
  /** Keeps requests until `release` or `remove`. */
  hold(): this {
    return this.#do({ hold: true })
  }
  /** Records arrive damaged, with a wrong CRC: at the client those of Fetch and ShareFetch, at the broker those of Produce. */
  corrupt(): this {
    const { api } = this.#when
    const wrong = [api ?? '*'].flat().find((name) => !CORRUPTIBLE.has(name))
    if (wrong !== undefined)
      throw new Error(`Only ${[...CORRUPTIBLE].join(', ')} carry records; ${wrong} cannot be corrupted.`)
    return this.#do({ corrupt: true })
  }
  /** Says in the answer that the client was throttled. */
  throttle(ms: number): this {
    return this.#do({ throttleTimeMs: checkedMs(ms) })
  }
  /** Metadata tells another leader than the real one; -1: none. */
  staleLeader(id: number, epoch?: number): this {
    return this.#do({ leader: { id, ...(epoch === undefined ? {} : { epoch }) } })
  }
  /** Error, delay, hold and disconnect come after the request was carried out: the work is done, the client does not know. */
  afterApply(): this {
    this.#then.afterApply = true
    return this
  }

  // --- the handle ---

  /** Requests that it was done to. */
  get hits(): number {
    return this.#handle?.hits ?? 0
  }
  /** Requests that matched. */
  get matches(): number {
    return this.#handle?.matches ?? 0
  }
  /** Requests that it holds now. */
  get heldCount(): number {
    return this.#handle?.heldCount ?? 0
  }
  get isExhausted(): boolean {
    return this.#handle?.isExhausted ?? false
  }
  get isRemoved(): boolean {
    return this.#isRemoved
  }
  /** Resolves when it was done so many times. */
  waitForHit(count = 1, options: { timeoutMs?: number } = {}): Promise<void> {
    return this.#waits.until(
      `${count} hit(s) of ${this.toString()}`,
      () => (this.hits >= count ? { value: undefined } : undefined),
      () => `it was hit ${this.hits} time(s)`,
      options,
    )
  }
  /** Lets everything held go on; what comes later is held again. */
  release(): void {
    this.#handle?.release()
  }
  /** Takes the rule back; what it holds goes on. */
  remove(): void {
    this.#isRemoved = true
    this.#handle?.remove()
  }

  toString(): string {
    const text = (value: object): string => JSON.stringify(value)
    return `the fault ${text(this.#when)} -> ${text(this.#then)}`
  }

  #say(condition: Writable<FaultCondition>): this {
    checkRule({ when: { ...this.#when, ...condition }, then: { hold: true } })
    Object.assign(this.#when, condition)
    return this
  }

  #do(action: FaultAction): this {
    Object.assign(this.#then, action)
    this.#handle ??= this.#rules.add({ when: this.#when, then: this.#then })
    return this
  }
}

/** @throws Error for a time that cannot pass */
function checkedMs(ms: number): number {
  if (!(ms >= 0)) throw new Error(`A fault lasts 0 ms or longer, not ${ms}.`)
  return ms
}

function nameOfCode(code: number): string {
  return Object.entries(ErrorCode).find(([, value]) => value === code)?.[0] ?? `${code}`
}

function apiNames(api: FaultApi): Pick<FaultCondition, 'api'> {
  if (api === '*') return {}
  for (const name of [api].flat()) knownApi(name)
  return { api }
}

export class Faults {
  readonly #engine: FaultEngine
  readonly #waits: Waits
  readonly #own: FaultBuilder[] = []
  readonly #hooks: ControlHandle[] = []
  readonly #filter: FaultFilter

  /** @internal */
  constructor(engine: FaultEngine, waits: Waits, filter: FaultFilter = {}) {
    this.#engine = engine
    this.#waits = waits
    this.#filter = filter
  }

  /** Begins a rule for requests of an API (or of several, or `*`) that match the filter. */
  on(api: FaultApi, filter: FaultFilter = {}): FaultBuilder {
    refuseUnknownKeys('filter of faults', filter, FILTER_KEYS)
    const builder = new FaultBuilder(this.#engine.rules, this.#waits, {
      ...this.#filter,
      ...filter,
      ...apiNames(api),
    })
    this.#own.push(builder)
    return builder
  }

  /** One fault for each of the next requests, in this order. */
  push(api: FaultApi, faults: readonly PushedFault[], filter: FaultFilter = {}): readonly FaultBuilder[] {
    return faults.map((pushed) => {
      const { error, delayMs, disconnect } = typeof pushed === 'string' ? { error: pushed } : pushed
      const builder = this.on(api, filter).once()
      if (error !== undefined && error !== 'NONE') builder.error(error)
      if (disconnect === true) builder.disconnect()
      return builder.delay(delayMs ?? 0)
    })
  }

  /** A function that sees each request before its handler and may answer for it. Gone when it handled one, unless `keep`. */
  control(
    api: ApiName | '*',
    hook: ControlFunction,
    options: { readonly keep?: boolean } = {},
  ): ControlHandle {
    if (api !== '*') apiNames(api)
    const handle = this.#engine.hooks.add(api, hook, options.keep ?? false)
    this.#hooks.push(handle)
    return handle
  }

  /** Faults that still wait for requests, of one API or broker if given. */
  pending(filter: { readonly api?: ApiName; readonly broker?: number } = {}): number {
    return this.#engine.rules.list().filter(({ isExhausted, rule: { when } }) => {
      if (isExhausted) return false
      if (filter.broker !== undefined && when.broker !== filter.broker) return false
      return filter.api === undefined || when.api === undefined || [when.api].flat().includes(filter.api)
    }).length
  }

  /** Takes back the rules of this API; without one all rules and hooks. */
  clear(api?: ApiName): void {
    for (const handle of [...this.#engine.rules.list()]) {
      const { when } = handle.rule
      if (api === undefined || (when.api !== undefined && [when.api].flat().includes(api))) handle.remove()
    }
    if (api === undefined) this.#engine.hooks.clear()
  }

  /** Takes back what was set through this object; on the cluster itself also what its brokers pretend. */
  reset(): void {
    for (const builder of this.#own.splice(0)) builder.remove()
    for (const hook of this.#hooks.splice(0)) hook.remove()
    if (Object.keys(this.#filter).length === 0) this.#engine.reset()
  }

  /** Rules of this object that hold requests now. */
  holding(): readonly FaultBuilder[] {
    return this.#own.filter((builder) => builder.heldCount > 0)
  }

  /** Rules of this object that nothing ever matched. */
  unused(): readonly FaultBuilder[] {
    return this.#own.filter((builder) => builder.hits === 0 && !builder.isRemoved)
  }
}
