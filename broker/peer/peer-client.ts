/**
 * Requests of this broker to the other nodes of its cluster (and to itself, which goes the same way): one channel per address,
 * made when it is needed and made anew after it broke.
 *
 * Owner: the broker. Limits: `maxInFlight` requests a channel; each call ends within its time limit.
 */

import type { ApiSchema, RequestInputOf, ResponseOf } from '../../common/protocol/schema.ts'
import { type CallResult, Channel } from '../../common/rpc/channel.ts'
import type { Deferred } from '../../common/runtime/deferred.ts'
import type { Scheduler } from '../../common/runtime/scheduler.ts'
import type { Address, Transport } from '../../common/runtime/transport.ts'

export interface PeerClientOptions {
  readonly transport: Transport
  readonly scheduler: Scheduler
  readonly clientId: string
  /** For calls that do not say otherwise; 30 s. */
  readonly requestTimeoutMs?: number
}

const REQUEST_TIMEOUT_MS = 30_000
const CONNECT_TIMEOUT_MS = 5_000
const MAX_FRAME_BYTES = 0x7fffffff
const MAX_IN_FLIGHT = 5

export class PeerClient {
  readonly #options: PeerClientOptions
  readonly #requestTimeoutMs: number
  readonly #channels = new Map<string, Channel>()
  #isClosed = false

  constructor(options: PeerClientOptions) {
    this.#options = options
    this.#requestTimeoutMs = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS
  }

  /** Sends in the highest version of the schema unless told otherwise: all nodes of a cluster are of one build. */
  call<A extends ApiSchema>(
    address: Address,
    api: A,
    request: RequestInputOf<A>,
    options: { version?: number; timeoutMs?: number } = {},
  ): Deferred<CallResult<ResponseOf<A>>> {
    const { version = api.versions.highest, timeoutMs = this.#requestTimeoutMs } = options
    return this.#channelTo(address).call(api, version, request, timeoutMs)
  }

  close(): void {
    this.#isClosed = true
    this.disconnect()
  }

  /** Everything in progress fails, and what has not left yet never does; later calls connect anew. */
  disconnect(): void {
    const channels = [...this.#channels.values()]
    // First: whoever hears of the end may call again at once, over a channel of its own.
    this.#channels.clear()
    for (const channel of channels) channel.close()
  }

  #channelTo(address: Address): Channel {
    const key = `${address.host}:${address.port}`
    const known = this.#channels.get(key)
    if (known !== undefined && !known.isClosed) return known
    const { transport, scheduler, clientId } = this.#options
    const channel = new Channel({
      transport,
      scheduler,
      address,
      clientId,
      requestTimeoutMs: this.#requestTimeoutMs,
      maxFrameBytes: MAX_FRAME_BYTES,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      maxInFlight: MAX_IN_FLIGHT,
      onClosed: () => {
        if (this.#channels.get(key) === channel) this.#channels.delete(key)
      },
    })
    if (this.#isClosed) channel.close()
    else if (!channel.isClosed) this.#channels.set(key, channel)
    return channel
  }
}
