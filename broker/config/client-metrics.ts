/**
 * Keys of a client-metrics subscription (KIP-714).
 */
import { defineTable, int, list } from './define.ts'
import { listOf } from './validators.ts'

export const CLIENT_METRICS_TABLE = defineTable({
  'interval.ms': int(
    '300000',
    null,
    'MEDIUM',
    'cluster-wide',
    'How often a client pushes its metrics, in milliseconds; 100 to 3600000.',
  ),
  match: list(
    '',
    listOf(),
    'MEDIUM',
    'cluster-wide',
    'Which clients the subscription is for, as `selector=regular expression` entries; empty means all.',
  ),
  metrics: list(
    '',
    listOf(),
    'MEDIUM',
    'cluster-wide',
    'Prefixes of the names of the metrics a client is asked to push; `*` asks for all, empty for none.',
  ),
})
