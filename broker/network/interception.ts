/**
 * Where a test may stand between a client and the handlers: it sees every decoded request, may answer in the handler's place, change the
 * request or the answer, or let either wait.
 *
 * Owner: whoever started the cluster; one object for all of its brokers. Invariant: without an interceptor a request costs one comparison.
 */
import type { ErrorCode } from '../../common/protocol/errors.ts'
import type { ApiSchema } from '../../common/protocol/schema.ts'
import type { Deferred } from '../../common/runtime/deferred.ts'
import type { Answer } from '../api/handler.ts'
import type { RequestContext } from './request-context.ts'

export interface InterceptedRequest {
  readonly api: ApiSchema
  readonly context: RequestContext
  /** As decoded: of the type that `api` says. */
  readonly request: unknown
  /** The answer that says this error of everything that a request asks for. */
  refuse(error: Exclude<ErrorCode, 0>, request?: unknown): unknown
  /** Goes on to the handler; with another request in place of this one when it is given. To be called once at most. */
  proceed(request?: unknown): Deferred<Answer<unknown>>
}

export interface Interceptor {
  intercept(intercepted: InterceptedRequest): Deferred<Answer<unknown>>
  /** Whether a client may connect to this broker now. */
  mayConnect?(nodeId: number, clientAddress: string): boolean
}

export interface Interception {
  readonly interceptor: Interceptor | undefined
}
