/**
 * What the storage tests stand on: a storage context over a memory disk or real files, with a clock and turns that the test
 * owns, and batches to append.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { BatchCursor } from '../../common/record/batch.ts'
import { BatchBuilder, type BatchBuilderOptions } from '../../common/record/batch-builder.ts'
import { decodeRecords } from '../../common/record/record-reader.ts'
import type { FileSystem } from '../../common/runtime/files.ts'
import { HeapScheduler, virtualAlarm } from '../../common/runtime/heap-scheduler.ts'
import { createNodeFiles } from '../../common/runtime/node/files.ts'
import { SeededRandom } from '../../common/runtime/seeded-random.ts'
import { MemoryDisk, type MemoryDiskOptions } from '../../common/runtime/sim/files.ts'
import { TraceBus } from '../../common/runtime/trace-bus.ts'
import { manualDriver, TurnReactor } from '../../common/runtime/turn-reactor.ts'
import { VirtualClock, VirtualTime } from '../../common/runtime/virtual-clock.ts'
import { FilePool } from '../../storage/file-pool.ts'
import type { Log } from '../../storage/log.ts'
import { type LogConfig, logConfig } from '../../storage/log-config.ts'
import { LogManager, type LogManagerOptions } from '../../storage/log-manager.ts'
import type { StorageContext } from '../../storage/storage-context.ts'
import { TailCache } from '../../storage/tail-cache.ts'

export const TOPIC_ID = 'BambFgFWReejGuQxxsZhaQ'
export const CLUSTER_ID = '7zP3mXqRQ5e0yq1v2tD9xA'
export const PARTITION = { topic: 'orders', partition: 0 }

export interface World {
  readonly context: StorageContext
  readonly clock: VirtualClock
  readonly time: VirtualTime
  readonly reactor: TurnReactor
  /** Opens the directory as a broker would; `config` is that of every log. */
  manager(
    options?: Partial<LogManagerOptions> & { config?: Partial<LogConfig>; directory?: string },
  ): LogManager
}

export function createWorld(
  filesOf: (reactor: TurnReactor, clock: VirtualClock) => FileSystem,
  options: { seed?: number | string; tailCacheBytes?: number; clock?: VirtualClock } = {},
): World {
  const clock = options.clock ?? new VirtualClock()
  const trace = new TraceBus()
  const reactor = new TurnReactor({
    clock,
    trace,
    driver: manualDriver,
    onBug: (error) => {
      throw error
    },
  })
  const scheduler = new HeapScheduler({ clock, reactor, alarm: virtualAlarm })
  const files = filesOf(reactor, clock)
  const context: StorageContext = {
    files,
    clock,
    scheduler,
    reactor,
    trace,
    random: new SeededRandom(options.seed ?? 1),
    filePool: new FilePool(files),
    tailCache: new TailCache(options.tailCacheBytes),
  }
  return {
    context,
    clock,
    time: new VirtualTime({ clock, scheduler, reactor }),
    reactor,
    manager: ({ config, directory = '/data', ...rest } = {}) =>
      new LogManager({
        context,
        clusterId: CLUSTER_ID,
        nodeId: 1,
        logDirectories: [directory],
        configOf: () => logConfig(config),
        ...rest,
      }),
  }
}

export interface MemoryWorld extends World {
  readonly disk: MemoryDisk
}

export function memoryWorld(
  options: Omit<Partial<MemoryDiskOptions>, 'clock'> & {
    seed?: number | string
    tailCacheBytes?: number
    clock?: VirtualClock
  } = {},
): MemoryWorld {
  let disk: MemoryDisk | undefined
  const world = createWorld((reactor, clock) => {
    disk = new MemoryDisk({ post: (task) => reactor.post(task), ...options, clock })
    return disk
  }, options)
  return { ...world, disk: disk as MemoryDisk }
}

/** A world of its own, as after a restart, on a disk that is there already. */
export function worldOn(
  disk: FileSystem,
  options: { clock?: VirtualClock; tailCacheBytes?: number } = {},
): World {
  return createWorld(() => disk, options)
}

/** Real files in a temporary directory that is removed at the end of the scope. */
export function nodeWorld(copyOf?: string): World & { directory: string; [Symbol.dispose](): void } {
  const directory = mkdtempSync(join(tmpdir(), 'kafkito-storage-'))
  if (copyOf !== undefined) cpSync(copyOf, directory, { recursive: true })
  const world = createWorld((reactor) => createNodeFiles({ post: (task) => reactor.post(task) }))
  const dispose = () => {
    world.context.filePool.closeAll()
    rmSync(directory, { recursive: true, force: true })
  }
  return { ...world, directory, [Symbol.dispose]: dispose }
}

/** Every file below a directory with its content. */
export function snapshotOfFiles(directory: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const entry of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    const path = join(directory, entry)
    if (statSync(path).isFile()) found.set(relative(directory, path), readFileSync(path).toString('hex'))
  }
  return found
}

/** A batch of records whose values are `values`; keys and timestamps can be given. */
export function batchOf(
  values: readonly string[],
  options: BatchBuilderOptions & { keys?: readonly (string | null)[]; timestamp?: number } = {},
): Buffer {
  const builder = new BatchBuilder(options)
  values.forEach((value, index) => {
    const key = options.keys?.[index]
    const timestamp = (options.timestamp ?? 1_704_067_200_000) + index
    builder.append(timestamp, key === undefined || key === null ? null : Buffer.from(key), Buffer.from(value))
  })
  return builder.build()
}

export interface ReadRecord {
  readonly offset: number
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
  readonly leaderEpoch: number
  readonly isControl: boolean
}

/** All records from `from` to the log's end, through `Log.read`, checksums verified. */
export function readAll(log: Log, from = log.logStartOffset, maxBytes = 64 * 1024): ReadRecord[] {
  const records: ReadRecord[] = []
  let offset = from
  while (offset < log.logEndOffset) {
    const read = log.read({ offset, maxBytes, upTo: 'logEnd', atLeastOneBatch: true })
    if (read.error !== 0) throw new Error(`read at ${offset} answered ${read.error}`)
    if (read.records.length === 0) break
    const cursor = new BatchCursor(read.records)
    while (cursor.next()) {
      const { batch } = cursor
      if (!batch.isValid) throw new Error(`a corrupt batch was served at ${batch.baseOffset}`)
      for (const record of decodeRecords(batch).records) {
        if (record.offset < from) continue
        records.push({
          offset: record.offset,
          timestamp: record.timestamp,
          key: record.key?.toString() ?? null,
          value: record.value?.toString() ?? null,
          leaderEpoch: batch.partitionLeaderEpoch,
          isControl: batch.isControl,
        })
      }
    }
    if (cursor.stop !== 'end') throw new Error(`a read ended with ${cursor.stop} bytes`)
    offset = read.nextOffset
  }
  return records
}

export function valuesOf(log: Log): (string | null)[] {
  return readAll(log).map((record) => record.value)
}
