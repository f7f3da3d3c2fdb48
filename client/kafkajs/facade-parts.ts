/** What producer, consumer and admin of one `Kafka` share. */
import type { ClientConfig } from '../config/table.ts'
import type { Patience } from './first-contact.ts'
import type { Logger } from './logger.ts'
import type { Timing } from './timing.ts'

export interface FacadeParts {
  readonly settings: () => Promise<ClientConfig>
  readonly logger: Logger
  readonly timing: Timing
  /** Of `connect`. */
  readonly patience: Patience
}

/** Longest that the cluster is asked about groups and leaders. */
export const lookUpMs = 30_000
