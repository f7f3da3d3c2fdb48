/**
 * `FileSystem` over the synchronous calls of node:fs. Owned by the runtime; keeps no descriptors of its own. Every error of
 * the system becomes a `FileError`.
 */
import * as fs from 'node:fs'
import { dirname } from 'node:path'
import {
  FileError,
  type FileErrorCode,
  type FileHandle,
  type FileStat,
  type FileSystem,
  type OpenMode,
} from '../files.ts'
import { maxBuffersPerWritev } from '../limits.ts'
import { takeLockFile } from './lock-file.ts'

const knownCodes: ReadonlySet<string> = new Set<FileErrorCode>([
  'EACCES',
  'EEXIST',
  'EIO',
  'EISDIR',
  'EMFILE',
  'ENOENT',
  'ENOSPC',
  'ENOTDIR',
  'ENOTEMPTY',
  'EROFS',
])

/** Codes that mean the same to us as one that we name. */
const sameAs: Readonly<Record<string, FileErrorCode>> = {
  EPERM: 'EACCES',
  ENFILE: 'EMFILE',
  EDQUOT: 'ENOSPC',
}

function fileError(error: unknown, path: string): FileError {
  if (error instanceof FileError) return error
  const { code = '', message } = error as NodeJS.ErrnoException
  const known = knownCodes.has(code) ? (code as FileErrorCode) : (sameAs[code] ?? 'EUNKNOWN')
  return new FileError(known, path, message, { cause: error })
}

function guarded<T>(path: string, operation: () => T): T {
  try {
    return operation()
  } catch (error) {
    throw fileError(error, path)
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}

const openFlags: Readonly<Record<OpenMode, number>> = {
  read: fs.constants.O_RDONLY,
  write: fs.constants.O_RDWR,
  create: fs.constants.O_RDWR | fs.constants.O_CREAT,
}

export interface NodeFilesOptions {
  /** Runs a task in a later turn: results of background work come back through it. */
  readonly post: (task: () => void) => void
}

export function createNodeFiles(options: NodeFilesOptions): FileSystem {
  return {
    open: (path, mode) => guarded(path, () => openFile(path, mode, options)),
    readFile: (path) => guarded(path, () => fs.readFileSync(path)),
    replaceFile: (path, content, { durable = true } = {}) =>
      guarded(path, () =>
        replaceFile(path, typeof content === 'string' ? Buffer.from(content) : content, durable),
      ),
    stat: (path) => guarded(path, () => stat(path)),
    list: (path) => guarded(path, () => fs.readdirSync(path).sort()),
    makeDirectory: (path) => guarded(path, () => makeDirectory(path)),
    rename: (from, to) => guarded(from, () => fs.renameSync(from, to)),
    remove: (path) => guarded(path, () => removeFile(path)),
    removeDirectory: (path) => guarded(path, () => removeDirectory(path)),
    syncDirectory: (path) => guarded(path, () => syncDirectory(path)),
    volume: (path) =>
      guarded(path, () => {
        const { bsize, blocks, bavail } = fs.statfsSync(path)
        return { totalBytes: bsize * blocks, usableBytes: bsize * bavail }
      }),
    lock: (path) => guarded(path, () => takeLockFile(path)),
  }
}

function openFile(path: string, mode: OpenMode, options: NodeFilesOptions): FileHandle {
  const descriptor = fs.openSync(path, openFlags[mode], 0o644)
  // Linux opens a directory for reading and refuses only the read.
  if (mode === 'read' && fs.fstatSync(descriptor).isDirectory()) {
    fs.closeSync(descriptor)
    throw new FileError('EISDIR', path, `EISDIR: ${path} is a directory`)
  }
  return new NodeFileHandle(path, descriptor, options)
}

function stat(path: string): FileStat | undefined {
  let found: fs.Stats | undefined
  try {
    found = fs.statSync(path, { throwIfNoEntry: false })
  } catch (error) {
    // A file where a directory should be: there is nothing below it.
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined
    throw error
  }
  if (found === undefined) return undefined
  return { sizeBytes: found.size, isDirectory: found.isDirectory(), modifiedMs: Math.floor(found.mtimeMs) }
}

function replaceFile(path: string, content: Buffer, durable: boolean): void {
  const temporary = `${path}.tmp`
  const descriptor = fs.openSync(temporary, 'w', 0o644)
  try {
    writeAll(descriptor, [content], 0)
    if (durable) fs.fsyncSync(descriptor)
  } finally {
    fs.closeSync(descriptor)
  }
  fs.renameSync(temporary, path)
  if (durable) syncDirectory(dirname(path))
}

function removeFile(path: string): void {
  try {
    fs.unlinkSync(path)
  } catch (error) {
    if (isMissing(error)) return
    // macOS answers EPERM for a directory.
    if (stat(path)?.isDirectory === true)
      throw new FileError('EISDIR', path, `EISDIR: ${path} is a directory`)
    throw error
  }
}

function removeDirectory(path: string): void {
  const found = fs.lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isDirectory()) throw new FileError('ENOTDIR', path, `ENOTDIR: ${path} is not a directory`)
  fs.rmSync(path, { recursive: true, force: true })
}

