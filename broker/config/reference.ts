/**
 * The tables as the documentation and its test want them.
 */
import { BROKER_TABLE } from './broker.ts'
import { CLIENT_METRICS_TABLE } from './client-metrics.ts'
import type { ConfigRow, ConfigTable } from './define.ts'
import { GROUP_TABLE } from './group.ts'
import { TOPIC_TABLE } from './topic.ts'

export const CONFIG_TABLES: Readonly<Record<'broker' | 'topic' | 'group' | 'client-metrics', ConfigTable>> = {
  broker: BROKER_TABLE,
  topic: TOPIC_TABLE,
  group: GROUP_TABLE,
  'client-metrics': CLIENT_METRICS_TABLE,
}

export interface IneffectiveKey {
  readonly table: keyof typeof CONFIG_TABLES
  readonly name: string
  readonly kind: 'part' | 'none'
  readonly reason: string
}

function ineffective(
  table: keyof typeof CONFIG_TABLES,
  name: string,
  { effect }: ConfigRow,
): IneffectiveKey[] {
  return effect.kind === 'full' ? [] : [{ table, name, kind: effect.kind, reason: effect.reason }]
}

/** Keys that are accepted and described as Kafka does, but change little or nothing here. */
export function ineffectiveKeys(): readonly IneffectiveKey[] {
  return (Object.keys(CONFIG_TABLES) as (keyof typeof CONFIG_TABLES)[]).flatMap((table) =>
    Object.entries(CONFIG_TABLES[table]).flatMap(([name, row]) => ineffective(table, name, row)),
  )
}
