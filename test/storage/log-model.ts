/**
 * A log beside a model of what must be in it: which records were acknowledged, which were made durable, and which may be
 * there or not because an operation on them failed half way. Drives both with the same operations.
 */

import { ErrorCode } from '../../common/protocol/errors.ts'
import { BatchView } from '../../common/record/batch.ts'
import type { SeededRandom } from '../../common/runtime/seeded-random.ts'
import type { MemoryDisk } from '../../common/runtime/sim/files.ts'
import type { VirtualClock } from '../../common/runtime/virtual-clock.ts'
import type { Log } from '../../storage/log.ts'
import type { LogConfig } from '../../storage/log-config.ts'
import type { LogManager } from '../../storage/log-manager.ts'
import { batchOf, PARTITION, readAll, TOPIC_ID, type World, worldOn } from './world.ts'

export class LogModel {
  world: World
  manager: LogManager
  log: Log | undefined
  /** Every value that was ever sent for an offset. */
  readonly #sent = new Map<number, Set<string>>()
  /** Acknowledged, and not cut since. */
  readonly #acknowledged = new Map<number, string>()
  #durableBelow = 0
  /** The start offset may be anything up to this. */
  #greatestStart = 0
  #count = 0
  readonly #disk: MemoryDisk
  readonly #clock: VirtualClock
  readonly #config: Partial<LogConfig>

  constructor(disk: MemoryDisk, clock: VirtualClock, config: Partial<LogConfig>) {
    this.#disk = disk
    this.#clock = clock
    this.#config = config
    this.world = this.#newWorld()
    this.manager = this.#newManager()
  }

  /** A disk cannot be given a reactor of a later life: syncs end at once. */
  #newWorld(): World {
    return worldOn(this.#disk, { clock: this.#clock, tailCacheBytes: 2000 })
  }

  #newManager(): LogManager {
    const settings = { isVerificationEnabled: false }
    return this.world.manager({ config: this.#config, settings, cleaner: { isEnabled: false } })
  }

  open(): void {
    this.manager.open()
    this.log = this.manager.getOrCreate(PARTITION, { topicId: TOPIC_ID })
  }

  append(count: number, sizeBytes: number, leaderEpoch: number): void {
    const log = this.log
    if (log === undefined) return
    const values = Array.from({ length: count }, () => `${this.#count++}:${'v'.repeat(sizeBytes)}`)
    const firstOffset = log.logEndOffset
    for (const [index, value] of values.entries()) {
      const offset = firstOffset + index
      const sent = this.#sent.get(offset) ?? new Set()
      this.#sent.set(offset, sent.add(value))
    }
    const batch = batchOf(values, { timestamp: this.#clock.wallMs() })
    const result = log.appendAsLeader(batch, { leaderEpoch, origin: 'client' })
    if (result.error !== ErrorCode.NONE) return
    log.whenWritten((error) => {
      if (error !== ErrorCode.NONE) return
      for (const [index, value] of values.entries()) this.#acknowledged.set(firstOffset + index, value)
    })
  }

  turn(): void {
    this.world.reactor.runUntilIdle()
    const log = this.log
    if (log !== undefined && !log.isFailed)
      this.#durableBelow = Math.max(this.#durableBelow, log.recoveryPoint)
  }

  truncateTo(offset: number): void {
    const log = this.log
    if (log === undefined || log.isFailed) return
    // A batch is cut as a whole.
    const read = log.read({ offset, maxBytes: 1, upTo: 'logEnd', atLeastOneBatch: true })
    const inBatch = read.records.length > 0 ? new BatchView(read.records).baseOffset : offset
    this.#forgetFrom(Math.min(offset, inBatch))
    log.truncateTo(offset)
  }

  #forgetFrom(offset: number): void {
    for (const known of [...this.#acknowledged.keys()]) if (known >= offset) this.#acknowledged.delete(known)
    this.#durableBelow = Math.min(this.#durableBelow, offset)
  }

  deleteBefore(offset: number): void {
    const log = this.log
    if (log === undefined || log.isFailed) return
    log.updateHighWatermark(log.logEndOffset)
    this.#greatestStart = Math.max(this.#greatestStart, offset)
    log.maybeIncrementLogStartOffset(offset)
    log.deleteOldSegments()
  }

  close(): void {
    this.manager.close()
    if (this.log !== undefined && this.manager.liveDirectories.length > 0) {
      this.#durableBelow = Math.max(0, ...[...this.#acknowledged.keys()].map((offset) => offset + 1))
    }
    this.log = undefined
  }

  kill(): void {
    this.manager.kill()
    this.#disk.crash()
    this.log = undefined
  }

  cutPower(random: SeededRandom): void {
    this.manager.kill()
    this.#disk.crash({ loseUnsynced: random })
    this.#forgetFrom(this.#durableBelow)
    this.log = undefined
  }

  /** Opens the disk anew and compares. */
  restart(): void {
    this.world = this.#newWorld()
    this.manager = this.#newManager()
    this.open()
  }

  /** @throws Error naming the first record that is lost, changed or corrupt */
  check(): void {
    const log = this.log
    if (log === undefined) throw new Error('the log is not open')
    if (log.logStartOffset > this.#greatestStart) throw new Error(`the log begins at ${log.logStartOffset}`)
    const found = new Map(
      readAll(log, log.logStartOffset, 500).map(({ offset, value }) => [offset, value ?? '']),
    )
    let previous = log.logStartOffset - 1
    for (const [offset, value] of found) {
      if (offset !== previous + 1) throw new Error(`offset ${offset} follows ${previous}`)
      previous = offset
      if (!this.#sent.get(offset)?.has(value))
        throw new Error(`offset ${offset} has a value that nobody sent`)
    }
    if (previous + 1 !== log.logEndOffset)
      throw new Error(`records end at ${previous}, the log at ${log.logEndOffset}`)
    for (const [offset, value] of this.#acknowledged) {
      if (offset < log.logStartOffset) continue
      if (found.get(offset) !== value) throw new Error(`the acknowledged record at ${offset} is lost`)
    }
    if (log.latestEpoch !== undefined && (log.epochEntries.at(-1)?.startOffset ?? 0) > log.logEndOffset) {
      throw new Error('an epoch begins behind the end of the log')
    }
    // What is found is what must stay from now on.
    for (const [offset, value] of found) this.#acknowledged.set(offset, value)
    for (const offset of [...this.#acknowledged.keys()])
      if (offset >= log.logEndOffset) this.#acknowledged.delete(offset)
  }
}
