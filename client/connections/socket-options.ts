/** How sockets are opened, as the configuration says: TLS, address family, Nagle, keep-alive. */
import type { FileSystem } from '../../common/runtime/files.ts'
import type { ConnectOptions } from '../../common/runtime/transport.ts'
import type { Config } from '../config/config.ts'
import { type CheckServerIdentity, tlsOptionsOf } from './tls-options.ts'

export type SocketOptions = Pick<ConnectOptions, 'tls' | 'family' | 'noDelay' | 'keepAlive'>

/** Throws as `tlsOptionsOf` does. */
export function socketOptionsOf(
  config: Config,
  files: FileSystem,
  checkIdentity: CheckServerIdentity | undefined,
): SocketOptions {
  const tls = tlsOptionsOf(config, files, checkIdentity)
  const family = { any: undefined, v4: 4, v6: 6 } as const
  const wanted = family[config.get('broker.address.family')]
  return {
    ...(tls === undefined ? {} : { tls }),
    ...(wanted === undefined ? {} : { family: wanted }),
    noDelay: config.get('socket.nagle.disable'),
    keepAlive: config.get('socket.keepalive.enable'),
  }
}
