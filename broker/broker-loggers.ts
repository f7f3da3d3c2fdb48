/**
 * The levels of this broker's loggers that were set at run time (KIP-412). Owner: the broker. In memory only: a restart begins with
 * none, as in Kafka.
 */
import type { LogLevel } from './config/broker-logger.ts'

export class BrokerLoggers {
  #levels: ReadonlyMap<string, LogLevel> = new Map()

  /** Logger name -> its own level; see `effectiveLevel` for those that have none. */
  get levels(): ReadonlyMap<string, LogLevel> {
    return this.#levels
  }

  replaceLevels(levels: ReadonlyMap<string, LogLevel>): void {
    this.#levels = levels
  }
}
