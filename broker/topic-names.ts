/**
 * What a topic may be called, and which topics belong to Kafka itself.
 */
export const OFFSETS_TOPIC = '__consumer_offsets'
export const TRANSACTION_TOPIC = '__transaction_state'
export const SHARE_STATE_TOPIC = '__share_group_state'
export const METADATA_TOPIC = '__cluster_metadata'

export const MAX_TOPIC_NAME_LENGTH = 249

const INTERNAL_TOPICS: ReadonlySet<string> = new Set([OFFSETS_TOPIC, TRANSACTION_TOPIC, SHARE_STATE_TOPIC])
const LEGAL = /^[a-zA-Z0-9._-]+$/

export function isInternalTopic(name: string): boolean {
  return INTERNAL_TOPICS.has(name)
}

export type TopicNameProblem = 'empty' | 'dots' | 'too-long' | 'illegal-characters'

/** @returns undefined for a legal name */
export function topicNameProblem(name: string): TopicNameProblem | undefined {
  if (name === '') return 'empty'
  if (name === '.' || name === '..') return 'dots'
  if (name.length > MAX_TOPIC_NAME_LENGTH) return 'too-long'
  return LEGAL.test(name) ? undefined : 'illegal-characters'
}