function syncDirectory(path: string): void {
  // Windows can neither open nor sync directories; its file system journals renames by itself.
  if (process.platform === 'win32') return
  const descriptor = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)
  try {
    fs.fsyncSync(descriptor)
  } finally {
    fs.closeSync(descriptor)
  }
}

/** `writev` until everything is written: the system may take less than it was given. */
function writeAll(descriptor: number, buffers: readonly Buffer[], position: number): void {
  let target = position
  for (let from = 0; from < buffers.length; from += maxBuffersPerWritev) {
    let batch = buffers.slice(from, from + maxBuffersPerWritev)
    for (;;) {
      const written =
        batch.length === 1
          ? fs.writeSync(descriptor, batch[0] as Buffer, 0, (batch[0] as Buffer).length, target)
          : fs.writevSync(descriptor, batch, target)
      target += written
      batch = withoutPrefix(batch, written)
      if (batch.length === 0) break
      if (written === 0) throw new FileError('EIO', '', 'EIO: the system wrote nothing')
    }
  }
}

/** What is left of the buffers after their first bytes; empty buffers are left out. */
function withoutPrefix(buffers: readonly Buffer[], sizeBytes: number): Buffer[] {
  let skip = sizeBytes
  const rest: Buffer[] = []
  for (const buffer of buffers) {
    if (skip >= buffer.length) skip -= buffer.length
    else {
      rest.push(skip === 0 ? buffer : buffer.subarray(skip))
      skip = 0
    }
  }
  return rest
}

class NodeFileHandle implements FileHandle {
  readonly path: string
  readonly #post: (task: () => void) => void
  #descriptor: number
  #isClosed = false
  #syncsRunning = 0

  constructor(path: string, descriptor: number, options: NodeFilesOptions) {
    this.path = path
    this.#descriptor = descriptor
    this.#post = options.post
  }

  read(target: Buffer, targetOffset: number, length: number, position: number): number {
    const descriptor = this.#open()
    let total = 0
    try {
      while (total < length) {
        const count = fs.readSync(descriptor, target, targetOffset + total, length - total, position + total)
        if (count === 0) break
        total += count
      }
    } catch (error) {
      throw fileError(error, this.path)
    }
    return total
  }

  write(buffers: readonly Buffer[], position: number): void {
    const descriptor = this.#open()
    try {
      writeAll(descriptor, buffers, position)
    } catch (error) {
      throw fileError(error, this.path)
    }
  }

  sizeBytes(): number {
    const descriptor = this.#open()
    return guarded(this.path, () => fs.fstatSync(descriptor).size)
  }

  truncate(sizeBytes: number): void {
    const descriptor = this.#open()
    guarded(this.path, () => fs.ftruncateSync(descriptor, sizeBytes))
  }

  sync(): void {
    const descriptor = this.#open()
    guarded(this.path, () => fs.fdatasyncSync(descriptor))
  }

  syncInBackground(done: (error: FileError | undefined) => void): void {
    const descriptor = this.#open()
    this.#syncsRunning++
    fs.fdatasync(descriptor, (error) => {
      this.#syncsRunning--
      if (this.#isClosed) this.#closeWhenSynced()
      this.#post(() => done(error === null ? undefined : fileError(error, this.path)))
    })
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    guarded(this.path, () => this.#closeWhenSynced())
  }

  /** The number of a closed descriptor is given to the next file at once: a sync on its way would hit that one. */
  #closeWhenSynced(): void {
    if (this.#syncsRunning > 0 || this.#descriptor < 0) return
    const descriptor = this.#descriptor
    this.#descriptor = -1
    fs.closeSync(descriptor)
  }

  #open(): number {
    if (this.#isClosed) throw new Error(`${this.path} was closed`)
    return this.#descriptor
  }
}

/** Parent by parent: Node's own recursive form never ends where a parent can neither be found nor made (below /proc). */
function makeDirectory(path: string): void {
  if (fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return
  const parent = dirname(path)
  if (parent !== path) makeDirectory(parent)
  try {
    fs.mkdirSync(path)
  } catch (error) {
    const isThere = (error as { code?: string }).code === 'EEXIST' && fs.statSync(path).isDirectory()
    if (!isThere) throw error
  }
}
