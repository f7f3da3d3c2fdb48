import { describe, expect, it } from 'vitest'
import { BatchCursor } from '../../common/record/batch.ts'
import type { MemoryDisk } from '../../common/runtime/sim/files.ts'
import type { Log } from '../../storage/log.ts'
import type { LogConfig } from '../../storage/log-config.ts'
import { markerOf } from '../unit/storage/batches.ts'
import {
  batchOf,
  type MemoryWorld,
  memoryWorld,
  PARTITION,
  type ReadRecord,
  readAll,
  TOPIC_ID,
  worldOn,
} from './world.ts'

const PATH = '/data/orders-0'
const CONFIG: Partial<LogConfig> = { segmentBytes: 2000, indexIntervalBytes: 200 }

/** A log of several segments with idempotent and transactional producers, one transaction aborted and one open. */
function fill(world: MemoryWorld, config = CONFIG): Log {
  const manager = world.manager({ config, settings: { isVerificationEnabled: false } })
  manager.open()
  const log = manager.getOrCreate(PARTITION, { topicId: TOPIC_ID }) as Log
  const append = (batch: Buffer, origin: 'client' | 'coordinator' = 'client', leaderEpoch = 0) => {
    expect(log.appendAsLeader(batch, { leaderEpoch, origin }).error).toBe(0)
    log.updateHighWatermark(log.logEndOffset)
    world.reactor.runUntilIdle()
  }
  for (let sequence = 0; sequence < 40; sequence++) {
    append(batchOf([`idempotent ${sequence}`], { producerId: 1, producerEpoch: 0, baseSequence: sequence }))
    append(
      batchOf([`plain ${sequence}`, 'x'.repeat(sequence)], sequence % 2 === 0 ? {} : { compressionType: 1 }),
      'client',
      sequence >> 4,
    )
  }
  const transactional = { producerId: 2, producerEpoch: 3, isTransactional: true }
  append(batchOf(['aborted 1', 'aborted 2'], { ...transactional, baseSequence: 0 }), 'client', 3)
  append(
    markerOf({ ...transactional, type: 'abort', coordinatorEpoch: 5, timestamp: 1_704_067_200_000 }),
    'coordinator',
    3,
  )
  append(batchOf(['idempotent 40'], { producerId: 1, producerEpoch: 0, baseSequence: 40 }), 'client', 4)
  append(batchOf(['open 1'], { ...transactional, baseSequence: 2 }), 'client', 4)
  append(batchOf(['last'], {}), 'client', 4)
  return log
}

function reopen(disk: MemoryDisk, config = CONFIG): { log: Log; close: () => void } {
  const manager = worldOn(disk).manager({ config })
  manager.open()
  return { log: manager.get(PARTITION) as Log, close: () => manager.close() }
}

function lastSegment(log: Log): { path: string; sizeBytes: number; baseOffset: number } {
  const segment = log.segments.at(-1)
  if (segment === undefined) throw new Error('no segment')
  return { path: segment.logFile.path, sizeBytes: segment.sizeBytes, baseOffset: segment.baseOffset }
}

/** A copy of the disk in which the process was killed. */
function killed(disk: MemoryDisk): MemoryDisk {
  const copy = disk.fork()
  copy.crash()
  return copy
}

function edit(disk: MemoryDisk, path: string, change: (content: Buffer) => Buffer): void {
  const content = change(Buffer.from(disk.readFile(path)))
  const handle = disk.open(path, 'create')
  handle.truncate(0)
  handle.write([content], 0)
  handle.close()
}

/** Offset after the last whole batch within the first `sizeBytes` of the segment. */
function endOffsetWithin(segment: Buffer, sizeBytes: number, baseOffset: number): number {
  const cursor = new BatchCursor(segment, 0, sizeBytes)
  let end = baseOffset
  while (cursor.next()) end = cursor.batch.nextOffset
  return end
}

function expectSameBelow(
  records: readonly ReadRecord[],
  all: readonly ReadRecord[],
  endOffset: number,
): void {
  expect(records).toEqual(all.filter(({ offset }) => offset < endOffset))
}

