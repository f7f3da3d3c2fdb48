/**
 * A disk in memory: the files of `--memory` mode and of simulations. One per simulated volume; whoever simulates a machine
 * owns it. Same semantics as `node/files.ts` (one conformance suite runs on both), plus what a real disk does only when
 * nobody looks: it fills up, it fails at the n-th call, and it forgets what was not synced.
 *
 * What survives a power cut (`trackUnsynced`):
 * - of every file, what was there at its last sync and then any prefix of the later changes, the last of them torn;
 * - of all directory changes (create, remove, rename), those up to the last one that touched a synced directory, and
 *   then any prefix of the later ones: a journal that keeps its order, as ext4 and XFS do.
 * A killed process (`crash()` without loss) loses nothing: the system has the bytes.
 */
import type { Clock } from '../clock.ts'
import {
  FileError,
  type FileErrorCode,
  type FileHandle,
  type FileStat,
  type FileSystem,
  type OpenMode,
} from '../files.ts'
import { maxUnsyncedChanges, memoryDiskDefaultBytes } from '../limits.ts'
import type { Random } from '../random.ts'
import { DiskFailures, type FailureOptions } from './disk-failures.ts'
import { DirectoryJournal, DirectoryNode, FileNode, type Node } from './file-nodes.ts'

export interface MemoryDiskOptions {
  /** Runs a task in a later turn: results of background syncs come back through it. */
  readonly post: (task: () => void) => void
  readonly clock: Pick<Clock, 'wallMs'>
  readonly capacityBytes?: number
  /** Remember what was not synced, so that `crash` can lose it. Costs a copy of every write. */
  readonly trackUnsynced?: boolean
  /** Postpones the end of a background sync; without it, the sync is done in the next turn. */
  readonly delaySync?: (path: string, finish: () => void) => void
}

export class MemoryDisk implements FileSystem {
  readonly #options: MemoryDiskOptions
  /** Path to the release function of who holds it. */
  readonly #locks = new Map<string, () => void>()
  #root = new DirectoryNode()
  #journal = new DirectoryJournal()
  readonly #failures = new DiskFailures()
  #usedBytes = 0
  /** Handles of an earlier life are dead. */
  #life = 0

  constructor(options: MemoryDiskOptions) {
    this.#options = options
  }

  /** Called before every operation; what it returns fails the operation. It may also move a virtual clock: a slow disk. */
  get onCall(): DiskFailures['onCall'] {
    return this.#failures.onCall
  }

  set onCall(onCall: DiskFailures['onCall']) {
    this.#failures.onCall = onCall
  }

  /** Whether `crash` can lose what was not synced. */
  get tracksUnsynced(): boolean {
    return this.#options.trackUnsynced === true
  }

  /** Number of operations so far: what `failAt` counts. */
  get calls(): number {
    return this.#failures.calls
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  get capacityBytes(): number {
    return this.#options.capacityBytes ?? memoryDiskDefaultBytes
  }

  /** Makes the n-th operation from now fail (1 is the next). @returns a function that takes it back */
  failAt(nth: number, code: FileErrorCode, options: FailureOptions = {}): () => void {
    return this.#failures.failAt(nth, code, options)
  }

  /** Takes back every failure. */
  repair(): void {
    this.#failures.repair()
  }

  /**
   * The process dies: open files and locks are gone. With `loseUnsynced` the power is cut as well, and the generator decides
   * how much of what was not synced is lost; the disk must have been made with `trackUnsynced`.
   */
  crash(options: { loseUnsynced?: Random } = {}): void {
    this.#life++
    this.#locks.clear()
    const random = options.loseUnsynced
    if (random === undefined) return
    if (this.#options.trackUnsynced !== true) throw new Error('the disk does not track what was not synced')
    this.#journal.loseSuffix(random)
    this.#usedBytes = 0
    this.#root.restoreDurable((file) => {
      file.loseUnsynced(random)
      this.#usedBytes += file.content.allocatedBytes
    })
  }

