import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../../common/runtime/seeded-random.ts'
import { MemoryDisk } from '../../common/runtime/sim/files.ts'
import { VirtualClock } from '../../common/runtime/virtual-clock.ts'
import type { Log } from '../../storage/log.ts'
import type { LogConfig } from '../../storage/log-config.ts'
import type { LogManager } from '../../storage/log-manager.ts'
import { batchOf, PARTITION, readAll, TOPIC_ID, worldOn } from './world.ts'

const CONFIG: Partial<LogConfig> = {
  cleanupPolicy: new Set(['compact'] as const),
  minCleanableDirtyRatio: 0,
  segmentBytes: 400,
  indexIntervalBytes: 100,
  fileDeleteDelayMs: 0,
}

function open(disk: MemoryDisk): { manager: LogManager; log: Log; turn: () => void } {
  const world = worldOn(disk, { clock: new VirtualClock() })
  const manager = world.manager({ config: CONFIG, cleaner: { isEnabled: false } })
  manager.open()
  const log = manager.getOrCreate(PARTITION, { topicId: TOPIC_ID }) as Log
  return { manager, log, turn: () => world.reactor.runUntilIdle() }
}

/** A dirty log, closed and durable. */
function dirtyDisk(): MemoryDisk {
  const disk = new MemoryDisk({ clock: new VirtualClock(), trackUnsynced: true, post: (task) => task() })
  const { manager, log, turn } = open(disk)
  for (let count = 0; count < 60; count++) {
    const batch = batchOf([`v${count}`, `w${count}`], { keys: [`k${count % 5}`, `l${count % 7}`] })
    log.appendAsLeader(batch, { leaderEpoch: 0, origin: 'client' })
    log.updateHighWatermark(log.logEndOffset)
    turn()
  }
  manager.close()
  return disk
}

const latest = new Map<string | null, string | null>()
const offsets = new Map<number, string | null>()
{
  const { log } = open(dirtyDisk())
  for (const { key, value, offset } of readAll(log)) {
    latest.set(key, value)
    offsets.set(offset, value)
  }
}

function expectIntact(disk: MemoryDisk, label: string): void {
  const { log, manager } = open(disk)
  expect(log.logEndOffset, label).toBe(120)
  const found = new Map<string | null, string | null>()
  for (const { key, value, offset } of readAll(log, log.logStartOffset, 300)) {
    expect(offsets.get(offset), label).toBe(value)
    found.set(key, value)
  }
  expect(found, label).toEqual(latest)
  const leftovers = disk.list(log.path).filter((name) => /\.(cleaned|swap)$/.test(name))
  expect(leftovers, label).toEqual([])
  manager.kill()
}

const closed = dirtyDisk()

function clean(disk: MemoryDisk): void {
  const { manager, turn } = open(disk)
  manager.cleaner.runUntilClean()
  turn()
  manager.kill()
}

const calls = (() => {
  const disk = closed.fork()
  const before = disk.calls
  clean(disk)
  return disk.calls - before
})()

describe('a clean that is interrupted', () => {
  it('leaves the old or the new segments when the process is killed at the n-th call, for every n', () => {
    expect(calls).toBeGreaterThan(100)
    for (let nth = 1; nth <= calls; nth++) {
      const disk = closed.fork()
      disk.failAt(nth, 'EIO', { forever: true, tornBytes: nth % 50 })
      clean(disk)
      disk.repair()
      disk.crash()
      expectIntact(disk, `call ${nth}`)
    }
  })

  it('leaves the old or the new segments when the power is cut at the n-th call, for every n', () => {
    for (let nth = 1; nth <= calls; nth++) {
      const disk = closed.fork()
      disk.failAt(nth, 'EIO', { forever: true, tornBytes: nth % 50 })
      clean(disk)
      disk.repair()
      disk.crash({ loseUnsynced: new SeededRandom(nth) })
      expectIntact(disk, `call ${nth}`)
    }
  })
})