describe('opening a log after its process was killed', () => {
  const world = memoryWorld()
  const original = fill(world)
  const all = readAll(original)
  const { path, sizeBytes, baseOffset } = lastSegment(original)
  const lastBytes = Buffer.from(world.disk.readFile(path))

  it('finds everything that was written', () => {
    const { log } = reopen(killed(world.disk))
    expect(readAll(log)).toEqual(all)
    expect(log.epochEntries).toEqual(original.epochEntries)
    expect(log.activeProducers()).toEqual(original.activeProducers())
    expect(log.openTransactions).toEqual(original.openTransactions.map((t) => ({ ...t })))
    expect(log.truncatedBytes).toBe(0)
    log.updateHighWatermark(log.logEndOffset)
    expect(log.lastStableOffset).toBe(original.lastStableOffset)
    const read = log.read({ offset: 0, maxBytes: 1e6, upTo: 'lastStable', atLeastOneBatch: true })
    const originalRead = original.read({
      offset: 0,
      maxBytes: 1e6,
      upTo: 'lastStable',
      atLeastOneBatch: true,
    })
    expect(read.abortedTransactions).toEqual(originalRead.abortedTransactions)
  })

  it('cuts a torn batch wherever it was torn, and goes on behind it', () => {
    for (let keep = Math.max(0, sizeBytes - 400); keep < sizeBytes; keep++) {
      const disk = killed(world.disk)
      edit(disk, path, (content) => content.subarray(0, keep))
      const { log, close } = reopen(disk)
      const endOffset = endOffsetWithin(lastBytes, keep, baseOffset)
      expect(log.logEndOffset, `cut at ${keep}`).toBe(endOffset)
      expectSameBelow(readAll(log), all, endOffset)
      expect(log.appendAsLeader(batchOf(['more']), { leaderEpoch: 9, origin: 'client' })).toMatchObject({
        error: 0,
        firstOffset: endOffset,
      })
      close()
      expect(readAll(reopen(disk).log).at(-1)).toMatchObject({
        offset: endOffset,
        value: 'more',
        leaderEpoch: 9,
      })
    }
  })

  it('never serves a batch with a changed byte, nor anything behind it', () => {
    for (let position = Math.max(0, sizeBytes - 400); position < sizeBytes; position++) {
      const disk = killed(world.disk)
      edit(disk, path, (content) => {
        content[position] = (content[position] as number) ^ 0x41
        return content
      })
      const { log } = reopen(disk)
      const records = readAll(log)
      const intact = endOffsetWithin(lastBytes, position, baseOffset)
      // Base offset and leader epoch lie outside the checksum: such a batch may stay, with the bytes it has.
      const withoutEpochs = (list: readonly ReadRecord[]) =>
        list.map(({ leaderEpoch: _, ...record }) => record)
      const before = all.filter(({ offset }) => offset < intact)
      expect(withoutEpochs(records.slice(0, before.length)), `byte ${position}`).toEqual(
        withoutEpochs(before),
      )
      const values = new Set(all.map(({ value }) => value))
      for (const { value } of records) expect(values.has(value), `byte ${position}`).toBe(true)
    }
  })

  it('cuts zeros that a power cut left in place of the last batches', () => {
    const disk = killed(world.disk)
    edit(disk, path, (content) => content.fill(0, sizeBytes - 100))
    const { log } = reopen(disk)
    expect(log.truncatedBytes).toBeGreaterThan(0)
    expectSameBelow(readAll(log), all, log.logEndOffset)
  })

  it('drops the segments behind a damaged one', () => {
    const disk = killed(world.disk)
    const damaged = original.segments[1]
    if (damaged === undefined) throw new Error('too few segments')
    edit(disk, damaged.logFile.path, (content) => content.subarray(0, content.length - 1))
    const { log } = reopen(disk)
    expect(log.segments.length).toBe(2)
    expectSameBelow(readAll(log), all, log.logEndOffset)
    expect(log.logEndOffset).toBeGreaterThan(damaged.baseOffset)
    expect(log.epochEntries.every(({ startOffset }) => startOffset < log.logEndOffset)).toBe(true)
    const snapshots = disk.list(PATH).filter((name) => name.endsWith('.snapshot'))
    expect(snapshots.every((name) => Number.parseInt(name, 10) <= log.logEndOffset)).toBe(true)
  })

  it('trusts what lies below the recovery point', () => {
    const disk = killed(world.disk)
    const replaced = `0\n1\norders 0 ${baseOffset}\n`
    disk.replaceFile('/data/recovery-point-offset-checkpoint', replaced)
    let reads = 0
    disk.onCall = (call) => {
      if (call.operation === 'read') reads++
      return undefined
    }
    const { log } = reopen(disk)
    expect(reads).toBeLessThan(10)
    expect(readAll(log)).toEqual(all)
  })
})

