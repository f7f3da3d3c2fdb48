import { describe, expect, it } from 'vitest'
import { ErrorCode } from '../../../common/protocol/errors.ts'
import { BatchView, LAST_OFFSET_DELTA_POSITION, TimestampType } from '../../../common/record/batch.ts'
import { BatchBuilder } from '../../../common/record/batch-builder.ts'
import { CompressionType } from '../../../common/record/codecs.ts'
import type { AppendSuccess, Log } from '../../../storage/log.ts'
import type { LogConfig } from '../../../storage/log-config.ts'
import type { LogManager, LogManagerSettings } from '../../../storage/log-manager.ts'
import {
  batchOf,
  type MemoryWorld,
  memoryWorld,
  PARTITION,
  readAll,
  TOPIC_ID,
  valuesOf,
} from '../../storage/world.ts'
import { markerOf } from './batches.ts'

function open(
  config: Partial<LogConfig> = {},
  settings: Partial<LogManagerSettings> = { isVerificationEnabled: false },
): { world: MemoryWorld; manager: LogManager; log: Log } {
  const world = memoryWorld()
  const manager = world.manager({ config, settings })
  manager.open()
  return { world, manager, log: manager.getOrCreate(PARTITION, { topicId: TOPIC_ID }) as Log }
}

const client = { leaderEpoch: 0, origin: 'client' } as const

function append(log: Log, batch: Buffer, options: Partial<Parameters<Log['appendAsLeader']>[1]> = {}) {
  return log.appendAsLeader(batch, { ...client, ...options })
}

function appended(log: Log, batch: Buffer, options = {}): AppendSuccess {
  const result = append(log, batch, options)
  if (result.error !== 0) throw new Error(`${result.error}: ${result.errorMessage}`)
  return result
}

function edited(edit: (batch: Buffer) => void): (batch: Buffer) => Buffer {
  return (batch) => {
    edit(batch)
    return batch
  }
}

