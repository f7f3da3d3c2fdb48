/**
 * Files and directories of a `MemoryDisk`, each with what a power cut would leave of it. Owned by one disk.
 */
import type { Random } from '../random.ts'
import { FileContent } from './file-content.ts'

export type Node = FileNode | DirectoryNode

type Change = { readonly position: number; readonly bytes: Buffer } | { readonly truncateTo: number }

export class FileNode {
  content = new FileContent()
  modifiedMs: number
  /** false once no directory names it; open handles still reach it. */
  isLinked = true
  #durable = new FileContent()
  /** Changes since `#durable`, oldest first. */
  #unsynced: Change[] = []

  constructor(modifiedMs = 0) {
    this.modifiedMs = modifiedMs
  }

  get unsyncedCount(): number {
    return this.#unsynced.length
  }

  write(buffer: Buffer, position: number, options: { isImmutable: boolean; isTracked: boolean }): void {
    this.content.write(buffer, position, options.isImmutable)
    if (!options.isTracked || buffer.length === 0) return
    this.#unsynced.push({ position, bytes: options.isImmutable ? buffer : Buffer.from(buffer) })
  }

  truncate(sizeBytes: number, isTracked: boolean): void {
    this.content.truncate(sizeBytes)
    if (isTracked) this.#unsynced.push({ truncateTo: sizeBytes })
  }

  sync(): void {
    if (this.#unsynced.length === 0) return
    this.#unsynced = []
    this.#durable = this.content.share()
  }

  /** The system writes the oldest changes back by itself. */
  writeBack(count: number): void {
    for (const change of this.#unsynced.splice(0, count)) apply(this.#durable, change)
  }

  /** Keeps a prefix of the unsynced changes; the first that is lost may leave a part of its bytes. */
  loseUnsynced(random: Random): void {
    const kept = random.int(this.#unsynced.length + 1)
    const lost = this.#unsynced[kept]
    this.writeBack(kept)
    if (lost !== undefined && 'bytes' in lost && random.int(2) === 1) {
      apply(this.#durable, {
        position: lost.position,
        bytes: lost.bytes.subarray(0, random.int(lost.bytes.length)),
      })
    }
    this.#unsynced = []
    this.content = this.#durable.share()
    this.isLinked = true
  }

  copy(copies: Map<Node, Node>): FileNode {
    const known = copies.get(this)
    if (known instanceof FileNode) return known
    const copy = new FileNode(this.modifiedMs)
    copies.set(this, copy)
    copy.content = this.content.share()
    copy.isLinked = this.isLinked
    copy.#durable = this.#durable.share()
    copy.#unsynced = this.#unsynced.slice()
    return copy
  }
}

function apply(content: FileContent, change: Change): void {
  if ('truncateTo' in change) content.truncate(change.truncateTo)
  else content.write(change.bytes, change.position, true)
}

export class DirectoryNode {
  entries = new Map<string, Node>()
  modifiedMs: number
  /** The entries that a power cut leaves. Filled by the journal. */
  durableEntries = new Map<string, Node>()

  constructor(modifiedMs = 0) {
    this.modifiedMs = modifiedMs
  }

  /** Whether the directory is this one or lies below it. */
  holds(other: DirectoryNode): boolean {
    if (other === this) return true
    for (const node of this.entries.values()) {
      if (node instanceof DirectoryNode && node.holds(other)) return true
    }
    return false
  }

  /** Goes back to the durable entries, here and below. */
  restoreDurable(eachFile: (file: FileNode) => void): void {
    this.entries = new Map(this.durableEntries)
    for (const node of this.entries.values()) {
      if (node instanceof DirectoryNode) node.restoreDurable(eachFile)
      else eachFile(node)
    }
  }

  copy(copies: Map<Node, Node>): DirectoryNode {
    const known = copies.get(this)
    if (known instanceof DirectoryNode) return known
    const copy = new DirectoryNode(this.modifiedMs)
    copies.set(this, copy)
    for (const [name, node] of this.entries) copy.entries.set(name, node.copy(copies))
    for (const [name, node] of this.durableEntries) copy.durableEntries.set(name, node.copy(copies))
    return copy
  }
}

interface Entry {
  readonly directory: DirectoryNode
  readonly name: string
  readonly node: Node | undefined
}

/** Directory changes that are not durable yet, in order. Each is applied wholly or not at all. */
export class DirectoryJournal {
  #changes: Array<readonly Entry[]> = []

  add(change: readonly Entry[]): void {
    this.#changes.push(change)
  }

  /** Makes the changes of a directory durable, and with them all that came before. */
  sync(directory: DirectoryNode): void {
    const last = this.#changes.findLastIndex((change) =>
      change.some((entry) => entry.directory === directory),
    )
    this.#apply(last + 1)
  }

  loseSuffix(random: Random): void {
    this.#apply(random.int(this.#changes.length + 1))
    this.#changes = []
  }

  copy(copies: Map<Node, Node>): DirectoryJournal {
    const copy = new DirectoryJournal()
    copy.#changes = this.#changes.map((change) =>
      change.map(({ directory, name, node }) => ({
        directory: directory.copy(copies),
        name,
        node: node?.copy(copies),
      })),
    )
    return copy
  }

  #apply(count: number): void {
    for (const change of this.#changes.splice(0, count)) {
      for (const { directory, name, node } of change) {
        if (node === undefined) directory.durableEntries.delete(name)
        else directory.durableEntries.set(name, node)
      }
    }
  }
}
