/**
 * From a frame to its handler: header, version, who may ask, and where it runs.
 *
 * Invariants: whatever arrives ends in an answer or a closed connection, of this client only; an exception in a handler is a bug
 * that refuses this one request (UNKNOWN_SERVER_ERROR) and is traced. Controller APIs are passed on to the active controller when
 * that is another node.
 */
import { decodeRequest } from '../../common/protocol/codec.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { Frame } from '../../common/protocol/frame.ts'
import { decodeRequestHeader, encodeRequestFrame, encodeResponseFrame } from '../../common/protocol/header.ts'
import { MalformedFrame } from '../../common/protocol/malformed-frame.ts'
import type { ApiSchema } from '../../common/protocol/schema.ts'
import { hasVersion, type VersionRange, versionRange } from '../../common/protocol/versions.ts'
import { asDeferred, Deferred } from '../../common/runtime/deferred.ts'
import type { Answer, Handler } from '../api/handler.ts'
import type { BrokerServices } from '../services.ts'
import type { ConnectionInfo } from './connection-info.ts'
import { isOfDeposedController } from './deposed.ts'
import type { Interception, Interceptor } from './interception.ts'
import type { RequestContext } from './request-context.ts'

/** A request on its way through the broker. */
export interface Exchange {
  readonly api: ApiSchema
  readonly context: RequestContext
  /** What is sent in place of the answer when the turn's records could not be written; undefined: the answer promised nothing. */
  readonly refuseUnwritten: (() => unknown) | undefined
  readonly answer: Deferred<Answer<unknown>>
  /** To be called when the answer has been sent, or none will be: gives the request's memory back. */
  readonly recycle: (() => void) | undefined
}

/** Takes requests that must run on the active controller to it. */
export interface ControllerForwarder {
  /**
   * @returns undefined when this node serves the request itself: it is the active controller, or was asked as one; a result without
   *   answer when no controller could be reached in time
   */
  forward(
    api: ApiSchema,
    context: RequestContext,
    frame: Frame,
  ): Deferred<{ readonly answer: unknown } | undefined> | undefined
}

interface Route {
  readonly handler: Handler<ApiSchema>
  readonly versions: VersionRange
}

export class Router {
  readonly #broker: BrokerServices
  readonly #routes = new Map<number, Route>()
  readonly #forwarder: ControllerForwarder
  readonly #interception: Interception | undefined

  constructor(
    broker: BrokerServices,
    handlers: readonly Handler<ApiSchema>[],
    forwarder: ControllerForwarder,
    interception?: Interception,
  ) {
    this.#broker = broker
    this.#forwarder = forwarder
    this.#interception = interception
    for (const handler of handlers) {
      this.#routes.set(handler.api.key, { handler, versions: versionRange(handler.versions) })
    }
  }

