/**
 * `Transport` over streams that somebody else opens: pairs in memory, tunnels, sockets of another kind. TLS goes on top where a
 * connection asks for it. It listens to nothing.
 */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Reactor } from '../reactor.ts'
import type { Scheduler, Timer } from '../scheduler.ts'
import type { Address, ConnectOptions, Link, Listener, Transport } from '../transport.ts'
import { TcpLink } from './tcp-link.ts'
import { loadTls, tlsConnectOptions } from './tls-context.ts'

/** A stream to the address. It may still be connecting: what is written to it waits. */
export type OpenDuplex = (address: Address) => Duplex

export class DuplexTransport implements Transport {
  readonly #open: OpenDuplex
  readonly #reactor: Reactor
  readonly #scheduler: Scheduler
  #lastLinkId = 0

  constructor(open: OpenDuplex, { reactor, scheduler }: { reactor: Reactor; scheduler: Scheduler }) {
    this.#open = open
    this.#reactor = reactor
    this.#scheduler = scheduler
  }

  listen(): Promise<Listener> {
    return Promise.reject(new Error('streams are opened, not listened for'))
  }

  connect(options: ConnectOptions): Link {
    const { host, port, maxFrameBytes, tls } = options
    const link = new TcpLink({
      id: ++this.#lastLinkId,
      reactor: this.#reactor,
      scheduler: this.#scheduler,
      maxFrameBytes,
      remote: { host, port },
    })
    try {
      const stream = this.#open({ host, port })
      if (tls === undefined) {
        link.adopt(stream, false)
        link.openLater()
      } else this.#secure(link, stream, options, tlsConnectOptions(tls, host))
    } catch (error) {
      link.fail('refused', error instanceof Error ? error : new Error(String(error)))
    }
    return link
  }

  #secure(
    link: TcpLink,
    stream: Duplex,
    { host, port, connectTimeoutMs }: ConnectOptions,
    options: ReturnType<typeof tlsConnectOptions>,
  ): void {
    // Node takes any stream here, whatever the type says.
    const socket = loadTls().connect({ ...options, socket: stream as Socket })
    const abort = (): void => {
      socket.destroy()
      stream.destroy()
    }
    const deadline: Timer = this.#scheduler.schedule(`connecting to ${host}:${port}`, connectTimeoutMs, () =>
      link.fail('timeout'),
    )
    let failure: Error | undefined
    const onClose = (): void => {
      deadline.cancel()
      link.fail('tls-failed', failure)
    }
    link.onAbort = abort
    for (const half of [stream, socket]) {
      half.on('error', (error) => {
        failure ??= error
      })
    }
    socket.on('close', onClose)
    socket.once('secureConnect', () => {
      deadline.cancel()
      socket.off('close', onClose)
      link.onAbort = undefined
      if (link.isClosed) {
        abort()
        return
      }
      link.adopt(socket, false)
      link.openLater()
    })
  }
}
