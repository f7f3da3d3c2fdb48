/**
 * Retention of the metadata log: it may forget what a snapshot holds. A snapshot goes, and with it the log before the next one, once it is
 * older than `metadata.max.retention.ms`, or as long as log and snapshots together are larger than `metadata.max.retention.bytes`
 * (KIP-630). The newest snapshot always stays. Segments go whole, so the log keeps somewhat more.
 */
import type { FileSystem } from '../../common/runtime/files.ts'
import type { Log } from '../../storage/log.ts'
import { listSnapshots, type SnapshotId, snapshotFileName } from '../metadata/snapshot.ts'

export interface MetadataRetention {
  readonly files: FileSystem
  readonly log: Log
  readonly nowMs: number
  /** -1: no limit. */
  readonly retentionMs: number
  /** -1: no limit. */
  readonly retentionBytes: number
}

/** Raises FileError. @returns how many snapshots were deleted */
export function cleanMetadataLog({
  files,
  log,
  nowMs,
  retentionMs,
  retentionBytes,
}: MetadataRetention): number {
  const directory = log.path
  const pathOf = (id: SnapshotId) => `${directory}/${snapshotFileName(id)}`
  const snapshots = listSnapshots(files, directory)
    .filter(({ endOffset }) => endOffset <= log.highWatermark)
    .map((id) => ({ id, stat: files.stat(pathOf(id)) }))
  let totalBytes = log.sizeBytes + snapshots.reduce((sum, { stat }) => sum + (stat?.sizeBytes ?? 0), 0)
  let deleted = 0
  for (const [index, { id, stat }] of snapshots.entries()) {
    const next = snapshots[index + 1]
    if (next === undefined || stat === undefined) break
    const isOld = retentionMs >= 0 && nowMs - stat.modifiedMs > retentionMs
    const isTooMuch = retentionBytes >= 0 && totalBytes > retentionBytes
    if (!isOld && !isTooMuch) break
    const sizeBefore = log.sizeBytes
    log.maybeIncrementLogStartOffset(next.id.endOffset)
    if (log.logStartOffset < next.id.endOffset) break
    log.deleteOldSegments()
    files.remove(pathOf(id))
    totalBytes -= stat.sizeBytes + (sizeBefore - log.sizeBytes)
    deleted += 1
  }
  if (deleted > 0) files.syncDirectory(directory)
  return deleted
}
