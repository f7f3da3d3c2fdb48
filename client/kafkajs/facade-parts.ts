/** What producer, consumer and admin of one `Kafka` share. */
import type { ClientConfig } from '../config/table.ts'
import type { Logger } from './logger.ts'
import type { Timing } from './timing.ts'

export interface FacadeParts {
  readonly settings: () => Promise<ClientConfig>
  readonly logger: Logger
  readonly timing: Timing
}

/** Longest that `connect` looks for a broker. */
export const connectMs = 30_000
