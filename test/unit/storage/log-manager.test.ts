import { describe, expect, it } from 'vitest'
import { ErrorCode } from '../../../common/protocol/errors.ts'
import type { MemoryDisk } from '../../../common/runtime/sim/files.ts'
import type { Log } from '../../../storage/log.ts'
import { batchOf, memoryWorld, PARTITION, TOPIC_ID, valuesOf, worldOn } from '../../storage/world.ts'
import { markerOf } from './batches.ts'

const OTHER_ID = 'wbdfNz7MRF6qi0LC13sHTg'

describe('a log manager', () => {
  it('formats a new directory as Kafka does and remembers its identity', () => {
    const world = memoryWorld()
    const manager = world.manager()
    manager.open()
    manager.getOrCreate(PARTITION, { topicId: TOPIC_ID })
    manager.close({ brokerEpoch: 42 })
    const read = (path: string) => world.disk.readFile(`/data/${path}`).toString()
    expect(read('meta.properties')).toMatch(
      /^#\nnode\.id=1\ndirectory\.id=[\w-]{22}\nversion=1\ncluster\.id=7zP3mXqRQ5e0yq1v2tD9xA\n$/,
    )
    expect(read('.kafka_cleanshutdown')).toBe('{"version":0,"brokerEpoch":42}')
    expect(read('orders-0/partition.metadata')).toBe(`version: 0\ntopic_id: ${TOPIC_ID}`)
    expect(read('replication-offset-checkpoint')).toBe('0\n1\norders 0 0\n')
    expect(read('log-start-offset-checkpoint')).toBe('0\n0\n')
    expect(world.disk.list('/data/orders-0')).toEqual([
      '00000000000000000000.index',
      '00000000000000000000.log',
      '00000000000000000000.timeindex',
      'partition.metadata',
    ])
    const again = worldOn(world.disk).manager()
    again.open()
    expect(again.directories[0]?.cleanShutdownBrokerEpoch).toBe(42)
    expect(again.directories[0]?.directoryId).toBe(manager.directories[0]?.directoryId)
    expect(world.disk.stat('/data/.kafka_cleanshutdown')).toBeUndefined()
    again.kill()
    expect(() => worldOn(world.disk).manager({ nodeId: 2 }).open()).toThrow(/node 1/)
    expect(() => worldOn(world.disk).manager({ clusterId: 'other' }).open()).toThrow(/cluster/)
  })

  it('does not open a directory that another process has', () => {
    const world = memoryWorld()
    world.manager().open()
    expect(() => world.manager().open()).toThrow(/used by another process/)
  })

  it('lets go of the directories before one that is refused', () => {
    const world = memoryWorld()
    const other = world.manager({ logDirectories: ['/second'] })
    other.open()
    expect(() => world.manager({ logDirectories: ['/first', '/second'] }).open()).toThrow(
      /\/second is used by another process/,
    )
    const first = world.manager({ logDirectories: ['/first'] })
    first.open()
    expect(first.liveDirectories).toHaveLength(1)
  })

  it('keeps high watermark and log start offset over a restart', () => {
    const world = memoryWorld()
    const manager = world.manager({ config: { segmentBytes: 200 } })
    manager.open()
    const log = manager.getOrCreate(PARTITION, { topicId: TOPIC_ID }) as Log
    for (let count = 0; count < 6; count++)
      log.appendAsLeader(batchOf([`${count}`]), { leaderEpoch: 0, origin: 'client' })
    log.updateHighWatermark(4)
    log.maybeIncrementLogStartOffset(1)
    world.time.advance(60_000)
    manager.kill()
    world.disk.crash()
    const again = worldOn(world.disk).manager()
    again.open()
    const reopened = again.get(PARTITION) as Log
    expect([reopened.logStartOffset, reopened.highWatermark, reopened.logEndOffset]).toEqual([1, 4, 6])
    expect(reopened.topicId).toBe(TOPIC_ID)
  })

  it('deletes a log at once and its files after file.delete.delay.ms, also over a restart', () => {
    const world = memoryWorld()
    const manager = world.manager({ config: { fileDeleteDelayMs: 1000 } })
    manager.open()
    const log = manager.getOrCreate(PARTITION, { topicId: TOPIC_ID }) as Log
    manager.getOrCreate({ topic: 'kept', partition: 3 }, { topicId: OTHER_ID })
    log.appendAsLeader(batchOf(['a']), { leaderEpoch: 0, origin: 'client' })
    expect(manager.delete(PARTITION)).toBe(ErrorCode.NONE)
    expect(manager.get(PARTITION)).toBeUndefined()
    expect(log.isFailed).toBe(true)
    const marked = () =>
      world.disk.list('/data').filter((name) => /^orders-0\.[0-9a-f]{32}-delete$/.test(name))
    expect(marked()).toHaveLength(1)
    const fresh = manager.getOrCreate(PARTITION, { topicId: OTHER_ID })
    expect(fresh?.logEndOffset).toBe(0)
    const copy = world.disk.fork()
    world.time.advance(1000)
    expect(marked()).toEqual([])
    copy.crash()
    const later = worldOn(copy)
    const again = later.manager()
    again.open()
    later.time.advance(1)
    expect(copy.list('/data').filter((name) => name.endsWith('-delete'))).toEqual([])
    expect([...again.logs()].map(({ topicPartition }) => topicPartition.topic).sort()).toEqual([
      'kept',
      'orders',
    ])
  })

  it('puts aside a log of a topic that was made again under the same name, and strays', () => {
    const world = memoryWorld()
    const manager = world.manager()
    manager.open()
    const log = manager.getOrCreate(PARTITION, { topicId: TOPIC_ID }) as Log
    log.appendAsLeader(batchOf(['old']), { leaderEpoch: 0, origin: 'client' })
    const made = manager.getOrCreate(PARTITION, { topicId: OTHER_ID }) as Log
    expect(valuesOf(made)).toEqual([])
    manager.putAsideStrays(({ topicId }) => topicId === OTHER_ID)
    expect([...manager.logs()]).toEqual([])
    expect(world.disk.list('/data').filter((name) => name.endsWith('-stray'))).toHaveLength(2)
  })

  it('spreads logs over its directories and goes on with the others when one fails', () => {
    const world = memoryWorld()
    const failed: string[] = []
    const manager = world.manager({
      logDirectories: ['/a', '/b'],
      onDirectoryFailure: ({ path }) => failed.push(path),
    })
    manager.open()
    const logs = Array.from(
      { length: 4 },
      (_, partition) => manager.getOrCreate({ topic: 't', partition }, { topicId: TOPIC_ID }) as Log,
    )
    expect(logs.map(({ path }) => path[1])).toEqual(['a', 'b', 'a', 'b'])
    world.reactor.runUntilIdle()
    const answers: ErrorCode[] = []
    for (const log of logs) {
      log.appendAsLeader(batchOf(['v']), { leaderEpoch: 0, origin: 'client' })
      log.whenWritten((error) => answers.push(error))
    }
    world.disk.failAt(1, 'EIO', { forever: true, matching: ({ path }) => path.startsWith('/a') })
    world.reactor.runUntilIdle()
    expect(answers.sort()).toEqual([0, 0, 56, 56])
    expect(failed).toEqual(['/a'])
    expect(manager.getOrCreate({ topic: 't', partition: 0 }, { topicId: TOPIC_ID })).toBeUndefined()
    expect(manager.getOrCreate({ topic: 't', partition: 9 }, { topicId: TOPIC_ID })?.path).toBe('/b/t-9')
    expect(manager.describe().map(({ isOnline, totalBytes }) => [isOnline, totalBytes > 0])).toEqual([
      [false, false],
      [true, true],
    ])
    manager.close()
  })

  it('makes and opens partitions with few calls', () => {
    const world = memoryWorld()
    const manager = world.manager()
    manager.open()
    const before = world.disk.calls
    const count = 200
    for (let partition = 0; partition < count; partition++)
      manager.getOrCreate({ topic: 't', partition }, { topicId: TOPIC_ID })
    expect((world.disk.calls - before) / count).toBeLessThan(10)
    manager.close()
    const opened = world.disk.calls
    const again = worldOn(world.disk).manager()
    again.open()
    expect((world.disk.calls - opened) / count).toBeLessThan(8)
    expect(again.logs().next().value?.topicId).toBe(TOPIC_ID)
  })

  it('makes of a copy of the disk what a clean shutdown would have left there', () => {
    const world = memoryWorld()
    const manager = world.manager({
      config: { segmentBytes: 900, indexIntervalBytes: 100 },
      settings: { isVerificationEnabled: false },
    })
    manager.open()
    const log = manager.getOrCreate(PARTITION, { topicId: TOPIC_ID }) as Log
    const producer = { producerId: 7, producerEpoch: 0 }
    const append = (records: Buffer, origin: 'client' | 'coordinator' = 'client') =>
      log.appendAsLeader(records, { leaderEpoch: 0, origin })
    for (let sequence = 0; sequence < 20; sequence++) {
      // The latest record is not the last one.
      const timestamp = 1_704_067_200_000 + (sequence % 19)
      const options = { ...producer, baseSequence: sequence, isTransactional: true, timestamp }
      append(batchOf(['some value of a record'], options))
    }
    append(
      markerOf({ ...producer, type: 'abort', coordinatorEpoch: 0, timestamp: 1_704_067_200_000 }),
      'coordinator',
    )
    log.updateHighWatermark(log.logEndOffset)
    world.reactor.runUntilIdle()
    const contents = (disk: MemoryDisk) =>
      disk
        .list('/data/orders-0')
        .map((name) => [name, disk.readFile(`/data/orders-0/${name}`).toString('hex')])
    const before = contents(world.disk)
    const copy = world.disk.fork()
    manager.saveTo(copy, { brokerEpoch: 42 })
    expect(contents(world.disk)).toEqual(before)
    manager.close({ brokerEpoch: 42 })
    const closed = contents(world.disk).filter(([name]) => name !== 'leader-epoch-checkpoint')
    expect(contents(copy).filter(([name]) => name !== 'leader-epoch-checkpoint')).toEqual(closed)
    expect(closed.map(([name]) => name)).toEqual(
      expect.arrayContaining([expect.stringMatching(/\.txnindex$/), expect.stringMatching(/\.snapshot$/)]),
    )
    let logReads = 0
    copy.onCall = ({ operation, path }) => {
      if (operation === 'read' && path.endsWith('.log')) logReads += 1
      return undefined
    }
    const again = worldOn(copy).manager()
    again.open()
    expect(again.directories[0]?.cleanShutdownBrokerEpoch).toBe(42)
    expect((again.get(PARTITION) as Log).logEndOffset).toBe(21)
    // The end of the log, which is in no index.
    expect(logReads).toBeLessThan(4)
    again.kill()
  })
})
