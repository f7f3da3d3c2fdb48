/**
 * An HTTP port that is open before there is anything to answer with: what answers is brought by the first request, which waits for it.
 *
 * Owner: whoever opened it. Limits: a request must be whole within ten seconds; idle connections are kept for 72 seconds, which is longer
 * than common proxies keep theirs.
 */
import { lookup } from 'node:dns/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'

/** What answers. */
export interface HttpApplication {
  onRequest(request: IncomingMessage, response: ServerResponse): void
  /** What came is not HTTP. */
  onClientError(error: Error, socket: Duplex): void
  close(): Promise<void>
}

export interface HttpListenOptions {
  /** `localhost` means all of its addresses. */
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
}

const REQUEST_TIMEOUT_MS = 10_000
const KEEP_ALIVE_TIMEOUT_MS = 72_000

export class HttpListener {
  readonly #load: () => Promise<HttpApplication>
  readonly #servers: Server[] = []
  #application: Promise<HttpApplication> | undefined
  #closing: Promise<void> | undefined

  private constructor(load: () => Promise<HttpApplication>) {
    this.#load = load
  }

  /**
   * Opens the port.
   * @param load called at most once, unless it fails
   * @throws Error with the `code` of the system (EADDRINUSE, EACCES) when the address cannot be taken
   */
  static async open(options: HttpListenOptions, load: () => Promise<HttpApplication>): Promise<HttpListener> {
    const listener = new HttpListener(load)
    await listener.#listen(options)
    if (options.host === 'localhost') await listener.#listenOnTheOtherAddresses(options.host)
    return listener
  }

  get address(): AddressInfo {
    const address = this.#servers[0]?.address()
    if (address === null || address === undefined || typeof address === 'string')
      throw new Error('the HTTP server listens nowhere')
    return address
  }

  /** Breaks open connections. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const closed = this.#servers.map((server) => new Promise((resolve) => server.close(resolve)))
    for (const server of this.#servers) server.closeAllConnections()
    await Promise.all(closed)
    const application = await this.#application?.catch(() => undefined)
    await application?.close()
  }

  #listen(options: HttpListenOptions): Promise<void> {
    const server = createServer()
    server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS
    server.requestTimeout = REQUEST_TIMEOUT_MS
    server.on('request', (request, response) => {
      this.#withApplication((application) => application.onRequest(request, response), response)
    })
    server.on('clientError', (error, socket) => {
      this.#withApplication((application) => application.onClientError(error, socket), socket)
    })
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(options, () => {
        server.removeListener('error', reject)
        this.#servers.push(server)
        resolve()
      })
    })
  }

  /** Who comes by the other family of addresses shall not be turned away; where there is none, nothing is lost. */
  async #listenOnTheOtherAddresses(host: string): Promise<void> {
    const { address: first, port } = this.address
    const all = await lookup(host, { all: true }).catch(() => [])
    for (const { address } of all)
      if (address !== first) await this.#listen({ host: address, port }).catch(() => {})
  }

  #withApplication(use: (application: HttpApplication) => void, asking: ServerResponse | Duplex): void {
    this.#application ??= this.#load()
    this.#application.then(use).catch((error) => {
      // The next one tries again; this one sees its connection break, as of a server that cannot start.
      this.#application = undefined
      asking.destroy(error)
    })
  }
}
