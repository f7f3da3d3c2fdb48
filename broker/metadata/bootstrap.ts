/**
 * What a new cluster begins with: the records that formatting decided.
 *
 * `storage format` of Kafka 4.4 leaves them as the first snapshot of the metadata log, `00…0-00…0.checkpoint`; before, they were
 * `bootstrap.checkpoint` in the log directory. The first active controller appends them to the log.
 */
import type { FileSystem } from '../../common/runtime/files.ts'
import { DEFAULT_FEATURE_LEVELS } from './features.ts'
import { featureRecords } from './image-records.ts'
import type { MetadataRecord } from './metadata-record.ts'
import {
  BOOTSTRAP_SNAPSHOT,
  decodeSnapshot,
  encodeSnapshot,
  snapshotFileName,
  writeSnapshotFile,
} from './snapshot.ts'

const OLD_BOOTSTRAP_FILE = 'bootstrap.checkpoint'

export interface BootstrapPlace {
  readonly files: FileSystem
  /** Of the metadata log. */
  readonly directory: string
  /** The log directory that it lies in. */
  readonly logDirectory: string
  readonly nowMs: number
}

/** What `storage format` decides when it is told nothing. */
export function defaultBootstrapRecords(): readonly MetadataRecord[] {
  return [...featureRecords({ features: DEFAULT_FEATURE_LEVELS })]
}

/** The records that formatting left; a directory that is not formatted yet is, with the defaults. Raises FileError. */
export function bootstrapRecordsIn({
  files,
  directory,
  logDirectory,
  nowMs,
}: BootstrapPlace): readonly MetadataRecord[] {
  for (const path of [
    `${directory}/${snapshotFileName(BOOTSTRAP_SNAPSHOT)}`,
    `${logDirectory}/${OLD_BOOTSTRAP_FILE}`,
  ]) {
    const known = files.stat(path) === undefined ? undefined : decodeSnapshot(files.readFile(path))
    if (known !== undefined && known.records.length > 0) return known.records
  }
  const records = defaultBootstrapRecords()
  const options = { id: BOOTSTRAP_SNAPSHOT, nowMs, lastContainedTimestampMs: nowMs }
  writeSnapshotFile(files, directory, BOOTSTRAP_SNAPSHOT, encodeSnapshot(records, options))
  return records
}
