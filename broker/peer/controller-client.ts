/**
 * Requests of this broker to the active controller, wherever it is: tried again, after a pause, until the controller that answers is the
 * active one or the time is up.
 */

import { ErrorCode } from '../../common/protocol/errors.ts'
import type { ApiSchema, RequestInputOf, ResponseOf } from '../../common/protocol/schema.ts'
import type { CallResult } from '../../common/rpc/channel.ts'
import { Deferred } from '../../common/runtime/deferred.ts'
import type { Scheduler } from '../../common/runtime/scheduler.ts'
import type { Address } from '../../common/runtime/transport.ts'
import type { PeerClient } from './peer-client.ts'

export interface ControllerClientOptions {
  readonly peers: PeerClient
  readonly scheduler: Scheduler
  /** Where the active controller listens; undefined while none is known. */
  readonly controllerAddress: () => Address | undefined
  readonly retryBackoffMs: number
}

export class ControllerClient {
  readonly #options: ControllerClientOptions

  constructor(options: ControllerClientOptions) {
    this.#options = options
  }

  /** @param timeoutMs over all tries; the result is `timed-out` when no active controller answered in it */
  call<A extends ApiSchema>(
    api: A,
    request: RequestInputOf<A>,
    timeoutMs: number,
  ): Deferred<CallResult<ResponseOf<A>>> {
    const result = new Deferred<CallResult<ResponseOf<A>>>()
    const { scheduler } = this.#options
    const limit = scheduler.schedule(`time limit of ${api.name} to the controller`, timeoutMs, () =>
      result.complete({ ok: false, failure: 'timed-out' }),
    )
    result.whenDone(() => limit.cancel())
    this.#try(api, request, timeoutMs, result)
    return result
  }

  #try<A extends ApiSchema>(
    api: A,
    request: RequestInputOf<A>,
    timeoutMs: number,
    result: Deferred<CallResult<ResponseOf<A>>>,
  ): void {
    if (result.isDone) return
    const { peers, scheduler, controllerAddress, retryBackoffMs } = this.#options
    const retry = () => {
      scheduler.schedule(`retry of ${api.name} to the controller`, retryBackoffMs, () =>
        this.#try(api, request, timeoutMs, result),
      )
    }
    const address = controllerAddress()
    if (address === undefined) {
      retry()
      return
    }
    peers.call(address, api, request, { timeoutMs }).whenDone((answer) => {
      if (result.isDone) return
      if (answer.ok && !isNotController(answer.response)) result.complete(answer)
      else if (!answer.ok && answer.failure === 'malformed') result.complete(answer)
      else retry()
    })
  }
}

/** The whole-answer error of requests that only the active controller serves. */
function isNotController(response: unknown): boolean {
  const errorCode = (response as { errorCode?: number }).errorCode
  return errorCode === ErrorCode.NOT_CONTROLLER
}
