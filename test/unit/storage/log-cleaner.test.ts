import { describe, expect, it } from 'vitest'
import { BatchView } from '../../../common/record/batch.ts'
import type { LogConfig } from '../../../storage/log-config.ts'
import type { LogManager } from '../../../storage/log-manager.ts'
import {
  batchOf,
  type MemoryWorld,
  memoryWorld,
  PARTITION,
  readAll,
  TOPIC_ID,
  worldOn,
} from '../../storage/world.ts'
import { markerOf } from './batches.ts'

function compacted(config: Partial<LogConfig> = {}): Partial<LogConfig> {
  return { cleanupPolicy: new Set(['compact'] as const), minCleanableDirtyRatio: 0, ...config }
}

function open(world: MemoryWorld, config: Partial<LogConfig> = {}) {
  const manager = world.manager({ config: compacted(config), cleaner: { isEnabled: false } })
  manager.open()
  const log = manager.getOrCreate(PARTITION, { topicId: TOPIC_ID })
  if (log === undefined) throw new Error('no log')
  const put = (key: string, value: string | null, options: Parameters<typeof batchOf>[1] = {}) => {
    const batch =
      value === null
        ? tombstone(key, options)
        : batchOf([value], { ...options, keys: [key], timestamp: world.clock.wallMs() })
    const origin = 'client'
    const result = log.appendAsLeader(batch, { leaderEpoch: 0, origin })
    expect(result.error).toBe(0)
    log.updateHighWatermark(log.logEndOffset)
    world.reactor.runUntilIdle()
  }
  const clean = () => {
    log.roll()
    const cleans = manager.cleaner.runUntilClean()
    return cleans
  }
  return { manager, log, put, clean }
}

function tombstone(key: string, options: Parameters<typeof batchOf>[1]): Buffer {
  const batch = batchOf([''], { ...options, keys: [key] })
  // The value length of the only record: an empty value becomes none.
  const at = batch.length - 2
  expect(batch[at]).toBe(0)
  batch[at] = 1
  new BatchView(batch).stampCrc()
  return batch
}

const pairs = (log: Parameters<typeof readAll>[0]) => readAll(log).map(({ key, value }) => [key, value])