describe('a leader that appends', () => {
  it('gives offsets and its epoch, in the buffer it was given', () => {
    const { log } = open()
    appended(log, batchOf(['a', 'b']))
    const batch = batchOf(['c'])
    expect(appended(log, batch, { leaderEpoch: 3 })).toMatchObject({
      firstOffset: 2,
      lastOffset: 2,
      logAppendTimeMs: -1,
    })
    expect(new BatchView(batch).baseOffset).toBe(2)
    expect(new BatchView(batch).partitionLeaderEpoch).toBe(3)
    expect(log.epochEntries).toEqual([
      { epoch: 0, startOffset: 0 },
      { epoch: 3, startOffset: 2 },
    ])
    expect(log.read({ offset: 2, maxBytes: 100, upTo: 'logEnd', atLeastOneBatch: true }).records).toBe(batch)
  })

  it('stamps its own time when the topic says LogAppendTime', () => {
    const { log, world } = open({ messageTimestampType: 'LogAppendTime' })
    const nowMs = world.clock.wallMs()
    expect(appended(log, batchOf(['a'], { timestamp: 1 })).logAppendTimeMs).toBe(nowMs)
    expect(readAll(log)[0]?.timestamp).toBe(nowMs)
    const refused = batchOf(['a', 'b'], { timestampType: TimestampType.LogAppendTime, logAppendTimeMs: 5 })
    const result = append(log, refused)
    expect(result.error).toBe(ErrorCode.INVALID_TIMESTAMP)
    expect('recordErrors' in result && result.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([
      0, 1,
    ])
  })

  it.each([
    ['a wrong checksum', (b: Buffer) => b.fill(0xff, b.length - 1), ErrorCode.CORRUPT_MESSAGE],
    ['a base offset', edited((b) => b.writeInt32BE(7, 4)), ErrorCode.INVALID_RECORD],
    ['an impossible length', edited((b) => b.writeInt32BE(3, 8)), ErrorCode.CORRUPT_MESSAGE],
    ['an unknown magic', edited((b) => b.writeInt8(3, 16)), ErrorCode.CORRUPT_MESSAGE],
    ['half a batch', (b: Buffer) => b.subarray(0, b.length - 3), ErrorCode.INVALID_RECORD],
    ['a wrong count', edited((b) => b.writeInt32BE(9, 57)), ErrorCode.INVALID_RECORD],
    ['the control flag', edited((b) => b.writeInt16BE(0x20, 21)), ErrorCode.INVALID_RECORD],
    ['compression type 6', edited((b) => b.writeInt16BE(6, 21)), ErrorCode.UNSUPPORTED_COMPRESSION_TYPE],
  ] as const)('refuses %s', (name, damage, error) => {
    const { log } = open()
    const batch = batchOf(['a', 'b'])
    const damaged = damage(batch)
    if (/count|flag|type/.test(name)) new BatchView(batch).stampCrc()
    expect(append(log, damaged).error).toBe(error)
    expect(log.logEndOffset).toBe(0)
  })

  it('refuses a producer id without a sequence, and batches too large for the topic or a segment', () => {
    const { log } = open({ maxMessageBytes: 200, segmentBytes: 150 })
    expect(append(log, batchOf(['a'], { producerId: 1, producerEpoch: 0 })).error).toBe(
      ErrorCode.INVALID_RECORD,
    )
    expect(append(log, batchOf(['x'.repeat(200)])).error).toBe(ErrorCode.MESSAGE_TOO_LARGE)
    expect(append(log, batchOf(['x'.repeat(100)])).error).toBe(ErrorCode.RECORD_LIST_TOO_LARGE)
  })

  it('tells a producer which record is refused in the formula of Kafka', () => {
    const { log } = open({ cleanupPolicy: new Set(['compact'] as const) })
    const result = append(log, batchOf(['a', 'b'], { keys: ['k', null] }))
    const { topic, partition } = PARTITION
    const message = `Compacted topic cannot accept message without key in topic partition ${topic}-${partition}`
    expect(result).toMatchObject({ recordErrors: [{ batchIndex: 1, message }] })
    expect('errorMessage' in result && result.errorMessage).toContain(
      `1 record errors in total, and only showing the first three errors at most: [RecordError(batchIndex=1, message='${message}')]`,
    )
  })

  it('refuses records whose timestamps are too far from its own time, and names them', () => {
    const { log, world } = open({ messageTimestampBeforeMaxMs: 1000 })
    const nowMs = world.clock.wallMs()
    const builder = new BatchBuilder()
    for (const timestamp of [nowMs, nowMs - 1001, nowMs - 1000, nowMs + 3_600_001, -1]) {
      builder.append(timestamp, null, Buffer.from('v'))
    }
    const result = append(log, builder.build())
    expect(result.error).toBe(ErrorCode.INVALID_TIMESTAMP)
    expect('recordErrors' in result && result.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([
      1, 3,
    ])
  })

  it('gives a batch the greatest timestamp of its records where it reads them, whatever the header says', () => {
    const { log } = open({ cleanupPolicy: new Set(['compact'] as const) })
    const batch = new BatchView(batchOf(['a', 'b'], { keys: ['k', 'l'], timestamp: 1000 }))
    batch.stampMaxTimestamp(TimestampType.CreateTime, 500)
    expect(appended(log, batch.buffer).maxTimestamp).toBe(1001)
    const { records } = log.read({ offset: 0, maxBytes: 1, upTo: 'logEnd', atLeastOneBatch: true })
    expect(new BatchView(records)).toMatchObject({ maxTimestamp: 1001, isValid: true })
  })

  it('takes offsets of plain records as they follow each other, and refuses wrong ones in compressed records', () => {
    const { log } = open({ cleanupPolicy: new Set(['compact'] as const) })
    const lying = (compressionType: CompressionType) => {
      const builder = new BatchBuilder({ compressionType })
      for (const offset of [0, 2, 5]) builder.appendAt(offset, 1000, Buffer.from('k'), Buffer.from('v'))
      const batch = new BatchView(builder.build())
      batch.buffer.writeInt32BE(2, LAST_OFFSET_DELTA_POSITION)
      batch.stampCrc()
      return batch.buffer
    }
    expect(appended(log, lying(CompressionType.none))).toMatchObject({ firstOffset: 0, lastOffset: 2 })
    expect(append(log, lying(CompressionType.gzip)).error).toBe(ErrorCode.INVALID_RECORD)
  })

  it('refuses records without keys on a compacted topic, and names them', () => {
    const { log } = open({ cleanupPolicy: new Set(['compact'] as const) })
    const result = append(log, batchOf(['a', 'b', 'c'], { keys: ['k', null, 'l'] }))
    expect(result.error).toBe(ErrorCode.INVALID_RECORD)
    expect('recordErrors' in result && result.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([1])
  })

  it('compresses as the topic says, whatever the producer chose', () => {
    const { log } = open({ compressionType: 'gzip' })
    appended(log, batchOf(['a'.repeat(500), 'b'], { producerId: 4, producerEpoch: 1, baseSequence: 0 }))
    appended(log, batchOf(['c'], { compressionType: 3, producerId: 4, producerEpoch: 1, baseSequence: 2 }))
    const read = log.read({ offset: 0, maxBytes: 1, upTo: 'logEnd', atLeastOneBatch: true })
    expect(new BatchView(read.records).compressionType).toBe(1)
    expect(valuesOf(log)).toEqual(['a'.repeat(500), 'b', 'c'])
    expect(log.activeProducers()[0]?.lastSequence).toBe(2)
  })

  it('rolls by size, by record time and by clock', () => {
    const { log, world } = open({ segmentBytes: 300, segmentMs: 1000 })
    for (let count = 0; count < 4; count++) appended(log, batchOf(['x'.repeat(50)], { timestamp: -1 }))
    expect(log.segments.map(({ baseOffset }) => baseOffset)).toEqual([0, 2])
    world.time.advance(1001)
    appended(log, batchOf(['y'], { timestamp: -1 }))
    expect(log.segments.map(({ baseOffset }) => baseOffset)).toEqual([0, 2, 4])
    log.updateConfig({ ...log.config, segmentBytes: 10_000 })
    log.roll()
    const nowMs = world.clock.wallMs()
    appended(log, batchOf(['a'], { timestamp: nowMs }))
    appended(log, batchOf(['b'], { timestamp: nowMs + 1000 }))
    expect(log.segments).toHaveLength(4)
    appended(log, batchOf(['c'], { timestamp: nowMs + 1001 }))
    expect(log.segments).toHaveLength(5)
  })
})

describe('an idempotent producer', () => {
  const batch = (sequence: number, count = 1, producerEpoch = 0) =>
    batchOf(
      Array.from({ length: count }, (_, index) => `${sequence + index}`),
      {
        producerId: 9,
        producerEpoch,
        baseSequence: sequence,
      },
    )

  it('gets the original offsets for any of its last five batches', () => {
    const { log } = open()
    for (let sequence = 0; sequence < 14; sequence += 2) appended(log, batch(sequence, 2))
    expect(appended(log, batch(4, 2))).toMatchObject({ isDuplicate: true, firstOffset: 4, lastOffset: 5 })
    expect(log.logEndOffset).toBe(14)
    expect(append(log, batch(2, 2)).error).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
  })

  it('gets them from a broker that was stopped in order too, whose snapshot holds the last batch only', () => {
    const { world, manager, log } = open({ segmentBytes: 300 })
    for (let sequence = 0; sequence < 14; sequence += 2) {
      appended(log, batch(sequence, 2))
      appended(log, batchOf(['other'], { producerId: 8, producerEpoch: 0, baseSequence: sequence / 2 }))
    }
    manager.close()
    const again = world.manager({ config: { segmentBytes: 300 }, settings: { isVerificationEnabled: false } })
    again.open()
    const reopened = again.get(PARTITION) as Log
    expect(appended(reopened, batch(4, 2))).toMatchObject({
      isDuplicate: true,
      firstOffset: 6,
      lastOffset: 7,
    })
    expect(appended(reopened, batch(10, 2))).toMatchObject({ isDuplicate: true, firstOffset: 15 })
    expect(append(reopened, batch(2, 2)).error).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    expect(append(reopened, batch(16, 2)).error).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    expect(appended(reopened, batch(14, 2)).firstOffset).toBe(21)
    again.kill()
  })

  it('is refused a gap, an old epoch, and a new epoch that does not begin with sequence 0', () => {
    const { log } = open()
    appended(log, batch(0, 1, 1))
    expect(append(log, batch(2, 1, 1)).error).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    expect(append(log, batch(1, 1, 0)).error).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
    expect(append(log, batch(1, 1, 2)).error).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    expect(appended(log, batch(0, 1, 2)).firstOffset).toBe(1)
  })

  it('may begin anywhere when nothing is known of it, and goes on at 0 after 2^31 - 1', () => {
    const { log } = open()
    appended(log, batch(2_147_483_646, 2))
    expect(appended(log, batch(0)).firstOffset).toBe(2)
  })

  it('is forgotten after producer.id.expiration.ms', () => {
    const { log, world } = open({}, { producerIdExpirationMs: 1000, producerIdExpirationCheckMs: 100 })
    appended(
      log,
      batchOf(['a'], { producerId: 9, producerEpoch: 0, baseSequence: 0, timestamp: world.clock.wallMs() }),
    )
    world.time.advance(900)
    expect(log.activeProducers()).toHaveLength(1)
    world.time.advance(200)
    expect(log.activeProducers()).toEqual([])
  })
})

describe('transactions', () => {
  const producer = { producerId: 3, producerEpoch: 0, isTransactional: true }
  const data = (sequence: number, producerEpoch = 0) =>
    batchOf([`v${sequence}`], { ...producer, producerEpoch, baseSequence: sequence })
  const end = (
    type: 'commit' | 'abort',
    options: { producerEpoch?: number; coordinatorEpoch?: number } = {},
  ) => markerOf({ ...producer, type, coordinatorEpoch: 0, timestamp: 1_704_067_200_000, ...options })

  it('hold back the last stable offset until their marker is below the high watermark', () => {
    const { log } = open()
    appended(log, batchOf(['before']))
    appended(log, data(0))
    log.updateHighWatermark(2)
    expect(log.lastStableOffset).toBe(1)
    expect(log.lastStableOffsetMetadata.positionBytes).toBe(batchOf(['before']).length)
    appended(log, end('commit'), { origin: 'coordinator' })
    expect(log.lastStableOffset).toBe(1)
    log.updateHighWatermark(3)
    expect(log.lastStableOffset).toBe(3)
    expect(log.readableBytes(0, 'lastStable')).toBe(log.sizeBytes)
  })

  it('that were aborted are told to read_committed readers whose data they touch', () => {
    const { log } = open()
    appended(log, data(0))
    appended(log, end('abort'), { origin: 'coordinator' })
    appended(log, batchOf(['after']))
    log.updateHighWatermark(3)
    const read = (offset: number) =>
      log.read({ offset, maxBytes: 1000, upTo: 'lastStable', atLeastOneBatch: true }).abortedTransactions
    expect(read(0)).toEqual([{ producerId: 3, firstOffset: 0, lastOffset: 1, lastStableOffset: 2 }])
    expect(read(2)).toEqual([])
  })

  it('are ended by the newest coordinator only', () => {
    const { log } = open()
    appended(log, data(0))
    appended(log, end('commit', { coordinatorEpoch: 5 }), { origin: 'coordinator' })
    appended(log, data(1))
    const stale = append(log, end('commit', { coordinatorEpoch: 4 }), { origin: 'coordinator' })
    expect(stale.error).toBe(ErrorCode.TRANSACTION_COORDINATOR_FENCED)
  })

  it('of version 2 are ended with a raised epoch, and may be ended twice (KIP-890)', () => {
    const { log } = open()
    appended(log, data(0))
    const options = { origin: 'coordinator', transactionVersion: 2 } as const
    expect(append(log, end('commit'), options).error).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
    appended(log, end('commit', { producerEpoch: 1 }), options)
    appended(log, end('commit', { producerEpoch: 1 }), options)
    expect(append(log, data(1)).error).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
    expect(appended(log, data(0, 1)).firstOffset).toBe(3)
  })

  it('refuse a batch outside of the open transaction', () => {
    const { log } = open()
    appended(log, data(0))
    const outside = batchOf(['x'], { producerId: 3, producerEpoch: 0, baseSequence: 1 })
    expect(append(log, outside).error).toBe(ErrorCode.INVALID_TXN_STATE)
  })

  it('must be verified before their first batch (KIP-890)', () => {
    const { log } = open({}, {})
    expect(append(log, data(0)).error).toBe(ErrorCode.INVALID_TXN_STATE)
    const request = { producerId: 3, producerEpoch: 0, sequence: 0, supportsEpochBump: true }
    const started = log.startVerification(request)
    if (started.error !== 0 || started.guard === undefined) throw new Error('no guard')
    expect(append(log, data(0), { verificationGuard: { producerId: 3 } }).error).toBe(
      ErrorCode.INVALID_TXN_STATE,
    )
    expect(append(log, data(1), { verificationGuard: started.guard }).error).toBe(
      ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
    )
    appended(log, data(0), { verificationGuard: started.guard })
    expect(log.startVerification({ ...request, sequence: 1 })).toEqual({ error: 0, guard: undefined })
    appended(log, data(1))
  })
})

describe('a follower that appends', () => {
  const fromLeader = (values: string[], baseOffset: number, leaderEpoch = 0) => {
    const batch = batchOf(values)
    new BatchView(batch).stamp(baseOffset, leaderEpoch)
    return batch
  }

  it('takes offsets and epochs as they are, with gaps, and refuses what it has already', () => {
    const { log } = open()
    expect(log.appendAsFollower(fromLeader(['a', 'b'], 0, 1), 2)).toMatchObject({ error: 0, nextOffset: 2 })
    expect(
      log.appendAsFollower(Buffer.concat([fromLeader(['c'], 5, 1), fromLeader(['d'], 9, 2)]), 2),
    ).toMatchObject({
      error: 0,
      nextOffset: 10,
    })
    expect(log.epochEntries).toEqual([
      { epoch: 1, startOffset: 0 },
      { epoch: 2, startOffset: 9 },
    ])
    expect(log.appendAsFollower(fromLeader(['again'], 9, 2), 2).error).not.toBe(0)
    expect(readAll(log).map(({ offset }) => offset)).toEqual([0, 1, 5, 9])
  })

  it('leaves out batches of an epoch newer than the leader it follows', () => {
    const { log } = open()
    const records = Buffer.concat([fromLeader(['a'], 0, 1), fromLeader(['b'], 1, 2)])
    expect(log.appendAsFollower(records, 1)).toMatchObject({ error: 0, nextOffset: 1 })
  })

  it('refuses a batch with a wrong checksum', () => {
    const { log } = open()
    const batch = fromLeader(['a'], 0)
    batch[batch.length - 1] = 0x55
    expect(log.appendAsFollower(batch, 0).error).toBe(ErrorCode.CORRUPT_MESSAGE)
  })

  it('that led without appending forgets its epoch when it is cut at its end', () => {
    const { log } = open()
    appended(log, batchOf(['a']), { leaderEpoch: 0 })
    log.assignLeaderEpoch(3, log.logEndOffset)
    expect(log.latestEpoch).toBe(3)
    expect(log.truncateTo(log.logEndOffset)).toBe(false)
    expect(log.latestEpoch).toBe(0)
    expect(log.logEndOffset).toBe(1)
  })

  it('that diverged truncates before it appends', () => {
    const { log } = open({ segmentBytes: 200 })
    for (let count = 0; count < 10; count++)
      appended(log, batchOf([`old ${count}`]), { leaderEpoch: count >> 2 })
    log.updateHighWatermark(6)
    expect(log.endOffsetForEpoch(1)).toEqual({ epoch: 1, endOffset: 8 })
    expect(log.endOffsetForEpoch(2)).toEqual({ epoch: 2, endOffset: 10 })
    expect(log.endOffsetForEpoch(5)).toEqual({ epoch: -1, endOffset: -1 })
    expect(log.truncateTo(5)).toBe(true)
    expect(log.logEndOffset).toBe(5)
    expect(log.highWatermark).toBe(5)
    expect(log.epochEntries).toEqual([
      { epoch: 0, startOffset: 0 },
      { epoch: 1, startOffset: 4 },
    ])
    expect(log.appendAsFollower(fromLeader(['new'], 5, 7), 7).error).toBe(0)
    expect(valuesOf(log).slice(-2)).toEqual(['old 4', 'new'])
  })

  it('whose offset is out of range begins anew where the leader does', () => {
    const { log } = open()
    appended(log, batchOf(['a', 'b']))
    log.truncateFullyAndStartAt(100)
    expect([log.logStartOffset, log.highWatermark, log.logEndOffset]).toEqual([100, 100, 100])
    expect(log.appendAsFollower(fromLeader(['x'], 100), 0).error).toBe(0)
  })
})

describe('reading', () => {
  it('stops at the bound, cuts at batches, and always gives the first batch when asked to', () => {
    for (const turns of [false, true]) {
      const { log, world } = open()
      for (let count = 0; count < 10; count++) appended(log, batchOf([`value ${count}`, 'x']))
      if (turns) world.reactor.runUntilIdle()
      const size = batchOf(['value 0', 'x']).length
      const read = (offset: number, maxBytes: number, options = {}) =>
        log.read({ offset, maxBytes, upTo: 'logEnd', atLeastOneBatch: true, ...options })
      expect(read(0, size * 3 + 5).records.length).toBe(size * 3)
      expect(read(5, 1).records.length).toBe(size)
      expect(new BatchView(read(5, 1).records).baseOffset).toBe(4)
      expect(read(5, 1, { atLeastOneBatch: false }).records.length).toBe(0)
      expect(read(0, 1e6, { upTo: 'highWatermark' }).records.length).toBe(0)
      log.updateHighWatermark(6)
      expect(read(0, 1e6, { upTo: 'highWatermark' }).nextOffset).toBe(6)
      expect(read(20, 100)).toMatchObject({ error: 0, nextOffset: 20 })
      expect(read(21, 100).error).toBe(ErrorCode.OFFSET_OUT_OF_RANGE)
      expect(log.readableBytes(2, 'highWatermark')).toBe(size * 2)
      expect(log.readableBytes(3, 'logEnd')).toBe(size * 9)
    }
  })

  it('answers the same from memory and from files, at every offset and size', () => {
    const config = { segmentBytes: 700, indexIntervalBytes: 100 }
    const { log, world } = open(config)
    const manager = memoryWorld({ tailCacheBytes: 0 }).manager({
      config,
      settings: { isVerificationEnabled: false },
    })
    manager.open()
    const cold = manager.getOrCreate(PARTITION, { topicId: TOPIC_ID }) as Log
    for (let count = 0; count < 40; count++) {
      const values = Array.from({ length: 1 + (count % 3) }, () => 'x'.repeat(count))
      appended(log, batchOf(values))
      appended(cold, batchOf(values))
      cold.flush()
    }
    world.reactor.runUntilIdle()
    for (const maxBytes of [1, 150, 400, 5000]) {
      for (let offset = 0; offset <= log.logEndOffset; offset++) {
        const request = { offset, maxBytes, upTo: 'logEnd', atLeastOneBatch: true } as const
        const [fast, slow] = [log.read(request).records, cold.read(request).records]
        // Memory may give less at once where its buffers end.
        expect(fast.length > 0).toBe(slow.length > 0)
        expect(fast.equals(slow.subarray(0, fast.length)), `${offset} ${maxBytes}`).toBe(true)
        expect(log.offsetMetadata(offset)).toEqual(cold.offsetMetadata(offset))
      }
    }
  })
})

describe('a lookup by time', () => {
  it('finds the first record at or after the time, with the leader epoch of that record', () => {
    const { log } = open({ retentionMs: -1 })
    for (const leaderEpoch of [0, 3, 4]) {
      log.assignLeaderEpoch(leaderEpoch, log.logEndOffset)
      appended(log, batchOf(['a', 'b'], { timestamp: 1000 * (leaderEpoch + 1) }), { leaderEpoch })
    }
    log.updateHighWatermark(6)
    const find = (timestamp: number) => log.fetchOffsetByTimestamp(timestamp, 'highWatermark').found
    expect(find(1001)).toEqual({ timestamp: 1001, offset: 1, leaderEpoch: 0 })
    expect(find(1002)).toEqual({ timestamp: 4000, offset: 2, leaderEpoch: 3 })
    expect(find(5002)).toBeUndefined()
  })

  it('asks only the first segment that is late enough, even when its records are deleted', () => {
    const { log } = open({ segmentBytes: 200, retentionMs: -1 })
    for (const timestamp of [1000, 2000]) appended(log, batchOf(['x'.repeat(100)], { timestamp }))
    log.updateHighWatermark(2)
    log.maybeIncrementLogStartOffset(1)
    expect(log.fetchOffsetByTimestamp(1000, 'logEnd').found).toBeUndefined()
    expect(log.fetchOffsetByTimestamp(1001, 'logEnd').found?.offset).toBe(1)
    log.deleteOldSegments()
    expect(log.fetchOffsetByTimestamp(1000, 'logEnd').found?.offset).toBe(1)
  })
})

describe('retention', () => {
  it('drops old segments by time, but none above the high watermark', () => {
    const { log, world } = open({ segmentBytes: 150, retentionMs: 1000, fileDeleteDelayMs: 500 })
    for (let count = 0; count < 4; count++)
      appended(log, batchOf([`v${count}`, 'x'.repeat(60)], { timestamp: world.clock.wallMs() }))
    world.reactor.runUntilIdle()
    world.time.advance(2000)
    expect(log.deleteOldSegments()).toBe(0)
    log.updateHighWatermark(4)
    expect(log.deleteOldSegments()).toBe(2)
    expect(log.logStartOffset).toBe(4)
    const deleted = () => world.disk.list(log.path).filter((name) => name.endsWith('.deleted'))
    expect(deleted().length).toBeGreaterThan(0)
    world.time.advance(500)
    expect(deleted()).toEqual([])
    log.updateHighWatermark(log.logEndOffset)
    expect(log.deleteOldSegments()).toBe(2)
    expect([log.logStartOffset, log.logEndOffset, log.segments.length]).toEqual([8, 8, 1])
  })

  it('drops old segments by size', () => {
    const { log } = open({ segmentBytes: 150, retentionBytes: 300 })
    for (let count = 0; count < 5; count++) appended(log, batchOf(['x'.repeat(60)]))
    log.updateHighWatermark(5)
    const { sizeBytes } = log
    expect(log.deleteOldSegments()).toBe(Math.floor((sizeBytes - 300) / (sizeBytes / 5)))
    expect(log.sizeBytes).toBeGreaterThanOrEqual(300)
  })

  it('follows DeleteRecords', () => {
    const { log } = open({ segmentBytes: 150 })
    for (let count = 0; count < 5; count++) appended(log, batchOf(['x'.repeat(60)]))
    log.updateHighWatermark(4)
    expect(log.maybeIncrementLogStartOffset(5)).toBe(ErrorCode.OFFSET_OUT_OF_RANGE)
    expect(log.maybeIncrementLogStartOffset(3)).toBe(ErrorCode.NONE)
    expect(log.read({ offset: 2, maxBytes: 1, upTo: 'logEnd', atLeastOneBatch: true }).error).toBe(
      ErrorCode.OFFSET_OUT_OF_RANGE,
    )
    expect(log.deleteOldSegments()).toBe(3)
    expect(readAll(log).map(({ offset }) => offset)).toEqual([3, 4])
  })
})

describe('writing', () => {
  it('hands everything of a turn to the system in one call, before it says so', () => {
    const { log, world } = open()
    appended(log, batchOf(['first']))
    world.reactor.runUntilIdle()
    let writes = 0
    world.disk.onCall = ({ operation }) => {
      if (operation === 'write') writes++
      return undefined
    }
    for (let count = 0; count < 10; count++) appended(log, batchOf([`${count}`]))
    let answer: ErrorCode | undefined
    log.whenWritten((error) => {
      answer = error
    })
    expect([writes, answer, log.writtenEndOffset]).toEqual([0, undefined, 1])
    world.reactor.runUntilIdle()
    expect([writes, answer, log.writtenEndOffset]).toEqual([1, 0, 11])
  })

  it('tells who waits when it fails, and refuses everything from then on', () => {
    const { log, world } = open()
    appended(log, batchOf(['a']))
    world.disk.failAt(1, 'ENOSPC')
    const answers: ErrorCode[] = []
    log.whenWritten((error) => answers.push(error))
    world.reactor.runUntilIdle()
    log.whenWritten((error) => answers.push(error))
    expect(answers).toEqual([ErrorCode.KAFKA_STORAGE_ERROR, ErrorCode.KAFKA_STORAGE_ERROR])
    expect(append(log, batchOf(['b'])).error).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
    expect(log.read({ offset: 0, maxBytes: 1, upTo: 'logEnd', atLeastOneBatch: true }).error).toBe(
      ErrorCode.KAFKA_STORAGE_ERROR,
    )
  })

  it('syncs by flush.messages before it says that it has written', () => {
    const { log, world } = open({ flushMessages: 2 })
    appended(log, batchOf(['a']))
    world.reactor.runUntilIdle()
    expect(log.recoveryPoint).toBe(0)
    appended(log, batchOf(['b']))
    world.reactor.runUntilIdle()
    expect(log.recoveryPoint).toBe(2)
  })
})
