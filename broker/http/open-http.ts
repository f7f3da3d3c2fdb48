/**
 * Opens the HTTP interface of a cluster. The port is open at once; the server behind it with its libraries, which take longer to load than
 * brokers take to start, comes with the first request.
 */
import { HttpListener, type HttpListenOptions } from '../../common/runtime/node/http-listener.ts'
import type { ClusterView } from './cluster-view.ts'
import type { HttpServerOptions } from './server.ts'

export interface OpenHttp {
  readonly url: string
  close(): Promise<void>
}

const ANY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '::'])

/** @throws Error with the `code` of the system (EADDRINUSE, EACCES) when the address cannot be taken */
export async function openHttp(
  cluster: ClusterView,
  { host, port, ...options }: HttpListenOptions & HttpServerOptions,
): Promise<OpenHttp> {
  const listener = await HttpListener.open({ host, port }, async () => {
    const { createHttpServer } = await import('./server.ts')
    const server = createHttpServer(cluster, options)
    await server.ready()
    // Its own server never listens; it is told what comes to the listener.
    return {
      onRequest: (request, response) => server.server.emit('request', request, response),
      onClientError: (error, socket) => server.server.emit('clientError', error, socket),
      close: () => server.close(),
    }
  })
  return { url: urlOf(listener), close: () => listener.close() }
}

function urlOf({ address: { address, port } }: HttpListener): string {
  const reachable = ANY_ADDRESS.has(address) ? '127.0.0.1' : address
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}