describe('compaction', () => {
  it('keeps the latest record of every key with its offset', () => {
    const { log, put, clean } = open(memoryWorld())
    for (let round = 0; round < 5; round++) for (const key of ['a', 'b', 'c']) put(key, `${key}${round}`)
    expect(clean()).toBe(1)
    expect(readAll(log).map(({ offset, key, value }) => [offset, key, value])).toEqual([
      [12, 'a', 'a4'],
      [13, 'b', 'b4'],
      [14, 'c', 'c4'],
    ])
    expect(log.logEndOffset).toBe(15)
    const read = log.read({ offset: 0, maxBytes: 1000, upTo: 'logEnd', atLeastOneBatch: true })
    expect(new BatchView(read.records).baseOffset).toBe(12)
  })

  it('joins small segments into one', () => {
    const { log, put, clean } = open(memoryWorld(), { segmentBytes: 200 })
    for (let round = 0; round < 20; round++) put(`k${round % 4}`, `v${round}`)
    expect(log.segments.length).toBeGreaterThan(5)
    log.updateConfig({ ...log.config, segmentBytes: 100_000 })
    clean()
    expect(pairs(log)).toEqual([
      ['k0', 'v16'],
      ['k1', 'v17'],
      ['k2', 'v18'],
      ['k3', 'v19'],
    ])
    expect(log.segments.length).toBeLessThan(5)
  })

  it('keeps a tombstone for delete.retention.ms after its first clean and then drops it', () => {
    const world = memoryWorld()
    const { log, put, clean } = open(world, { deleteRetentionMs: 1000 })
    put('a', 'old')
    put('a', null)
    put('b', 'kept')
    clean()
    expect(pairs(log)).toEqual([
      ['a', null],
      ['b', 'kept'],
    ])
    expect(
      new BatchView(log.read({ offset: 0, maxBytes: 1000, upTo: 'logEnd', atLeastOneBatch: true }).records)
        .hasDeleteHorizon,
    ).toBe(true)
    world.time.advance(999)
    put('c', '1')
    clean()
    expect(pairs(log)).toEqual([
      ['a', null],
      ['b', 'kept'],
      ['c', '1'],
    ])
    world.time.advance(1)
    put('c', '2')
    clean()
    expect(pairs(log)).toEqual([
      ['b', 'kept'],
      ['c', '2'],
    ])
  })

  it('leaves records younger than min.compaction.lag.ms alone', () => {
    const world = memoryWorld()
    const { log, put, clean } = open(world, { minCompactionLagMs: 10_000 })
    put('a', '1')
    put('a', '2')
    expect(clean()).toBe(0)
    expect(pairs(log)).toHaveLength(2)
    world.time.advance(10_001)
    expect(clean()).toBe(1)
    expect(pairs(log)).toEqual([['a', '2']])
  })

  it('waits for the dirty ratio, but not longer than max.compaction.lag.ms', () => {
    const world = memoryWorld()
    const { log, put, clean } = open(world, { minCleanableDirtyRatio: 0.99, maxCompactionLagMs: 60_000 })
    put('a', '1')
    put('b', '1')
    log.roll()
    expect(clean()).toBe(1)
    put('a', '2')
    expect(clean()).toBe(0)
    world.time.advance(60_001)
    expect(clean()).toBe(1)
    expect(pairs(log)).toEqual([
      ['b', '1'],
      ['a', '2'],
    ])
  })

  it('drops records of aborted transactions, and markers once nothing of theirs is left', () => {
    const world = memoryWorld()
    const { log, put, clean } = open(world, { deleteRetentionMs: 1000 })
    const transactional = { producerId: 7, producerEpoch: 0, isTransactional: true }
    const begin = (sequence: number, key: string) => {
      const guard = log.startVerification({
        producerId: 7,
        producerEpoch: 0,
        sequence,
        supportsEpochBump: false,
      })
      if (guard.error !== 0 || guard.guard === undefined) throw new Error('not verified')
      const batch = batchOf([`${key}-${sequence}`], { ...transactional, baseSequence: sequence, keys: [key] })
      expect(
        log.appendAsLeader(batch, { leaderEpoch: 0, origin: 'client', verificationGuard: guard.guard }).error,
      ).toBe(0)
    }
    const end = (type: 'commit' | 'abort') => {
      const marker = markerOf({
        ...transactional,
        type,
        coordinatorEpoch: 0,
        timestamp: world.clock.wallMs(),
      })
      expect(log.appendAsLeader(marker, { leaderEpoch: 0, origin: 'coordinator' }).error).toBe(0)
      log.updateHighWatermark(log.logEndOffset)
    }
    begin(0, 'x')
    end('commit')
    begin(1, 'x')
    end('abort')
    put('other', '1')
    clean()
    // The committed record stays although a later, aborted one has its key.
    const data = readAll(log).filter((record) => !record.isControl)
    expect(data.map(({ key, value }) => [key, value])).toEqual([
      ['x', 'x-0'],
      ['other', '1'],
    ])
    const markers = () =>
      readAll(log)
        .filter((record) => record.isControl)
        .map(({ offset }) => offset)
    expect(markers()).toEqual([1, 3])
    // Until the producer writes again, its last batch stays, empty, for its sequence, and with it the marker.
    begin(2, 'y')
    end('commit')
    world.time.advance(1001)
    put('other', '2')
    clean()
    expect(markers()).toEqual([1, 3, 6])
    // One clean finds the transaction empty and gives the marker its time, the next but later one drops it.
    put('other', '3')
    clean()
    world.time.advance(1001)
    put('other', '4')
    clean()
    expect(markers()).toEqual([1, 6])
    expect(log.activeProducers()).toHaveLength(1)
  })

  it('goes on where it stopped after a restart', () => {
    const world = memoryWorld()
    const { manager, log, put, clean } = open(world)
    put('a', '1')
    put('a', '2')
    clean()
    manager.close()
    expect(log.isFailed).toBe(true)
    expect(world.disk.readFile('/data/cleaner-offset-checkpoint').toString()).toBe('0\n1\norders 0 2\n')
    const reopened: LogManager = worldOn(world.disk).manager({ config: compacted() })
    reopened.open()
    expect(reopened.cleaner.runUntilClean()).toBe(0)
    reopened.kill()
  })

  it('is given up when the log is truncated below it', () => {
    const world = memoryWorld()
    const { manager, log, put } = open(world)
    for (let round = 0; round < 100; round++) put(`k${round}`, 'v')
    log.roll()
    // A clock that jumps makes every slice as short as it can be.
    const clock = world.context.clock.monotonicMs
    let ms = 0
    world.clock.monotonicMs = () => (ms += 100)
    expect(manager.cleaner.runSlice()).toBe(true)
    expect(log.cleaning).toBeDefined()
    log.truncateTo(50)
    world.clock.monotonicMs = clock
    manager.cleaner.runSlice()
    expect(log.cleaning).toBeUndefined()
    expect(readAll(log)).toHaveLength(50)
    expect(world.disk.list('/data/orders-0').filter((name) => name.endsWith('.cleaned'))).toEqual([])
  })
})
