import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { BROKER_TABLE } from '../../../../broker/config/broker.ts'
import { CLIENT_METRICS_TABLE } from '../../../../broker/config/client-metrics.ts'
import type { ConfigTable } from '../../../../broker/config/define.ts'
import { GROUP_TABLE } from '../../../../broker/config/group.ts'
import { GROUP_SYNONYMS, TOPIC_SYNONYMS } from '../../../../broker/config/synonyms.ts'
import { TOPIC_TABLE } from '../../../../broker/config/topic.ts'
import { parseRow } from '../../../../broker/config/values.ts'

const FACTS = new URL('./facts/', import.meta.url)

function readFacts(file: string): Map<string, readonly string[]> {
  const [, ...lines] = readFileSync(new URL(file, FACTS), 'utf8').trimEnd().split('\n')
  return new Map(lines.map((line) => line.split('\t')).map((cells) => [cells[0] ?? '', cells]))
}

function shownDefault(text: string | null | undefined): string {
  return text === undefined ? '(required)' : (text ?? 'null')
}

/** The rows in the notation of the recorded facts. */
function described(table: ConfigTable): Map<string, readonly string[]> {
  const shown = Object.entries(table).filter(([, row]) => !row.isInternal)
  return new Map(
    shown.map(([name, row]) => [
      name,
      [
        name,
        row.type,
        shownDefault(row.defaultText),
        row.validator?.description ?? '',
        row.importance,
        row.update,
      ],
    ]),
  )
}

describe.each([
  ['broker', BROKER_TABLE, 6],
  ['topic', TOPIC_TABLE, 5],
  ['group', GROUP_TABLE, 5],
] as const)('the %s table', (file, table: ConfigTable, columns) => {
  const facts = readFacts(`${file}.tsv`)
  const rows = described(table)

  test('has the keys Kafka documents, no more and no less', () => {
    expect([...rows.keys()].sort()).toEqual([...facts.keys()].sort())
  })

  test('gives every key the type, default, bounds and importance Kafka gives it', () => {
    for (const [name, cells] of facts) expect(rows.get(name)?.slice(0, columns)).toEqual(cells)
  })

  test('has defaults that pass their own checks', () => {
    for (const [name, row] of Object.entries(table)) {
      if (row.defaultText === null || row.defaultText === undefined) continue
      expect(parseRow(row, name, row.defaultText), name).toMatchObject({ error: null, text: row.defaultText })
    }
  })

  test('documents every key and gives a reason wherever a key has no effect', () => {
    for (const [name, row] of Object.entries(table)) {
      expect(row.documentation.length, name).toBeGreaterThan(10)
      if (row.effect.kind !== 'full') expect(row.effect.reason, name).toMatch(/\.$/)
    }
  })
})

test('a client-metrics subscription has metrics, an interval and patterns', () => {
  expect(Object.keys(CLIENT_METRICS_TABLE).sort()).toEqual(['interval.ms', 'match', 'metrics'])
})

test('synonyms join keys that exist', () => {
  for (const [topicKey, synonyms] of Object.entries(TOPIC_SYNONYMS)) {
    expect(TOPIC_TABLE).toHaveProperty([topicKey])
    for (const { name } of synonyms) expect(BROKER_TABLE).toHaveProperty([name])
  }
  for (const [groupKey, brokerKey] of Object.entries(GROUP_SYNONYMS)) {
    expect(GROUP_TABLE).toHaveProperty([groupKey])
    expect(BROKER_TABLE).toHaveProperty([brokerKey])
  }
})
