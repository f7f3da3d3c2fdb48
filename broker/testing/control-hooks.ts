/**
 * Functions of a test that look at requests before the handler: each may answer, close the connection, stay silent, or let the request pass.
 * A hook that handled a request is gone, unless it is kept. While a hook waits (its promise is open), other connections go on.
 */

import type { ApiName } from '../../common/protocol/registry.ts'
import { Deferred } from '../../common/runtime/deferred.ts'
import { type Answer, CLOSE_CONNECTION, NO_RESPONSE } from '../api/handler.ts'
import type { InterceptedRequest } from '../network/interception.ts'

export interface ControlledRequest {
  readonly api: string
  readonly version: number
  /** The decoded request. */
  readonly request: Readonly<Record<string, unknown>>
  readonly clientId: string
  readonly connectionId: string
  readonly principal: string
  readonly broker: number
  /** Keeps this hook although it handles the request. */
  keep(): void
  /** Removes this hook although it does not handle the request. */
  forget(): void
  /** The answer that says this error of everything asked. */
  refusal(error: number): unknown
  /** Lets the broker carry it out and gives its answer, which the hook may hand on changed. */
  proceed(): Promise<unknown>
}

/** What a hook decides; nothing at all: it only looked. */
export type ControlDecision =
  | { readonly respond: unknown }
  | { readonly disconnect: true }
  | { readonly silence: true }
  // biome-ignore lint/suspicious/noConfusingVoidType: a hook that only looks returns nothing
  | void
  | undefined

export type ControlFunction = (request: ControlledRequest) => ControlDecision | Promise<ControlDecision>

export type ControlVerdict =
  | { readonly reply: (exchange: InterceptedRequest) => Deferred<Answer<unknown>> }
  | undefined

export interface ControlHandle {
  /** Requests that the hook handled. */
  readonly handled: number
  /** Requests that the hook looked at. */
  readonly seen: number
  remove(): void
}

export class ControlHook implements ControlHandle {
  handled = 0
  seen = 0
  readonly api: string
  readonly #decide: ControlFunction
  readonly #onRemove: (hook: ControlHook) => void
  #isKept: boolean

  constructor(options: {
    api: string
    decide: ControlFunction
    isKept: boolean
    onRemove: (hook: ControlHook) => void
  }) {
    this.api = options.api
    this.#decide = options.decide
    this.#isKept = options.isKept
    this.#onRemove = options.onRemove
  }

  remove(): void {
    this.#onRemove(this)
  }

  onHandled(): void {
    this.handled += 1
    if (!this.#isKept) this.remove()
  }

  ask(
    exchange: InterceptedRequest,
    carryOut: () => Deferred<Answer<unknown>>,
  ): ControlVerdict | Promise<ControlVerdict> {
    this.seen += 1
    const { api, context, request } = exchange
    const { principal } = context
    const decision = this.#decide({
      api: api.name,
      version: context.apiVersion,
      request: request as Readonly<Record<string, unknown>>,
      clientId: context.clientId,
      connectionId: context.connection.id,
      principal: `${principal.type}:${principal.name}`,
      broker: context.broker.nodeId,
      keep: () => {
        this.#isKept = true
      },
      forget: () => this.remove(),
      refusal: (error) => exchange.refuse(error as never),
      proceed: () =>
        new Promise((resolve) => {
          carryOut().whenDone((answer) => resolve(typeof answer === 'symbol' ? undefined : answer))
        }),
    })
    return decision instanceof Promise ? decision.then(verdictOf) : verdictOf(decision)
  }
}

function verdictOf(decision: ControlDecision): ControlVerdict {
  if (decision === undefined || decision === null) return undefined
  const answer =
    'respond' in decision ? decision.respond : 'disconnect' in decision ? CLOSE_CONNECTION : NO_RESPONSE
  return { reply: () => Deferred.of<Answer<unknown>>(answer) }
}

export class ControlHooks {
  #hooks: readonly ControlHook[] = []

  get isEmpty(): boolean {
    return this.#hooks.length === 0
  }

  add(api: ApiName | '*', decide: ControlFunction, isKept: boolean): ControlHandle {
    const hook = new ControlHook({
      api,
      decide,
      isKept,
      onRemove: (removed) => {
        this.#hooks = this.#hooks.filter((other) => other !== removed)
      },
    })
    this.#hooks = [...this.#hooks, hook]
    return hook
  }

  forApi(api: string): readonly ControlHook[] {
    return this.#hooks.filter((hook) => hook.api === '*' || hook.api === api)
  }

  clear(): void {
    this.#hooks = []
  }
}
