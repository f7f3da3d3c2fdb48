/**
 * One request over a connection of its own, that may wait for long: a test looks whether it was answered yet.
 */
import type { ApiSchema, RequestInputOf, ResponseOf } from '../../common/protocol/schema.ts'
import { type CallFailure, Channel } from '../../common/rpc/channel.ts'
import type { Scheduler } from '../../common/runtime/scheduler.ts'
import type { Address, Transport } from '../../common/runtime/transport.ts'

export interface PendingCall<Response> {
  /** undefined while it waits; a failure when the connection broke. */
  readonly outcome: { readonly response: Response } | { readonly failure: CallFailure } | undefined
  /** Resolves when there is an outcome. */
  readonly done: Promise<void>
  /** Ends the connection, answered or not. */
  close(): void
}

/** Nobody waits for an answer in real time: whoever asked decides how long. */
const LIMIT_MS = 3_600_000

export function askBroker<A extends ApiSchema>(
  api: A,
  request: RequestInputOf<A>,
  options: {
    readonly transport: Transport
    readonly scheduler: Scheduler
    readonly address: Address
    readonly clientId: string
    readonly version: number
  },
): PendingCall<ResponseOf<A>> {
  const { version, ...rest } = options
  const channel = new Channel({
    ...rest,
    maxFrameBytes: 0x7fffffff,
    connectTimeoutMs: LIMIT_MS,
    requestTimeoutMs: LIMIT_MS,
    maxInFlight: 1,
  })
  let outcome: PendingCall<ResponseOf<A>>['outcome']
  const done = new Promise<void>((resolve) => {
    channel.call(api, version, request).whenDone((result) => {
      outcome = result.ok ? { response: result.response } : { failure: result.failure }
      channel.close()
      resolve()
    })
  })
  return {
    get outcome() {
      return outcome
    },
    done,
    close: () => channel.close(),
  }
}