describe('opening a log whose index or snapshot files are lost or garbled', () => {
  const world = memoryWorld()
  const original = fill(world)
  const all = readAll(original)
  const transactions = original.read({ offset: 0, maxBytes: 1e6, upTo: 'lastStable', atLeastOneBatch: true })
  const disk = world.disk
  const files = disk
    .list(PATH)
    .filter((name) => /index$|snapshot$|leader-epoch-checkpoint|partition.metadata/.test(name))

  const damages: Record<string, (disk: MemoryDisk, path: string) => void> = {
    missing: (target, path) => target.remove(path),
    empty: (target, path) => edit(target, path, () => Buffer.alloc(0)),
    torn: (target, path) =>
      edit(target, path, (content) => content.subarray(0, Math.max(0, content.length - 3))),
    zeroed: (target, path) => edit(target, path, (content) => content.fill(0)),
    'filled with ones': (target, path) => edit(target, path, (content) => content.fill(0xff)),
    'with one bit changed': (target, path) =>
      edit(target, path, (content) => {
        if (content.length > 0) content[content.length >> 1] = (content[content.length >> 1] as number) ^ 4
        return content
      }),
  }
  for (const [damage, inflict] of Object.entries(damages)) {
    it(`reads everything when one of them is ${damage}, after an unclean end`, () => {
      for (const name of files) {
        const copy = killed(disk)
        if (copy.stat(`${PATH}/${name}`) === undefined) continue
        inflict(copy, `${PATH}/${name}`)
        const { log } = reopen(copy)
        expect(readAll(log, undefined, 300), name).toEqual(all)
        expect(log.activeProducers(), name).toEqual(original.activeProducers())
        expect(log.epochEntries, name).toEqual(original.epochEntries)
        log.updateHighWatermark(log.logEndOffset)
        const read = log.read({ offset: 0, maxBytes: 1e6, upTo: 'lastStable', atLeastOneBatch: true })
        expect(read.abortedTransactions, name).toEqual(transactions.abortedTransactions)
      }
    })

    it(`reads everything when one of them is ${damage}, after a clean end`, () => {
      for (const name of files) {
        const copy = killed(disk)
        reopen(copy).close()
        if (copy.stat(`${PATH}/${name}`) === undefined) continue
        inflict(copy, `${PATH}/${name}`)
        const { log } = reopen(copy)
        for (let offset = 0; offset < log.logEndOffset; offset += 7) {
          expect(readAll(log, offset, 300), `${name} from ${offset}`).toEqual(
            all.filter((r) => r.offset >= offset),
          )
        }
        if (name.endsWith('timeindex')) {
          const found = log.fetchOffsetByTimestamp(1_704_067_200_001, 'logEnd').found
          expect(found, name).toEqual(original.fetchOffsetByTimestamp(1_704_067_200_001, 'logEnd').found)
        }
        expect(log.activeProducers().length, name).toBe(original.activeProducers().length)
      }
    })
  }

  it('removes indexes without a log file and what is left of deletions', () => {
    const copy = killed(disk)
    for (const name of ['00000000000000009999.index', '00000000000000000000.log.deleted', 'x.tmp']) {
      copy.open(`${PATH}/${name}`, 'create').close()
    }
    const { log } = reopen(copy)
    expect(readAll(log)).toEqual(all)
    const names = copy.list(PATH)
    expect(names.filter((name) => /9999|deleted|tmp/.test(name))).toEqual([])
  })
})
