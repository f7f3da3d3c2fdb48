/**
 * What `TracingChannel` of `node:diagnostics_channel` offers, for contexts of one kind. The declarations of Node's versions give
 * that class type parameters in different order: declared here, applications may compile against any of them.
 */
import type { AsyncLocalStorage } from 'node:async_hooks'

export type ContextListener<C> = (context: C, name: string | symbol) => void

/** One moment of an operation. */
export interface ContextChannel<C> {
  readonly name: string | symbol
  readonly hasSubscribers: boolean
  publish(context: C): void
  subscribe(listener: ContextListener<C>): void
  unsubscribe(listener: ContextListener<C>): boolean
  /** The store holds what `transform` makes of the context while the operation runs; without it the context itself. */
  bindStore<S>(store: AsyncLocalStorage<S>, transform?: (context: C) => S): void
  unbindStore<S>(store: AsyncLocalStorage<S>): boolean
}

export interface OperationListeners<C> {
  readonly start?: (context: C) => void
  readonly end?: (context: C) => void
  readonly asyncStart?: (context: C) => void
  readonly asyncEnd?: (context: C) => void
  readonly error?: (context: C) => void
}

export interface OperationChannel<C> {
  readonly start: ContextChannel<C>
  readonly end: ContextChannel<C>
  readonly asyncStart: ContextChannel<C>
  readonly asyncEnd: ContextChannel<C>
  readonly error: ContextChannel<C>
  readonly hasSubscribers: boolean
  subscribe(listeners: OperationListeners<C>): void
  unsubscribe(listeners: OperationListeners<C>): boolean
  tracePromise<T>(call: () => Promise<T>, context: C): Promise<T>
}
