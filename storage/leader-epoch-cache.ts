/**
 * Which leader epoch began at which offset (KIP-101, KIP-279), owned by its log and kept in `leader-epoch-checkpoint`.
 * Epochs and start offsets both ascend strictly.
 *
 * Written on every change but the announcement of an epoch that has no batches yet (ten thousand partitions that get a new leader
 * at a start have nothing worth a file), without waiting for the disk: after a killed process the file is whole, and after a
 * power cut the batches behind the recovery point bring back what it lost. `save({ durable: true })` comes before the
 * recovery point moves.
 */
import type { FileSystem } from '../common/runtime/files.ts'
import { type EpochEntry, readEpochCheckpoint, writeEpochCheckpoint } from './checkpoints.ts'

export const UNDEFINED_EPOCH = -1
export const UNDEFINED_EPOCH_OFFSET = -1

export class LeaderEpochCache {
  readonly #files: FileSystem
  #path: string
  #entries: EpochEntry[]
  #state: 'unsaved' | 'saved' | 'durable'
  /** Whether the file could not be read although there is one, or there ought to be one. */
  readonly wasUnreadable: boolean

  constructor(files: FileSystem, path: string, exists: boolean) {
    this.#files = files
    this.#path = path
    const loaded = exists ? readEpochCheckpoint(files, path) : undefined
    this.wasUnreadable = loaded === undefined
    this.#entries = loaded ?? []
    this.#state = 'durable'
  }

  get entries(): readonly EpochEntry[] {
    return this.#entries
  }

  movedTo(path: string): void {
    this.#path = path
  }

  get latestEpoch(): number | undefined {
    return this.#entries.at(-1)?.epoch
  }

  get earliest(): EpochEntry | undefined {
    return this.#entries[0]
  }

  get latest(): EpochEntry | undefined {
    return this.#entries.at(-1)
  }

  /** Remembers that `epoch` begins at `startOffset`, unless it or a newer one is known; entries this contradicts go. */
  assign(epoch: number, startOffset: number): void {
    this.announce(epoch, startOffset)
    if (this.#state === 'unsaved') this.save({ durable: false })
  }

  /** The same for an epoch that has no batches yet: it is written with its first batch. */
  announce(epoch: number, startOffset: number): void {
    const latest = this.#entries.at(-1)
    if (epoch < 0 || (latest !== undefined && epoch === latest.epoch && startOffset >= latest.startOffset))
      return
    const kept = this.#entries.filter((entry) => entry.epoch < epoch && entry.startOffset < startOffset)
    this.#entries = [...kept, { epoch, startOffset }]
    this.#state = 'unsaved'
  }

  /** Where `epoch` ended, as the follower of a leader must know it; both undefined values when it cannot be told. */
  endOffsetFor(requestedEpoch: number, logEndOffset: number): { epoch: number; endOffset: number } {
    const entries = this.#entries
    const latest = entries.at(-1)
    if (requestedEpoch === UNDEFINED_EPOCH || latest === undefined || requestedEpoch > latest.epoch) {
      return { epoch: UNDEFINED_EPOCH, endOffset: UNDEFINED_EPOCH_OFFSET }
    }
    if (requestedEpoch === latest.epoch) return { epoch: requestedEpoch, endOffset: logEndOffset }
    const next = entries.findIndex((entry) => entry.epoch > requestedEpoch)
    const following = entries[next] as EpochEntry
    const floor = entries[next - 1]
    // Older than anything known: the answer says where the known history begins.
    if (floor === undefined) return { epoch: requestedEpoch, endOffset: following.startOffset }
    return { epoch: floor.epoch, endOffset: following.startOffset }
  }

  epochForOffset(offset: number): number | undefined {
    for (let slot = this.#entries.length - 1; slot >= 0; slot--) {
      const entry = this.#entries[slot] as EpochEntry
      if (entry.startOffset <= offset) return entry.epoch
    }
    return undefined
  }

  /** Drops the epochs that begin at or after `endOffset`. */
  truncateFromEnd(endOffset: number): void {
    if ((this.#entries.at(-1)?.startOffset ?? -1) < endOffset || endOffset < 0) return
    this.#replace(this.#entries.filter((entry) => entry.startOffset < endOffset))
  }

  /** Drops the epochs that end at or before `startOffset`; the one it lies in now begins there. */
  truncateFromStart(startOffset: number): void {
    const first = this.#entries[0]
    if (first === undefined || first.startOffset >= startOffset) return
    const kept = this.#entries.filter((entry) => entry.startOffset > startOffset)
    const covering = this.#entries.filter((entry) => entry.startOffset <= startOffset).at(-1) as EpochEntry
    this.#replace([{ epoch: covering.epoch, startOffset }, ...kept])
  }

  clear(): void {
    if (this.#entries.length > 0) this.#replace([])
  }

  save(options: { durable: boolean }): void {
    if (this.#state === 'durable' || (this.#state === 'saved' && !options.durable)) return
    writeEpochCheckpoint(this.#files, this.#path, this.#entries, options.durable)
    this.#state = options.durable ? 'durable' : 'saved'
  }

  #replace(entries: EpochEntry[]): void {
    this.#entries = entries
    this.#state = 'unsaved'
    this.save({ durable: false })
  }
}
