/**
 * Open file descriptors with an upper bound. Owned by the log manager and shared by all of its logs: ten thousand
 * partitions must not need ten thousand descriptors. The least recently used handle is closed when the bound is
 * reached and reopened when it is wanted again; nothing is lost by that, since all writes are positioned.
 */
import { LRUCache } from 'lru-cache'
import { FileError, type FileHandle, type FileSystem } from '../common/runtime/files.ts'

export const DEFAULT_MAX_OPEN_FILES = 512

export class FilePool {
  readonly files: FileSystem
  readonly #open: LRUCache<PooledFile, FileHandle>

  constructor(files: FileSystem, maxOpenFiles: number = DEFAULT_MAX_OPEN_FILES) {
    this.files = files
    this.#open = new LRUCache({ max: maxOpenFiles, dispose: closeQuietly })
  }

  get openCount(): number {
    return this.#open.size
  }

  /** The file's handle, opened if need be. Not to be kept: it may be closed by the next call for another file. */
  handleOf(file: PooledFile): FileHandle {
    let handle = this.#open.get(file)
    if (handle === undefined) {
      handle = this.files.open(file.path, 'create')
      this.#open.set(file, handle)
    }
    return handle
  }

  isOpen(file: PooledFile): boolean {
    return this.#open.has(file)
  }

  release(file: PooledFile): void {
    this.#open.delete(file)
  }

  closeAll(): void {
    this.#open.clear()
  }
}

/** Whoever needed the room is not to blame, and what was written is with the system already. */
function closeQuietly(handle: FileHandle): void {
  try {
    handle.close()
  } catch (error) {
    if (!(error instanceof FileError)) throw error
  }
}

/** A file whose descriptor is lent by a pool. Created when it is first used, if it is missing. */
export class PooledFile {
  readonly #pool: FilePool
  #path: string

  constructor(pool: FilePool, path: string) {
    this.#pool = pool
    this.#path = path
  }

  get path(): string {
    return this.#path
  }

  get handle(): FileHandle {
    return this.#pool.handleOf(this)
  }

  /** Gives the descriptor back. The file may be used again. */
  release(): void {
    this.#pool.release(this)
  }

  /** Tells of a rename that has been done, or is about to be done, to the file or a directory above it. */
  movedTo(path: string): void {
    this.release()
    this.#path = path
  }

  rename(path: string): void {
    const from = this.#path
    this.movedTo(path)
    this.#pool.files.rename(from, path)
  }

  remove(): void {
    this.release()
    this.#pool.files.remove(this.#path)
  }
}
