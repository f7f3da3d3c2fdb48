/**
 * The asking client as telemetry subscriptions select it.
 */
import type { RequestContext } from '../network/request-context.ts'
import type { TelemetryClient } from '../telemetry/client-telemetry.ts'

/** What Kafka takes for a client that has not told its software. */
const UNKNOWN_SOFTWARE = 'unknown'

export function telemetryClientOf({ connection, clientId }: RequestContext): TelemetryClient {
  return {
    client_id: clientId,
    client_software_name: connection.clientSoftwareName || UNKNOWN_SOFTWARE,
    client_software_version: connection.clientSoftwareVersion || UNKNOWN_SOFTWARE,
    client_source_address: connection.clientAddress,
    client_source_port: String(connection.clientPort),
  }
}