  /** A second disk with the same files; both change independently. Takes time by the number of files, not of bytes. */
  fork(options: MemoryDiskOptions = this.#options): MemoryDisk {
    const copy = new MemoryDisk(options)
    const copies = new Map<Node, Node>()
    copy.#root = this.#root.copy(copies)
    copy.#journal = this.#journal.copy(copies)
    copy.#usedBytes = this.#usedBytes
    return copy
  }

  open(path: string, mode: OpenMode): FileHandle {
    this.#failures.call('open', path)
    const { parent, name } = this.#locate(path)
    let node = name === undefined ? this.#root : parent.entries.get(name)
    if (node instanceof DirectoryNode) throw failed('EISDIR', path)
    if (node === undefined || name === undefined) {
      if (mode !== 'create' || name === undefined) throw failed('ENOENT', path)
      node = this.#createFile(parent, name)
    }
    return this.#handle(node, path, mode !== 'read')
  }

  readFile(path: string): Buffer {
    this.#failures.call('readFile', path)
    const node = this.#existing(path)
    if (node instanceof DirectoryNode) throw failed('EISDIR', path)
    const result = Buffer.allocUnsafeSlow(node.content.sizeBytes)
    node.content.read(result, 0, result.length, 0)
    return result
  }

  replaceFile(path: string, content: Buffer | string, { durable = true } = {}): void {
    const temporary = `${path}.tmp`
    const file = this.open(temporary, 'create')
    file.truncate(0)
    file.write([typeof content === 'string' ? Buffer.from(content) : content], 0)
    if (durable) file.sync()
    file.close()
    this.rename(temporary, path)
    if (durable) this.syncDirectory(partsOf(path).slice(0, -1).join('/'))
  }

  stat(path: string): FileStat | undefined {
    this.#failures.call('stat', path)
    const node = this.#find(path)
    if (node === undefined) return undefined
    const isDirectory = node instanceof DirectoryNode
    return { sizeBytes: isDirectory ? 0 : node.content.sizeBytes, isDirectory, modifiedMs: node.modifiedMs }
  }

  list(path: string): string[] {
    this.#failures.call('list', path)
    return [...this.#directory(path).entries.keys()].sort()
  }

  makeDirectory(path: string): void {
    this.#failures.call('makeDirectory', path)
    const parts = partsOf(path)
    let directory = this.#root
    parts.forEach((name, index) => {
      const found = directory.entries.get(name)
      if (found instanceof FileNode) throw failed(index === parts.length - 1 ? 'EEXIST' : 'ENOTDIR', path)
      const next = found ?? new DirectoryNode(this.#options.clock.wallMs())
      if (found === undefined) this.#change([{ directory, name, node: next }])
      directory = next
    })
  }

  rename(from: string, to: string): void {
    this.#failures.call('rename', from)
    const source = this.#locate(from)
    const target = this.#locate(to)
    const node = source.name === undefined ? undefined : source.parent.entries.get(source.name)
    if (source.name === undefined || node === undefined) throw failed('ENOENT', from)
    if (target.name === undefined) throw failed('ENOTEMPTY', to)
    const replaced = target.parent.entries.get(target.name)
    if (replaced === node) return
    if (node instanceof DirectoryNode) {
      if (replaced instanceof FileNode) throw failed('ENOTDIR', to)
      if (replaced !== undefined && replaced.entries.size > 0) throw failed('ENOTEMPTY', to)
      if (node.holds(target.parent)) throw failed('EUNKNOWN', to)
    } else if (replaced instanceof DirectoryNode) throw failed('EISDIR', to)
    if (replaced instanceof FileNode) this.#unlinked(replaced)
    this.#change([
      { directory: source.parent, name: source.name, node: undefined },
      { directory: target.parent, name: target.name, node },
    ])
  }

