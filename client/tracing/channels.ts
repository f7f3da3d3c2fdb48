/**
 * The tracing channels of `node:diagnostics_channel`, by operation. Each follows the contract of `TracingChannel`: `start`
 * and `end` around the call, `asyncStart` and `asyncEnd` around its completion, `error` before them when it failed; one
 * context object goes through all of them. Nothing is made, measured or published while a channel has no subscriber.
 *
 * The contexts below are part of the API. `attributes` are named after OpenTelemetry's conventions for messaging; a
 * subscriber may add members of its own (a span, say) to a context. On completion `result` or `error` is set.
 */
import { tracingChannel } from 'node:diagnostics_channel'
import type { OperationChannel } from './operation-channel.ts'

export type TraceAttributes = Readonly<Record<string, string | number | boolean>>

export interface TraceContext {
  /** `produce`, `Fetch`, `connect` … */
  readonly operation: string
  readonly clientId: string
  readonly attributes: TraceAttributes
  result?: unknown
  error?: unknown
}

/** `kafka:connection`: from the first packet to the end of authentication. */
export interface ConnectionContext extends TraceContext {
  readonly host: string
  readonly port: number
}

/** `kafka:request` for every request; `kafka:fetch`, `kafka:group`, `kafka:commit`, `kafka:admin` for those of the kind. */
export interface RequestContext extends TraceContext {
  readonly apiKey: number
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

/** `kafka:produce`: one message, from `produce` to its fate. `result` is the report. */
export interface ProduceContext extends TraceContext {
  readonly topic: string
}

/** `kafka:process`: what the application does with a message or a batch of one partition. */
export interface ProcessContext extends TraceContext {
  readonly topic: string
  readonly partition: number
  /** Of the first message. */
  readonly offset: number
  readonly messageCount: number
  /** Of a single message, in order; null for batches and for messages without. */
  readonly headers: readonly (readonly [string, Uint8Array | null])[] | null
}

function channel<C extends TraceContext>(name: string): OperationChannel<C> {
  return tracingChannel(`kafka:${name}`) as unknown as OperationChannel<C>
}

export const channels = {
  connection: channel<ConnectionContext>('connection'),
  request: channel<RequestContext>('request'),
  produce: channel<ProduceContext>('produce'),
  fetch: channel<RequestContext>('fetch'),
  process: channel<ProcessContext>('process'),
  group: channel<RequestContext>('group'),
  admin: channel<RequestContext>('admin'),
  commit: channel<RequestContext>('commit'),
} as const

/** An operation in progress. Exists only while somebody subscribes. */
export class Trace<C extends TraceContext = TraceContext> {
  readonly context: C
  readonly #channel: OperationChannel<C>

  private constructor(channel: OperationChannel<C>, context: C) {
    this.#channel = channel
    this.context = context
  }

  /** undefined without a subscriber: then `context` is never called. The synchronous part ends at once. */
  static begin<C extends TraceContext>(channel: OperationChannel<C>, context: () => C): Trace<C> | undefined {
    if (!channel.hasSubscribers) return undefined
    const trace = new Trace(channel, context())
    channel.start.publish(trace.context)
    channel.end.publish(trace.context)
    return trace
  }

  /**
   * Runs the application's code as the traced operation: stores bound to `start` (an AsyncLocalStorage with the active span,
   * say) hold inside it.
   */
  static async run<C extends TraceContext, T>(
    channel: OperationChannel<C>,
    context: () => C,
    call: () => Promise<T>,
  ): Promise<T> {
    if (!channel.hasSubscribers) return await call()
    return await channel.tracePromise(call, context())
  }

  succeeded(result?: unknown): void {
    this.context.result = result
    this.#completed()
  }

  failed(error: unknown): void {
    this.context.error = error
    this.#channel.error.publish(this.context)
    this.#completed()
  }

  #completed(): void {
    this.#channel.asyncStart.publish(this.context)
    this.#channel.asyncEnd.publish(this.context)
  }
}
