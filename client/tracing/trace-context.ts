/**
 * Trace context in message headers, through the OpenTelemetry API that the application hands over; nothing is ever injected
 * silently, and this package depends on none of OpenTelemetry's. `propagation` and `context` of `@opentelemetry/api` fit.
 */
import { fromRecordHeaders, type Headers, type HeadersInput, toRecordHeaders } from '../values/headers.ts'
import type { ProcessContext } from './channels.ts'

/** `propagation` of `@opentelemetry/api`, as far as it is used. */
export interface Propagation<C> {
  inject<T>(context: C, carrier: T, setter: { set(carrier: T, key: string, value: string): void }): void
  extract<T>(
    context: C,
    carrier: T,
    getter: { keys(carrier: T): string[]; get(carrier: T, key: string): string | string[] | undefined },
  ): C
}

/** Headers for `produce` or `send` with the trace context in them; what was there under the same names is replaced. */
export function injectTraceContext<C>(
  propagation: Propagation<C>,
  context: C,
  headers?: HeadersInput | null,
): Headers {
  const given = fromRecordHeaders(toRecordHeaders(headers)) ?? []
  const injected = new Map<string, string>()
  propagation.inject(context, injected, { set: (carrier, key, value) => void carrier.set(key, value) })
  const kept = given.filter(([name]) => !injected.has(name))
  const added = [...injected].map(([name, value]): [string, Buffer] => [name, Buffer.from(value)])
  return [...kept, ...added]
}

/**
 * The context that a message carries; `context` itself when it carries none. Of equal names the last counts.
 * @param headers of a message, or of a `ProcessContext`
 */
export function extractTraceContext<C>(
  propagation: Propagation<C>,
  context: C,
  headers: ProcessContext['headers'],
): C {
  const values = new Map<string, string>()
  for (const [name, value] of headers ?? []) {
    if (value !== null) values.set(name, Buffer.from(value).toString())
  }
  return propagation.extract(context, values, {
    keys: (carrier) => [...carrier.keys()],
    get: (carrier, key) => carrier.get(key),
  })
}
