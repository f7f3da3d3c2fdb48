/**
 * Names of the files and directories in a log directory, as Kafka writes them.
 */
export const LOG_SUFFIX = '.log'
export const OFFSET_INDEX_SUFFIX = '.index'
export const TIME_INDEX_SUFFIX = '.timeindex'
export const TRANSACTION_INDEX_SUFFIX = '.txnindex'
export const PRODUCER_SNAPSHOT_SUFFIX = '.snapshot'
/** Added to a file that waits for its removal. */
export const DELETED_SUFFIX = '.deleted'
/** Added to the files of a segment that the cleaner is still writing. */
export const CLEANED_SUFFIX = '.cleaned'
/** Added to the files of a finished cleaned segment that is about to replace its originals. */
export const SWAP_SUFFIX = '.swap'

export const SEGMENT_SUFFIXES = [
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  TIME_INDEX_SUFFIX,
  TRANSACTION_INDEX_SUFFIX,
] as const

export const CLUSTER_METADATA_TOPIC = '__cluster_metadata'

/** A directory name may not be longer than this; `-delete` and `-stray` names cut the topic to fit. */
const MAX_NAME_LENGTH = 255

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export function topicPartitionName({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}

/** Twenty digits, so that names sort as offsets do. */
export function offsetFileName(offset: number, suffix: string): string {
  return String(offset).padStart(20, '0') + suffix
}

/** The offset that a file's name begins with, or undefined when it is no such name. */
export function offsetOfFileName(name: string): number | undefined {
  const match = /^(\d{20})\./.exec(name)
  return match ? Number(match[1]) : undefined
}

/** The partition whose log lies in a directory of this name; undefined for other names and for `-delete`, `-stray`, `-future`. */
export function parseLogDirectoryName(name: string): TopicPartition | undefined {
  if (/-(delete|stray|future)$/.test(name)) return undefined
  return splitName(name)
}

function splitName(name: string): TopicPartition | undefined {
  const dash = name.lastIndexOf('-')
  if (dash < 1 || !/^\d{1,9}$/.test(name.slice(dash + 1))) return undefined
  return { topic: name.slice(0, dash), partition: Number(name.slice(dash + 1)) }
}

/** `topic-0.3f2a…-delete`: `unique` is 32 hexadecimal digits, as Kafka writes them. */
export function markedDirectoryName(
  topicPartition: TopicPartition,
  unique: string,
  mark: 'delete' | 'stray',
): string {
  const suffix = `-${topicPartition.partition}.${unique}-${mark}`
  return topicPartition.topic.slice(0, MAX_NAME_LENGTH - suffix.length) + suffix
}

export function isMarkedForDeletion(name: string): boolean {
  return /\.[0-9a-z]+-delete$/.test(name)
}
