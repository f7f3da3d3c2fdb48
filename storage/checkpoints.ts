/**
 * Kafka's checkpoint files: a version, a count and one line per entry.
 *
 *     0
 *     2
 *     orders 0 17          topic partition offset      (recovery-point, replication, log-start, cleaner)
 *     orders 1 4
 *
 *     0
 *     1
 *     3 120                epoch start-offset          (leader-epoch-checkpoint)
 */
import type { FileSystem } from '../common/runtime/files.ts'
import type { TopicPartition } from './file-names.ts'

export const RECOVERY_POINT_CHECKPOINT = 'recovery-point-offset-checkpoint'
export const HIGH_WATERMARK_CHECKPOINT = 'replication-offset-checkpoint'
export const LOG_START_OFFSET_CHECKPOINT = 'log-start-offset-checkpoint'
export const CLEANER_OFFSET_CHECKPOINT = 'cleaner-offset-checkpoint'
export const LEADER_EPOCH_CHECKPOINT = 'leader-epoch-checkpoint'

const VERSION = '0'

/** @returns the lines, split at blanks; undefined when the file is missing or torn */
function readLines(files: FileSystem, path: string): string[][] | undefined {
  if (files.stat(path) === undefined) return undefined
  const lines = files.readFile(path).toString('utf8').split('\n')
  if (lines[0] !== VERSION) return undefined
  const count = Number(lines[1])
  // The last line feed proves that the last line is whole.
  if (!Number.isInteger(count) || count < 0 || lines.length < count + 3) return undefined
  return lines.slice(2, count + 2).map((line) => line.split(/\s+/))
}

function writeLines(files: FileSystem, path: string, lines: readonly string[], durable: boolean): void {
  files.replaceFile(path, `${[VERSION, lines.length, ...lines].join('\n')}\n`, { durable })
}

export interface OffsetEntry {
  readonly topicPartition: TopicPartition
  readonly offset: number
}

/**
 * Offsets by `topic-partition`.
 * @returns undefined when the file is missing or unreadable: everything in it can be rebuilt
 */
export function readOffsetCheckpoint(files: FileSystem, path: string): Map<string, number> | undefined {
  const lines = readLines(files, path)
  if (lines === undefined) return undefined
  const offsets = new Map<string, number>()
  for (const [topic, partition, offset] of lines) {
    const value = Number(offset)
    if (topic !== undefined && Number.isInteger(value) && value >= 0)
      offsets.set(`${topic}-${partition}`, value)
  }
  return offsets
}

export function writeOffsetCheckpoint(
  files: FileSystem,
  path: string,
  entries: readonly OffsetEntry[],
): void {
  const lines = entries.map(
    ({ topicPartition: { topic, partition }, offset }) => `${topic} ${partition} ${offset}`,
  )
  writeLines(files, path, lines, true)
}

export interface EpochEntry {
  readonly epoch: number
  readonly startOffset: number
}

/** @returns undefined when the file is missing, empty or does not make sense */
export function readEpochCheckpoint(files: FileSystem, path: string): EpochEntry[] | undefined {
  const entries: EpochEntry[] = []
  const lines = readLines(files, path)
  if (lines === undefined) return undefined
  for (const [epoch, startOffset] of lines) {
    const entry = { epoch: Number(epoch), startOffset: Number(startOffset) }
    if (!Number.isInteger(entry.epoch) || !Number.isInteger(entry.startOffset)) return undefined
    entries.push(entry)
  }
  return entries
}

export function writeEpochCheckpoint(
  files: FileSystem,
  path: string,
  entries: readonly EpochEntry[],
  durable: boolean,
): void {
  writeLines(
    files,
    path,
    entries.map(({ epoch, startOffset }) => `${epoch} ${startOffset}`),
    durable,
  )
}
