/**
 * Opens the HTTP interface beside a cluster. Loaded here is its port only, and Node's own HTTP only when it is wanted.
 */
import type { ControlledCluster } from '../broker/http/cluster-control.ts'
import type { ClusterView } from '../broker/http/cluster-view.ts'
import { CommandFailure, ExitCode } from './failure.ts'

export interface HttpSettings {
  readonly host: string
  readonly port: number
  readonly allowedHosts: readonly string[]
  readonly mayControl: boolean
  /** A busy port is an error; otherwise the next free one is taken. */
  readonly strictPorts: boolean
  /** Whether all is in place that clients shall find. */
  readonly isPrepared: () => boolean
}

export interface OpenHttp {
  readonly url: string
  /** Set when another port than the wanted one was taken. */
  readonly warning: string | undefined
  close(): Promise<void>
}

const PORT_TRIES = 100
const MAX_PORT = 65_535

/** @throws CommandFailure when no port is to be had */
export async function openHttp(
  cluster: ClusterView & ControlledCluster,
  settings: HttpSettings,
): Promise<OpenHttp> {
  const open = (await import('../broker/http/open-http.ts')).openHttp
  const { host, port, allowedHosts, mayControl, strictPorts, isPrepared } = settings
  const control = mayControl ? cluster : undefined
  const lastPort = strictPorts || port === 0 ? port : Math.min(MAX_PORT, port + PORT_TRIES)
  for (let tried = port; ; tried += 1) {
    try {
      const { url, close } = await open(cluster, { host, port: tried, allowedHosts, control, isPrepared })
      const warning = tried === port ? undefined : `Port ${port} is taken; HTTP listens on ${tried}.`
      return { url, warning, close }
    } catch (error) {
      const { code } = error as { code?: string }
      if (code === 'EADDRINUSE' && tried < lastPort) continue
      throw listenFailure(code, `${host}:${tried}`, error)
    }
  }
}

function listenFailure(code: string | undefined, address: string, cause: unknown): unknown {
  const next =
    'Give another port with --http-port, or address with --http-bind, or leave HTTP out with --no-http.'
  const fail = (message: string): CommandFailure =>
    new CommandFailure(ExitCode.FAILED, message, next, { cause })
  if (code === 'EADDRINUSE') return fail(`The HTTP port ${address} is used by another program.`)
  if (code === 'EACCES') return fail(`The HTTP port ${address} may not be used by this user.`)
  if (code === 'EADDRNOTAVAIL')
    return fail(`HTTP cannot listen on ${address}: it is no address of this machine.`)
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return fail(`HTTP cannot listen on ${address}: this machine does not know the name.`)
  return cause
}