  /**
   * Starts the request in `frame`.
   * @returns undefined when the frame is not a request that this listener takes: the connection must be closed, as Kafka does
   */
  dispatch(connection: ConnectionInfo, frame: Frame): Exchange | undefined {
    try {
      return this.#dispatch(connection, frame)
    } catch (error) {
      if (!(error instanceof MalformedFrame)) throw error
      if (this.#broker.runtime.trace.enabled) {
        this.#broker.runtime.trace.emit({
          level: 'debug',
          kind: 'connection.malformed-frame',
          nodeId: this.#broker.nodeId,
          message: `closed ${connection.id}: ${error.message}`,
        })
      }
      return undefined
    }
  }

  /**
   * Runs a request that another broker passed on (Envelope).
   * @returns the whole answer frame; INVALID_REQUEST when the frame is no request, or it has no answer; NOT_CONTROLLER when this node
   *   lost that office before the request was done, for the other broker to ask the next controller
   */
  dispatchForwarded(connection: ConnectionInfo, frame: Frame): Deferred<Frame | ErrorCode> {
    const exchange = this.dispatch(connection, frame)
    if (exchange === undefined) return Deferred.of<Frame | ErrorCode>(ErrorCode.INVALID_REQUEST)
    const { api, context } = exchange
    const { apiVersion: version, correlationId } = context
    // Its client is told here how long it is held back; the broker that passed it on does so.
    const answer = this.#metered(context, exchange.answer, frame)
    return answer.map<Frame | ErrorCode>((response) => {
      if (typeof response === 'symbol') return ErrorCode.INVALID_REQUEST
      if (isOfDeposedController(response)) return ErrorCode.NOT_CONTROLLER
      return encodeResponseFrame(api, { version, correlationId }, response as never)
    })
  }

  #dispatch(connection: ConnectionInfo, frame: Frame): Exchange | undefined {
    const { header, api, reader } = decodeRequestHeader(frame)
    const route = this.#routes.get(api.key)
    if (route === undefined || !api.listeners.includes(connection.listener.kind)) return undefined
    const interceptor = this.#interception?.interceptor
    const context: RequestContext = {
      broker: this.#broker,
      connection,
      principal: connection.principal,
      apiKey: header.apiKey,
      apiVersion: header.apiVersion,
      correlationId: header.correlationId,
      clientId: header.clientId,
      receivedMs: this.#broker.runtime.clock.monotonicMs(),
      mayReuseMemory: interceptor === undefined,
    }
    const { handler } = route
    if (!hasVersion(route.versions, header.apiVersion)) return this.#unsupportedVersion(handler, context)
    const request = decodeRequest(api, header.apiVersion, reader) as never
    const answer =
      interceptor === undefined
        ? this.#run(handler, context, request, frame)
        : this.#intercept(interceptor, handler, context, request, frame)
    return {
      api,
      context,
      refuseUnwritten: unwrittenRefusal(handler, request, header.apiVersion),
      answer: connection.listener.kind === 'controller' ? answer : this.#metered(context, answer, frame),
      // An interceptor may keep the request, or repeat it.
      recycle: interceptor === undefined && handler.forgetsRequest === true ? frame.recycle : undefined,
    }
  }

  /** Counts what clients do under quotas, and tells those above in any answer how long they are held back. */
  #metered(
    context: RequestContext,
    answer: Deferred<Answer<unknown>>,
    { sizeBytes }: Frame,
  ): Deferred<Answer<unknown>> {
    const { quotas, runtime } = this.#broker
    if (!quotas.isActive) return answer
    context.handlingMs = runtime.clock.monotonicMs() - context.receivedMs
    return answer.map((given) => {
      const isSilent = typeof given === 'symbol'
      const throttleTimeMs = quotas.meter(context, sizeBytes, isSilent)
      return isSilent || throttleTimeMs === 0 ? given : { ...(given as object), throttleTimeMs }
    })
  }

  #intercept(
    interceptor: Interceptor,
    handler: Handler<ApiSchema>,
    context: RequestContext,
    request: never,
    frame: Frame,
  ): Deferred<Answer<unknown>> {
    const { api } = handler
    const { apiVersion: version, correlationId, clientId } = context
    return interceptor.intercept({
      api,
      context,
      request,
      refuse: (error, refused = request) => handler.refuse(refused as never, error, undefined, version),
      proceed: (changed = request) =>
        changed === request
          ? this.#run(handler, context, request, frame)
          : this.#run(
              handler,
              context,
              changed as never,
              encodeRequestFrame(api, { version, correlationId, clientId }, changed as never),
            ),
    })
  }

  #run(
    handler: Handler<ApiSchema>,
    context: RequestContext,
    request: never,
    frame: Frame,
  ): Deferred<Answer<unknown>> {
    try {
      return handler.runsOn === 'controller'
        ? this.#runOnController(handler, context, request, frame)
        : asDeferred(handler.handle(context, request) as Answer<unknown>)
    } catch (error) {
      this.#broker.runtime.trace.emit({
        level: 'error',
        kind: 'request.failed',
        nodeId: this.#broker.nodeId,
        message: `${handler.api.name} v${context.apiVersion} failed: ${error instanceof Error ? error.message : String(error)}`,
        error,
      })
      const { UNKNOWN_SERVER_ERROR } = ErrorCode
      return Deferred.of<Answer<unknown>>(
        handler.refuse(request, UNKNOWN_SERVER_ERROR, undefined, context.apiVersion),
      )
    }
  }

  #runOnController(
    handler: Handler<ApiSchema>,
    context: RequestContext,
    request: never,
    frame: Frame,
  ): Deferred<Answer<unknown>> {
    if (handler.divide === undefined || context.connection.listener.kind === 'controller') {
      return this.#forwardOrHandle(handler, context, request, frame)
    }
    const { rest, merge } = handler.divide(context, request)
    if (rest === undefined) return Deferred.of<Answer<unknown>>(merge(undefined))
    const { apiVersion: version, correlationId, clientId } = context
    const restFrame = encodeRequestFrame(handler.api, { version, correlationId, clientId }, rest)
    return this.#forwardOrHandle(handler, context, rest as never, restFrame).map((answer) =>
      typeof answer === 'symbol' ? answer : merge(answer as never),
    )
  }

  #forwardOrHandle(
    handler: Handler<ApiSchema>,
    context: RequestContext,
    request: never,
    frame: Frame,
  ): Deferred<Answer<unknown>> {
    const forwarded = this.#forward(handler, context, request, frame)
    if (forwarded !== undefined) return forwarded
    const handled = asDeferred(handler.handle(context, request) as Answer<unknown>)
    if (context.connection.listener.kind === 'controller') return handled
    return handled.flatMap((answer) => {
      const next = isOfDeposedController(answer) ? this.#forward(handler, context, request, frame) : undefined
      return next ?? Deferred.of(answer)
    })
  }

  #forward(
    handler: Handler<ApiSchema>,
    context: RequestContext,
    request: never,
    frame: Frame,
  ): Deferred<Answer<unknown>> | undefined {
    return this.#forwarder.forward(handler.api, context, frame)?.map<Answer<unknown>>((result) => {
      if (result === undefined) {
        return handler.refuse(request, ErrorCode.REQUEST_TIMED_OUT, undefined, context.apiVersion)
      }
      // The controller has counted it; the connection is here.
      context.throttleTimeMs = (result.answer as { throttleTimeMs?: number }).throttleTimeMs ?? 0
      return result.answer
    })
  }

  /** Only ApiVersions is answered in a version the client can read (v0) when it asks in one that is not known here. */
  #unsupportedVersion(handler: Handler<ApiSchema>, context: RequestContext): Exchange | undefined {
    if (handler.api.name !== 'ApiVersions') return undefined
    const answer = handler.refuse({} as never, ErrorCode.UNSUPPORTED_VERSION)
    return {
      api: handler.api,
      context: { ...context, apiVersion: 0 },
      refuseUnwritten: undefined,
      answer: Deferred.of<Answer<unknown>>(answer),
      recycle: undefined,
    }
  }
}

/** Answers that say nothing of records: a client that connects in that turn must not stumble over them. */
const PROMISING_NOTHING: ReadonlySet<string> = new Set([
  'ApiVersions',
  'DescribeCluster',
  'FindCoordinator',
  'Metadata',
  'SaslAuthenticate',
  'SaslHandshake',
])

/** Coordinators do not speak of disks, as in Kafka. */
function unwrittenRefusal(
  handler: Handler<ApiSchema>,
  request: never,
  version: number,
): (() => unknown) | undefined {
  if (PROMISING_NOTHING.has(handler.api.name)) return undefined
  switch (handler.runsOn) {
    case 'groupCoordinator':
    case 'transactionCoordinator':
    case 'shareCoordinator':
      return () => handler.refuse(request, ErrorCode.NOT_COORDINATOR, undefined, version)
    default:
      return () => handler.refuse(request, ErrorCode.KAFKA_STORAGE_ERROR, undefined, version)
  }
}
