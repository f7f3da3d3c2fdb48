/**
 * The records that coordinators keep of groups, transactions and share groups: the same histories are played to kafkito and to Apache Kafka,
 * and what Kafka's own tool prints of the internal topics must be the same, record by record. The histories are those of the differential
 * test, whose answers are equal already, and a few more.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { play } from '../../differential/runner.ts'
import type { Scenario } from '../../differential/scenario.ts'
import { check } from '../lib/cases.ts'
import { kafkaTools } from '../lib/families.ts'
import { runProgram } from '../lib/program.ts'

/** The internal topics, and how Kafka's tool is told to read them. */
export const INTERNAL_TOPICS = {
  __consumer_offsets: '--offsets-decoder',
  __transaction_state: '--transaction-log-decoder',
  __share_group_state: '--share-group-state-decoder',
} as const
export type InternalTopic = keyof typeof INTERNAL_TOPICS

/** Every name in the histories is the same on both, so that records have the same length. */
const RUN_ID = 'rhistory'

export async function playHistories(bootstrap: string, histories: readonly Scenario[]): Promise<void> {
  const [host = '', port = ''] = bootstrap.split(':')
  for (const history of histories) await play(history, { host, port: Number(port), runId: RUN_ID })
}

/** What the tool prints of each record: by its key, in the order of the log, without what differs from run to run. */
export async function recordsOf(data: string, topic: InternalTopic): Promise<Map<string, string[]>> {
  const folder = join(data, `${topic}-0`)
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.log'))
    .sort()
    .map((file) => join(folder, file))
  const args = ['dump-log', INTERNAL_TOPICS[topic], '--files', files.join(',')]
  const { code, stdout, stderr } = await runProgram(kafkaTools, args)
  check(code === 0, `${args.join(' ')} ended with ${code}: ${stderr.slice(-1000)}`)
  const byKey = new Map<string, string[]>()
  for (const line of stdout.split('\n')) {
    const found = /^\| offset: \d+ \S+: -?\d+ (keySize: .*?) key: (.*?) payload: (.*)$/.exec(line)
    const [, sizes, key, payload] =
      found ?? /^\| offset: \d+ \S+: -?\d+ (.*) (endTxnMarker): (.*)$/.exec(line) ?? []
    if (sizes === undefined || key === undefined) continue
    const records = byKey.get(withoutIds(key)) ?? []
    records.push(`${sizes.replace(/sequence: -?\d+ /, '')} ${withOrder(payload ?? '')}`)
    byKey.set(withoutIds(key), records)
  }
  for (const [key, records] of byKey) byKey.set(key, numbered(records))
  return byKey
}

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=[":])(?!rhistory)[\w-]{22}(?=")/g

function withoutIds(text: string): string {
  return text.replace(UUID, '<id>')
}

/** Kafka lists the members of a classic group in the order of their hashes. */
function withOrder(payload: string): string {
  const found = /^(.*"members":\[)(.*)(\]\}\})$/.exec(payload)
  if (found === null) return payload
  const [, before = '', members = '', after = ''] = found
  const sorted = members
    .split(/,(?=\{"memberId")/)
    .map((member) => ({ member, order: withoutIds(member) }))
    .sort((left, right) => (left.order < right.order ? -1 : 1))
  return `${before}${sorted.map(({ member }) => member).join(',')}${after}`
}

/** Ids by the order in which they come; times that are none, now, or soon. */
function numbered(records: readonly string[]): string[] {
  const ids = new Map<string, string>()
  return records.map((record) =>
    record
      .replace(UUID, (id) => {
        if (!ids.has(id)) ids.set(id, `<id ${ids.size + 1}>`)
        return ids.get(id) as string
      })
      .replace(/"metadataHash":-?\d{6,}/g, '"metadataHash":<hash>')
      .replace(/\b1[6-9]\d{11}\b/g, '<time>'),
  )
}
