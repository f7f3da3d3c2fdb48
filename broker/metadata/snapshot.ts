/**
 * Snapshots of the metadata log (KIP-630): `<end offset>-<epoch>.checkpoint`, an image as record batches between a header
 * and a footer. The log before the end offset is not needed to load one.
 *
 *     header (control) | KRaft version, voters (control, same batch, when the quorum is dynamic) | records … | footer (control)
 *
 * The first snapshot of a new cluster, `00…0-00…0.checkpoint`, holds what formatting decided: the bootstrap records.
 */

import type { VotersRecord } from '../../common/protocol/records/voters-record.ts'
import type { RecordInputOf } from '../../common/protocol/schema.ts'
import { BatchCursor } from '../../common/record/batch.ts'
import { BatchBuilder } from '../../common/record/batch-builder.ts'
import {
  buildControlBatch,
  ControlRecordType,
  controlRecordTypeOf,
  decodeKRaftVersion,
  decodeSnapshotHeader,
  decodeVoters,
  encodeKRaftVersion,
  encodeSnapshotFooter,
  encodeSnapshotHeader,
  encodeVoters,
} from '../../common/record/control-record.ts'
import { RecordReader } from '../../common/record/record-reader.ts'
import type { FileSystem } from '../../common/runtime/files.ts'
import type { MetadataImage } from './image.ts'
import { MutableMetadataImage } from './image-builder.ts'
import { imageRecords } from './image-records.ts'
import { decodeMetadataRecord, encodeMetadataRecord, type MetadataRecord } from './metadata-record.ts'

/** Names a snapshot: it holds everything below `endOffset`, the last of it written in `epoch`. */
export interface SnapshotId {
  readonly endOffset: number
  readonly epoch: number
}

type Voters = RecordInputOf<typeof VotersRecord>['voters']

export interface SnapshotQuorum {
  readonly kRaftVersion: number
  readonly voters: Voters
}

const RECORDS_PER_BATCH = 1024
const FILE_NAME = /^(\d{20})-(\d{10})\.checkpoint$/

export const BOOTSTRAP_SNAPSHOT: SnapshotId = { endOffset: 0, epoch: 0 }

export function snapshotFileName({ endOffset, epoch }: SnapshotId): string {
  return `${String(endOffset).padStart(20, '0')}-${String(epoch).padStart(10, '0')}.checkpoint`
}

/** undefined for names that are no snapshot's (also unfinished ones, which end in `.part`). */
export function parseSnapshotFileName(name: string): SnapshotId | undefined {
  const match = FILE_NAME.exec(name)
  return match === null ? undefined : { endOffset: Number(match[1]), epoch: Number(match[2]) }
}

export interface SnapshotOptions {
  readonly id: SnapshotId
  /** When the snapshot is made. */
  readonly nowMs: number
  /** Time of the last record that it holds. */
  readonly lastContainedTimestampMs: number
  readonly quorum?: SnapshotQuorum
}

/** The content of a snapshot of `records`, as buffers to be written one behind the other. */
export function encodeSnapshot(records: Iterable<MetadataRecord>, options: SnapshotOptions): Buffer[] {
  const { nowMs, quorum } = options
  const partitionLeaderEpoch = options.id.epoch
  const header: Parameters<typeof buildControlBatch>[0][number][] = [
    {
      type: ControlRecordType.SNAPSHOT_HEADER,
      value: encodeSnapshotHeader(options.lastContainedTimestampMs),
      timestamp: nowMs,
    },
  ]
  if (quorum !== undefined) {
    header.push(
      {
        type: ControlRecordType.KRAFT_VERSION,
        value: encodeKRaftVersion(quorum.kRaftVersion),
        timestamp: nowMs,
      },
      { type: ControlRecordType.KRAFT_VOTERS, value: encodeVoters(quorum.voters), timestamp: nowMs },
    )
  }
  const buffers = [buildControlBatch(header, { partitionLeaderEpoch })]
  let nextOffset = header.length
  let builder: BatchBuilder | undefined
  for (const record of records) {
    builder ??= new BatchBuilder({ baseOffset: nextOffset, partitionLeaderEpoch })
    builder.append(nowMs, null, encodeMetadataRecord(record))
    nextOffset += 1
    if (builder.recordCount < RECORDS_PER_BATCH) continue
    buffers.push(builder.build())
    builder = undefined
  }
  if (builder !== undefined) buffers.push(builder.build())
  const footer = { type: ControlRecordType.SNAPSHOT_FOOTER, value: encodeSnapshotFooter(), timestamp: nowMs }
  buffers.push(buildControlBatch([footer], { baseOffset: nextOffset, partitionLeaderEpoch }))
  return buffers
}

