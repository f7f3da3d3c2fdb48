/**
 * How the log directories of this broker read to clients.
 */
import type { BrokerServices } from '../services.ts'

const ALL_DIRECTORIES = '*'

/** Whether the directory takes no new replicas (KIP-1066). */
export function isCordoned(broker: BrokerServices, path: string): boolean {
  const cordoned = broker.settings.config.get('cordoned.log.dirs') ?? []
  return cordoned.includes(ALL_DIRECTORIES) || cordoned.includes(path)
}
