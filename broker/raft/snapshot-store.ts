/**
 * The snapshots that lie beside the metadata log. Owned by the raft log; the bootstrap checkpoint (`0-0`) is none of them, since the
 * log continues nothing there.
 *
 * All functions raise FileError when the disk fails.
 */
import { FileError, type FileSystem } from '../../common/runtime/files.ts'
import {
  type DecodedSnapshot,
  listSnapshots,
  readSnapshotFile,
  type SnapshotId,
  snapshotFileName,
  writeSnapshotFile,
} from '../metadata/snapshot.ts'

export interface SnapshotChunk {
  readonly sizeBytes: number
  readonly bytes: Buffer
}

export class SnapshotStore {
  readonly #files: FileSystem
  readonly #directory: string
  #ids: readonly SnapshotId[] | undefined
  #latestRead: { readonly id: SnapshotId; readonly content: DecodedSnapshot } | undefined

  constructor(files: FileSystem, directory: string) {
    this.#files = files
    this.#directory = directory
  }

  /** Oldest first. */
  get ids(): readonly SnapshotId[] {
    this.#ids ??= listSnapshots(this.#files, this.#directory).filter(({ endOffset }) => endOffset > 0)
    return this.#ids
  }

  get latest(): SnapshotId | undefined {
    return this.ids.at(-1)
  }

  /** The oldest that holds everything below the offset. */
  earliestFrom(offset: number): SnapshotId | undefined {
    return this.ids.find(({ endOffset }) => endOffset >= offset)
  }

  /** @returns undefined when it is damaged or gone */
  read(id: SnapshotId): DecodedSnapshot | undefined {
    const known = this.#latestRead
    if (known !== undefined && isSame(known.id, id)) return known.content
    const content = this.#unlessMissing(() => readSnapshotFile(this.#files, this.#directory, id))
    if (content !== undefined) this.#latestRead = { id, content }
    return content
  }

  /** A piece of the file from `position` on; undefined when there is no such snapshot. */
  readChunk(id: SnapshotId, position: number, maxBytes: number): SnapshotChunk | undefined {
    if (!this.ids.some((known) => isSame(known, id))) return undefined
    return this.#unlessMissing(() => {
      const file = this.#files.open(`${this.#directory}/${snapshotFileName(id)}`, 'read')
      try {
        const sizeBytes = file.sizeBytes()
        const target = Buffer.allocUnsafeSlow(Math.max(0, Math.min(maxBytes, sizeBytes - position)))
        const read = file.read(target, 0, target.length, position)
        return { sizeBytes, bytes: target.subarray(0, read) }
      } finally {
        file.close()
      }
    })
  }

  write(id: SnapshotId, buffers: readonly Buffer[]): void {
    writeSnapshotFile(this.#files, this.#directory, id, buffers)
    this.#ids = undefined
  }

  #unlessMissing<T>(read: () => T): T | undefined {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof FileError) || error.code !== 'ENOENT') throw error
      this.#ids = undefined
      return undefined
    }
  }
}

function isSame(left: SnapshotId, right: SnapshotId): boolean {
  return left.endOffset === right.endOffset && left.epoch === right.epoch
}
