/**
 * `partition.metadata`: which topic a log directory belongs to, so that a topic that was deleted and made again under the
 * same name is not mistaken for the old one (KIP-516).
 *
 *     version: 0
 *     topic_id: BambFgFWReejGuQxxsZhaQ
 */
import type { FileSystem } from '../common/runtime/files.ts'

export const PARTITION_METADATA_FILE = 'partition.metadata'

const PATTERN = /^version: 0\ntopic_id: ([A-Za-z0-9_-]{22})\s*$/

/** @returns the topic id; undefined when the file is missing or does not make sense */
export function readPartitionMetadata(files: FileSystem, directory: string): string | undefined {
  const path = `${directory}/${PARTITION_METADATA_FILE}`
  if (files.stat(path) === undefined) return undefined
  return PATTERN.exec(files.readFile(path).toString('utf8'))?.[1]
}

export function writePartitionMetadata(files: FileSystem, directory: string, topicId: string): void {
  files.replaceFile(`${directory}/${PARTITION_METADATA_FILE}`, `version: 0\ntopic_id: ${topicId}`, {
    durable: false,
  })
}
