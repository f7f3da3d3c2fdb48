/**
 * How an API is served: one handler per file, same number and name as its schema.
 */

import type { ErrorCode } from '../../common/protocol/errors.ts'
import type { ApiSchema, RequestOf, ResponseInputOf } from '../../common/protocol/schema.ts'
import type { Deferred } from '../../common/runtime/deferred.ts'
import type { RequestContext } from '../network/request-context.ts'

/** Who can answer. `controller` requests are forwarded to the active controller by the router. */
export type RunsOn =
  | 'any'
  | 'controller'
  | 'leader'
  | 'groupCoordinator'
  | 'transactionCoordinator'
  | 'shareCoordinator'

/** Instead of an answer: Produce with acks=0 has none; `close` ends the connection, as Kafka does on an acks=0 failure. */
export const NO_RESPONSE = Symbol('no response')
export const CLOSE_CONNECTION = Symbol('close connection')
export type Answer<Response> = Response | typeof NO_RESPONSE | typeof CLOSE_CONNECTION

export interface DividedRequest<A extends ApiSchema> {
  /** What is left for the controller; undefined: nothing. */
  readonly rest: RequestOf<A> | undefined
  /** The whole answer, from the controller's; undefined when it was not asked. */
  merge(response: ResponseInputOf<A> | undefined): ResponseInputOf<A>
}

export interface Handler<A extends ApiSchema> {
  readonly api: A
  /** Versions served, a part of the schema's: `0-13`. */
  readonly versions: string
  readonly runsOn: RunsOn
  /** Whether nothing of the request's bytes is read any more once it is answered, so that their memory can be used again. */
  readonly forgetsRequest?: boolean
  /** Runs to completion in one turn; a deferred answer is completed in a later one. Throws only on bugs. */
  handle(
    context: RequestContext,
    request: RequestOf<A>,
  ): Answer<ResponseInputOf<A>> | Deferred<ResponseInputOf<A>> | Deferred<Answer<ResponseInputOf<A>>>
  /**
   * Only for `controller` requests: what the broker that is asked decides itself. It is not asked when the request comes from a broker.
   */
  divide?(context: RequestContext, request: RequestOf<A>): DividedRequest<A>
  /**
   * The same error for everything that was asked: authorisation, limits, faults and bugs use it.
   * @param apiVersion of the request, for APIs that say errors elsewhere in other versions; absent: the highest
   */
  refuse(
    request: RequestOf<A>,
    error: Exclude<ErrorCode, 0>,
    message?: string | null,
    apiVersion?: number,
  ): ResponseInputOf<A>
}

export type HandlerDefinition<A extends ApiSchema> = Omit<Handler<A>, 'api'>

export function defineHandler<const A extends ApiSchema>(
  api: A,
  definition: HandlerDefinition<A>,
): Handler<A> {
  return { api, ...definition }
}
