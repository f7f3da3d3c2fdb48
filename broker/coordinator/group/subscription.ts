/**
 * What the members of a consumer group ask for: fingerprint of the topics, and patterns that the coordinator resolves.
 *
 * Patterns follow RE2 as far as JavaScript's expressions agree with it; what RE2 does not have (look-around, back references) is
 * refused, and so are nested repetitions, on which JavaScript might not come to an end. Limit: `MAX_PATTERN_LENGTH`.
 */
import type { MetadataImage } from '../../metadata/image.ts'
import type { Outcome } from '../../statemachine/state-machine.ts'
import type { CoordinatorRecord } from '../coordinator-record.ts'
import { ConsumerGroup, type ConsumerMember } from './consumer-group.ts'
import { groupEpochRecord, regularExpressionRecord, regularExpressionTombstone } from './group-records.ts'
import { type GroupShardState, NO_RECORDS } from './group-state.ts'

const MAX_PATTERN_LENGTH = 1024
/** New topics are matched at most this often. */
const REGEX_MIN_REFRESH_MS = 10_000

/** @returns why the pattern is not understood, undefined when it is */
export function checkPattern(pattern: string): string | undefined {
  if (pattern.length > MAX_PATTERN_LENGTH) return `it is longer than ${MAX_PATTERN_LENGTH} characters`
  if (/\(\?<?[=!]/.test(pattern)) return 'look-around is not supported'
  if (/(^|[^\\])(\\\\)*\\([1-9]|k<)/.test(pattern)) return 'back references are not supported'
  if (hasNestedRepetition(pattern)) return 'repetitions within repetitions are not supported'
  try {
    compilePattern(pattern)
    return undefined
  } catch (error) {
    return error instanceof SyntaxError ? describeSyntaxError(error.message) : 'it cannot be compiled'
  }
}

/** In RE2's terms where it has one for the same slip. */
function describeSyntaxError(message: string): string {
  const what = message.slice(message.lastIndexOf(': ') + 2)
  if (what.startsWith('Unterminated character class')) return 'missing closing ]'
  if (what.startsWith('Unterminated group')) return 'missing closing )'
  if (what.startsWith('Unmatched')) return 'unexpected )'
  return what.startsWith('Nothing to repeat') ? 'missing argument to repetition operator' : what
}

/** Topics are matched as a whole. */
function compilePattern(pattern: string): RegExp {
  const flags = /^\(\?([is]+)\)/.exec(pattern)
  const body = (flags === null ? pattern : pattern.slice(flags[0].length))
    .replaceAll('(?P<', '(?<')
    .replaceAll('\\A', '^')
    .replaceAll('\\z', '$')
  return new RegExp(`^(?:${body})$`, flags?.[1] ?? '')
}

/** Whether a repeated group holds a repetition or a choice: the ways to match it could grow without bound. */
function hasNestedRepetition(pattern: string): boolean {
  const groups: { isRisky: boolean }[] = []
  let isClass = false
  for (let index = 0; index < pattern.length; index += 1) {
    const character = pattern[index]
    if (character === '\\') index += 1
    else if (isClass) isClass = character !== ']'
    else if (character === '[') isClass = true
    else if (character === '(') groups.push({ isRisky: false })
    else if (character === ')') {
      const closed = groups.pop()
      const isRepeated = /^(\*|\+|\{\d+,\d*\})/.test(pattern.slice(index + 1))
      if (closed?.isRisky === true && isRepeated) return true
      const outer = groups.at(-1)
      if (outer !== undefined && (isRepeated || closed?.isRisky === true)) outer.isRisky = true
    } else if (
      character === '*' ||
      character === '+' ||
      character === '|' ||
      /^\{\d+,/.test(pattern.slice(index))
    ) {
      const inner = groups.at(-1)
      if (inner !== undefined) inner.isRisky = true
    }
  }
  return false
}

/** Internal topics too: it is the client that may leave them out. */
export function matchTopics(pattern: string, image: MetadataImage): string[] {
  const expression = compilePattern(pattern)
  return [...image.topicsByName.keys()].filter((topic) => expression.test(topic)).sort()
}

/** Patterns in use that are not resolved yet, or not since the topics have changed. */
export function hasStaleRegex(
  shard: GroupShardState,
  group: ConsumerGroup,
  members: Iterable<ConsumerMember>,
): boolean {
  const nowMs = shard.clock.wallMs()
  const { offset } = shard.metadata()
  const refreshMs = shard.config.get('group.consumer.regex.refresh.interval.ms')
  for (const { subscribedTopicRegex } of members) {
    if (subscribedTopicRegex === '') continue
    const resolved = group.regexes.get(subscribedTopicRegex)
    if (resolved === undefined) return true
    const ageMs = nowMs - resolved.timestampMs
    if (ageMs >= refreshMs || (ageMs >= REGEX_MIN_REFRESH_MS && offset > resolved.version)) return true
  }
  return false
}

/**
 * Resolves the group's patterns apart from the heartbeat that needs them, as Kafka does: the member learns of it with a later
 * heartbeat.
 */
export function scheduleRegexResolution(shard: GroupShardState, groupId: string): void {
  const key = `regex ${groupId}`
  if (shard.timers.isScheduled(key)) return
  shard.timers.schedule(key, `pattern subscriptions of group ${groupId}`, 0, () =>
    resolveRegexes(shard, groupId),
  )
}

const NO_TOPICS: ReadonlySet<string> = new Set()

function resolveRegexes(shard: GroupShardState, groupId: string): Outcome<void, CoordinatorRecord> {
  const group = shard.groups.get(groupId)
  if (!(group instanceof ConsumerGroup)) return { records: NO_RECORDS, response: undefined }
  const image = shard.metadata()
  const timestamp = shard.clock.wallMs()
  const records: CoordinatorRecord[] = []
  const resolved = new Map<string, ReadonlySet<string>>()
  let hasChanged = false
  for (const pattern of patternsOf(group.members.values())) {
    const topics = matchTopics(pattern, image)
    // A pattern that is resolved for the first time, to no topic, asks for nothing new.
    const known = group.regexes.get(pattern)?.topics ?? NO_TOPICS
    if (known.size !== topics.length || topics.some((topic) => !known.has(topic))) hasChanged = true
    resolved.set(pattern, new Set(topics))
    records.push(
      regularExpressionRecord(groupId, pattern, { topics, version: Math.max(image.offset, 0), timestamp }),
    )
  }
  if (hasChanged) {
    const hash = metadataHash(
      image,
      subscribedTopics(group.members.values(), (regex) => resolved.get(regex)),
    )
    records.push(groupEpochRecord(groupId, group.groupEpoch + 1, hash))
  }
  return { records, response: undefined }
}

/** Tombstones of patterns that only these members had. */
export function unusedRegexTombstones(
  group: ConsumerGroup,
  remaining: Iterable<ConsumerMember>,
): CoordinatorRecord[] {
  const used = patternsOf(remaining)
  return [...group.regexes.keys()]
    .filter((pattern) => !used.has(pattern))
    .map((pattern) => regularExpressionTombstone(group.groupId, pattern))
}

function patternsOf(members: Iterable<ConsumerMember>): Set<string> {
  const patterns = new Set<string>()
  for (const { subscribedTopicRegex } of members)
    if (subscribedTopicRegex !== '') patterns.add(subscribedTopicRegex)
  return patterns
}

export function subscribedTopics(
  members: Iterable<ConsumerMember>,
  topicsOfRegex: (regex: string) => ReadonlySet<string> | undefined,
): Set<string> {
  const topics = new Set<string>()
  for (const member of members) {
    for (const topic of member.subscribedTopicNames) topics.add(topic)
    if (member.subscribedTopicRegex === '') continue
    for (const topic of topicsOfRegex(member.subscribedTopicRegex) ?? []) topics.add(topic)
  }
  return topics
}

/**
 * A fingerprint of ids, sizes and racks of these topics, 0 for none: when it changes the group needs another assignment. Kafka
 * uses another hash function; a broker that takes over sees a difference once and computes one assignment more.
 */
export function metadataHash(image: MetadataImage, topicNames: ReadonlySet<string>): bigint {
  let high = 0x811c9dc5
  let low = 0x01000193
  let isEmpty = true
  const add = (text: string) => {
    for (let index = 0; index < text.length; index += 1) {
      const code = text.charCodeAt(index)
      high = Math.imul(high ^ code, 0x01000193)
      low = Math.imul(low, 31) + code
    }
  }
  for (const name of [...topicNames].sort()) {
    const topic = image.topicsByName.get(name)
    if (topic === undefined) continue
    isEmpty = false
    add(`${name}\n${topic.id}\n${topic.partitions.length}\n`)
    for (const { replicas } of topic.partitions) {
      const racks = replicas.map((id) => image.brokers.get(id)?.rack ?? '').sort()
      if (racks.some((rack) => rack !== '')) add(`${racks.join(',')}\n`)
    }
  }
  if (isEmpty) return 0n
  const hash = BigInt.asIntN(64, (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0))
  return hash === 0n ? 1n : hash
}