  remove(path: string): void {
    this.#failures.call('remove', path)
    const { parent, name } = this.#locate(path, true) ?? {}
    if (parent === undefined) return
    const node = name === undefined ? this.#root : parent.entries.get(name)
    if (node instanceof DirectoryNode) throw failed('EISDIR', path)
    if (node === undefined || name === undefined) return
    this.#unlinked(node)
    this.#change([{ directory: parent, name, node: undefined }])
  }

  removeDirectory(path: string): void {
    const node = this.#find(path)
    if (node instanceof FileNode) throw failed('ENOTDIR', path)
    // One call a file, as the system does it: a failure or a crash can leave half of it.
    for (const name of node === undefined ? [] : [...node.entries.keys()].sort()) {
      const child = `${path}/${name}`
      if (node?.entries.get(name) instanceof DirectoryNode) this.removeDirectory(child)
      else this.remove(child)
    }
    this.#failures.call('remove', path)
    const { parent, name } = this.#locate(path, true) ?? {}
    if (parent === undefined || name === undefined || node === undefined) return
    this.#change([{ directory: parent, name, node: undefined }])
  }

  syncDirectory(path: string): void {
    this.#failures.call('syncDirectory', path)
    this.#journal.sync(this.#directory(path))
  }

  volume(path: string): { totalBytes: number; usableBytes: number } {
    this.#failures.call('volume', path)
    this.#existing(path)
    const totalBytes = this.capacityBytes
    return { totalBytes, usableBytes: Math.max(0, totalBytes - this.#usedBytes) }
  }

  lock(path: string): (() => void) | undefined {
    this.#failures.call('lock', path)
    const { parent, name } = this.#locate(path)
    if (name === undefined) throw failed('EISDIR', path)
    const key = partsOf(path).join('/')
    if (this.#locks.has(key)) return undefined
    if (!parent.entries.has(name)) this.#createFile(parent, name)
    const release = (): void => {
      if (this.#locks.get(key) !== release) return
      this.#locks.delete(key)
      this.remove(path)
    }
    this.#locks.set(key, release)
    return release
  }

  #handle(node: FileNode, path: string, isWritable: boolean): FileHandle {
    const life = this.#life
    let isClosed = false
    const check = (): void => {
      if (isClosed) throw new Error(`${path} was closed`)
      if (life !== this.#life) throw failed('EIO', path)
    }
    const checkWritable = (): void => {
      check()
      if (!isWritable) throw failed('EUNKNOWN', path)
    }
    return {
      path,
      read: (target, targetOffset, length, position) => {
        check()
        this.#failures.call('read', path)
        return node.content.read(target, targetOffset, length, position)
      },
      write: (buffers, position, ownership) => {
        checkWritable()
        const isImmutable = ownership === 'immutable'
        this.#failures.call('write', path, (tornBytes) =>
          this.#write(node, path, prefixOf(buffers, tornBytes), position, isImmutable),
        )
        this.#write(node, path, buffers, position, isImmutable)
      },
      sizeBytes: () => {
        check()
        this.#failures.call('size', path)
        return node.content.sizeBytes
      },
      truncate: (sizeBytes) => {
        checkWritable()
        this.#failures.call('truncate', path)
        const before = node.content.allocatedBytes
        node.truncate(sizeBytes, this.#options.trackUnsynced === true)
        this.#changed(node, before)
      },
      sync: () => {
        check()
        this.#failures.call('sync', path)
        node.sync()
      },
      syncInBackground: (done) => {
        check()
        const finish = (): void => {
          if (life !== this.#life) return
          let error: FileError | undefined
          try {
            this.#failures.call('sync', path)
            node.sync()
          } catch (thrown) {
            error = thrown as FileError
          }
          done(error)
        }
        if (this.#options.delaySync === undefined) this.#options.post(finish)
        else this.#options.delaySync(path, finish)
      },
      close: () => {
        isClosed = true
      },
    }
  }

  #write(
    node: FileNode,
    path: string,
    buffers: readonly Buffer[],
    position: number,
    isImmutable: boolean,
  ): void {
    const before = node.content.allocatedBytes
    let at = position
    for (const buffer of buffers) {
      const fitting = this.#fitting(node, buffer, at)
      node.write(fitting, at, { isImmutable, isTracked: this.#options.trackUnsynced === true })
      at += fitting.length
      if (fitting.length < buffer.length) {
        this.#changed(node, before)
        throw failed('ENOSPC', path)
      }
    }
    if (node.unsyncedCount > maxUnsyncedChanges) node.writeBack(maxUnsyncedChanges / 2)
    this.#changed(node, before)
  }

  /** As much of the buffer as the disk has room for. */
  #fitting(node: FileNode, buffer: Buffer, position: number): Buffer {
    const { capacityBytes } = this.#options
    if (capacityBytes === undefined) return buffer
    const lacking = this.#usedBytes + node.content.newBytes(position, buffer.length) - capacityBytes
    return lacking <= 0 ? buffer : buffer.subarray(0, Math.max(0, buffer.length - lacking))
  }

  #changed(node: FileNode, allocatedBefore: number): void {
    node.modifiedMs = this.#options.clock.wallMs()
    if (node.isLinked) this.#usedBytes += node.content.allocatedBytes - allocatedBefore
  }

  #unlinked(node: FileNode): void {
    if (node.isLinked) this.#usedBytes -= node.content.allocatedBytes
    node.isLinked = false
  }

  #createFile(parent: DirectoryNode, name: string): FileNode {
    const node = new FileNode(this.#options.clock.wallMs())
    this.#change([{ directory: parent, name, node }])
    return node
  }

  #change(entries: ReadonlyArray<{ directory: DirectoryNode; name: string; node: Node | undefined }>): void {
    for (const { directory, name, node } of entries) {
      if (node === undefined) directory.entries.delete(name)
      else directory.entries.set(name, node)
      directory.modifiedMs = this.#options.clock.wallMs()
    }
    if (this.#options.trackUnsynced === true) this.#journal.add(entries)
  }

  /** Where the last part of a path lives. `name` is undefined for the root. */
  #locate(path: string): { parent: DirectoryNode; name: string | undefined }
  #locate(path: string, orNothing: true): { parent: DirectoryNode; name: string | undefined } | undefined
  #locate(path: string, orNothing = false): { parent: DirectoryNode; name: string | undefined } | undefined {
    const parts = partsOf(path)
    const name = parts.pop()
    let directory = this.#root
    for (const part of parts) {
      const next = directory.entries.get(part)
      if (next === undefined) {
        if (orNothing) return undefined
        throw failed('ENOENT', path)
      }
      if (next instanceof FileNode) throw failed('ENOTDIR', path)
      directory = next
    }
    return { parent: directory, name }
  }

  #find(path: string): Node | undefined {
    let node: Node | undefined = this.#root
    for (const part of partsOf(path)) {
      if (!(node instanceof DirectoryNode)) return undefined
      node = node.entries.get(part)
    }
    return node
  }

  #existing(path: string): Node {
    const node = this.#find(path)
    if (node === undefined) throw failed('ENOENT', path)
    return node
  }

  #directory(path: string): DirectoryNode {
    const node = this.#existing(path)
    if (node instanceof FileNode) throw failed('ENOTDIR', path)
    return node
  }
}

function failed(code: FileErrorCode, path: string): FileError {
  return new FileError(code, path, `${code}: ${path}`)
}

function partsOf(path: string): string[] {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts
}

function prefixOf(buffers: readonly Buffer[], sizeBytes: number): Buffer[] {
  const result: Buffer[] = []
  let left = sizeBytes
  for (const buffer of buffers) {
    if (left <= 0) break
    result.push(buffer.subarray(0, left))
    left -= buffer.length
  }
  return result
}
