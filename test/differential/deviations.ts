/**
 * Where kafkito knowingly answers otherwise than Apache Kafka. Every entry has a reason and must be needed: an entry that
 * explains nothing fails the test.
 */
import type { Difference } from './compare.ts'

export interface Deviation {
  readonly reason: string
  readonly explains: (difference: Difference, scenario: string, step: string) => boolean
}

export const deviations: readonly Deviation[] = []
