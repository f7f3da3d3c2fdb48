/**
 * What happened, as typed events for journals, dashboards and failing tests. Free when nobody listens: callers check
 * `trace.enabled` before they build an event.
 */
export type TraceLevel = 'debug' | 'info' | 'warn' | 'error'

export interface TraceEvent {
  readonly level: TraceLevel
  /** Dotted kind: `log.recovered`, `partition.isr-changed`, `request.failed`. */
  readonly kind: string
  /** Node id of the broker concerned, when there is one. */
  readonly nodeId?: number
  /** One sentence for people. */
  readonly message: string
  readonly data?: Readonly<Record<string, unknown>>
  readonly error?: unknown
}

export interface Trace {
  /** true when a listener wants debug events. Warnings and errors are worth emitting always. */
  readonly enabled: boolean
  emit(event: TraceEvent): void
  /** @returns a function that stops listening */
  listen(listener: (event: TraceEvent) => void, level?: TraceLevel): () => void
}
