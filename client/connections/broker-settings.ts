/** How brokers are spoken to, as the configuration says: names, limits and pauses of their connections. */
import type { Random } from '../../common/runtime/random.ts'
import type { Config } from '../config/config.ts'
import { CLIENT_VERSION } from '../version.ts'
import { AddressHistories } from './address-history.ts'
import { reconnectJitter } from './backoff.ts'
import type { BrokerSettings } from './broker.ts'

/** All settings but the world, and those who sign on or watch. */
export function brokerSettingsOf(
  config: Config,
  random: Random,
): Omit<BrokerSettings, 'runtime' | 'authenticator' | 'watch' | 'socket'> {
  return {
    clientId: config.get('client.id'),
    softwareName: softwareWord(config.get('client.software.name')),
    softwareVersion: softwareWord(config.get('client.software.version') ?? CLIENT_VERSION),
    maxFrameBytes: config.get('receive.message.max.bytes'),
    setupTimeoutMs: config.get('socket.connection.setup.timeout.ms'),
    apiVersionTimeoutMs: config.get('api.version.request.timeout.ms'),
    histories: new AddressHistories({
      firstMs: config.get('reconnect.backoff.ms'),
      maxMs: config.get('reconnect.backoff.max.ms'),
      random,
      ...reconnectJitter,
    }),
    maxIdleMs: config.get('connections.max.idle.ms'),
    maxInFlight: config.get('max.in.flight.requests.per.connection'),
  }
}

/** What ApiVersions allows in software names (KIP-511). */
function softwareWord(text: string): string {
  return text.replace(/[^a-zA-Z0-9.-]/g, '-').replace(/^[.-]+|[.-]+$/g, '') || 'unknown'
}
