/**
 * The file system port. Synchronous on purpose (docs/adr/0001-synchronous-files.md): a turn of the reactor stays
 * indivisible and cached reads and grouped appends are several times cheaper than awaited ones.
 *
 * Every function throws `FileError` and nothing else when the operation cannot be done. Paths are absolute or relative
 * to the process; the simulated file system treats them as plain keys with `/` between the parts.
 */
export type FileErrorCode =
  | 'EACCES'
  | 'EEXIST'
  | 'EIO'
  | 'EISDIR'
  | 'EMFILE'
  | 'ENOENT'
  | 'ENOSPC'
  | 'ENOTDIR'
  | 'ENOTEMPTY'
  | 'EROFS'
  | 'EUNKNOWN'

export class FileError extends Error {
  override readonly name = 'FileError'
  readonly code: FileErrorCode
  readonly path: string
  constructor(code: FileErrorCode, path: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.path = path
  }
}

export interface FileStat {
  readonly sizeBytes: number
  readonly isDirectory: boolean
  readonly modifiedMs: number
}

/** `read`: must exist. `write`: reading and writing, must exist. `create`: reading and writing, made when missing. */
export type OpenMode = 'read' | 'write' | 'create'

/** An open file. The owner must close it; using it after `close` throws. */
export interface FileHandle {
  readonly path: string
  /**
   * Reads up to `length` bytes at `position` into `target` from `targetOffset`.
   * @returns the number of bytes read: less than `length` only at the end of the file
   */
  read(target: Buffer, targetOffset: number, length: number, position: number): number
  /**
   * Writes all buffers one behind the other from `position` (one `writev`). When it throws, any prefix of the bytes may
   * have been written.
   * @param ownership `borrowed` (the default): the caller may change the buffers once this returns. `immutable`: nobody
   * ever changes their bytes again, so a file system in memory may keep them by reference (record batches).
   */
  write(buffers: readonly Buffer[], position: number, ownership?: 'borrowed' | 'immutable'): void
  sizeBytes(): number
  truncate(sizeBytes: number): void
  /** Makes data and size durable before it returns (fdatasync). */
  sync(): void
  /** Starts the same in the background. `done` is called in a later turn, with the error if it failed. */
  syncInBackground(done: (error: FileError | undefined) => void): void
  close(): void
}

export interface FileSystem {
  open(path: string, mode: OpenMode): FileHandle
  /** The whole file. For small files only. */
  readFile(path: string): Buffer
  /**
   * Replaces a small file so that a crash at any point leaves the old or the new content, never a mixture: writes
   * `path + '.tmp'`, syncs it, renames it and syncs the directory. `durable: false` leaves out both syncs (still atomic
   * for a killed process, not for a power cut).
   */
  replaceFile(path: string, content: Buffer | string, options?: { durable?: boolean }): void
  /** undefined when there is nothing at the path. */
  stat(path: string): FileStat | undefined
  /** Names in a directory, sorted. Throws ENOENT when it is missing. */
  list(path: string): string[]
  /** Makes the directory and its parents; no error when it exists. */
  makeDirectory(path: string): void
  /** Moves a file or directory; an existing file at `to` is replaced. */
  rename(from: string, to: string): void
  /** Removes a file; no error when it is missing. */
  remove(path: string): void
  /** Removes a directory with all that is in it; no error when it is missing. */
  removeDirectory(path: string): void
  /** Makes renames, creations and removals in this directory durable. */
  syncDirectory(path: string): void
  /** Total and usable bytes of the volume that holds the path (DescribeLogDirs). */
  volume(path: string): { totalBytes: number; usableBytes: number }
  /**
   * Takes the lock file exclusively for this process (`.lock` in a log directory).
   * @returns undefined when another live process (or another broker of this one) holds it, else a function that releases it
   */
  lock(path: string): (() => void) | undefined
}