/** A snapshot of the image as it stands. */
export function encodeImageSnapshot(
  image: MetadataImage,
  options: { nowMs: number; quorum?: SnapshotQuorum },
): { readonly id: SnapshotId; readonly buffers: Buffer[] } {
  const id = { endOffset: image.offset + 1, epoch: image.epoch }
  const buffers = encodeSnapshot(imageRecords(image), {
    ...options,
    id,
    lastContainedTimestampMs: image.timestampMs,
  })
  return { id, buffers }
}

export interface DecodedSnapshot {
  readonly records: readonly MetadataRecord[]
  readonly lastContainedTimestampMs: number
  readonly kRaftVersion: number
  /** Empty when the snapshot names none (static quorum). */
  readonly voters: VotersRecord['voters']
  /** Records of types and versions that this build does not know; they are left out. */
  readonly unknown: readonly string[]
}

/** @returns undefined when the bytes are not a whole, undamaged snapshot */
export function decodeSnapshot(content: Buffer): DecodedSnapshot | undefined {
  const records: MetadataRecord[] = []
  const unknown: string[] = []
  let lastContainedTimestampMs: number | undefined
  let kRaftVersion = 0
  let voters: VotersRecord['voters'] = []
  let hasFooter = false
  const cursor = new BatchCursor(content)
  while (cursor.next()) {
    const { batch } = cursor
    const isFirst = lastContainedTimestampMs === undefined
    if (!batch.isValid || hasFooter || (isFirst && !batch.isControl)) return undefined
    const isControl = batch.isControl
    const reader = new RecordReader(batch)
    while (reader.next()) {
      if (!isControl) {
        const record = reader.value === null ? 'a record without value' : decodeMetadataRecord(reader.value)
        if (typeof record === 'string') unknown.push(record)
        else records.push(record)
        continue
      }
      switch (controlRecordTypeOf(reader.key)) {
        case ControlRecordType.SNAPSHOT_HEADER:
          lastContainedTimestampMs = decodeSnapshotHeader(reader.value)?.lastContainedLogTimestamp
          break
        case ControlRecordType.SNAPSHOT_FOOTER:
          hasFooter = true
          break
        case ControlRecordType.KRAFT_VERSION:
          kRaftVersion = decodeKRaftVersion(reader.value)?.kRaftVersion ?? 0
          break
        case ControlRecordType.KRAFT_VOTERS:
          voters = decodeVoters(reader.value)?.voters ?? []
          break
      }
    }
    if (reader.error !== 0) return undefined
  }
  if (cursor.stop !== 'end' || !hasFooter || lastContainedTimestampMs === undefined) return undefined
  return { records, lastContainedTimestampMs, kRaftVersion, voters, unknown }
}

/** The image that a snapshot holds. */
export function imageOfSnapshot(snapshot: DecodedSnapshot, id: SnapshotId): MutableMetadataImage {
  const image = new MutableMetadataImage()
  for (const record of snapshot.records) image.replay(record)
  image.takeDelta()
  image.advanceTo({
    offset: id.endOffset - 1,
    epoch: id.epoch,
    timestampMs: snapshot.lastContainedTimestampMs,
  })
  return image
}

/** Writes a snapshot file so that it is there whole or not at all. */
export function writeSnapshotFile(
  files: FileSystem,
  directory: string,
  id: SnapshotId,
  buffers: readonly Buffer[],
): string {
  const path = `${directory}/${snapshotFileName(id)}`
  const partPath = `${path}.part`
  files.remove(partPath)
  const handle = files.open(partPath, 'create')
  try {
    handle.write(buffers, 0, 'immutable')
    handle.sync()
  } finally {
    handle.close()
  }
  files.rename(partPath, path)
  files.syncDirectory(directory)
  return path
}

/** Snapshots in a directory, oldest first. */
export function listSnapshots(files: FileSystem, directory: string): SnapshotId[] {
  return files
    .list(directory)
    .map(parseSnapshotFileName)
    .filter((id) => id !== undefined)
    .sort((left, right) => left.endOffset - right.endOffset || left.epoch - right.epoch)
}

/** @returns undefined when the file is damaged; raises FileError when it cannot be read */
export function readSnapshotFile(
  files: FileSystem,
  directory: string,
  id: SnapshotId,
): DecodedSnapshot | undefined {
  return decodeSnapshot(files.readFile(`${directory}/${snapshotFileName(id)}`))
}
