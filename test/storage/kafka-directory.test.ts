import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { BatchCursor } from '../../common/record/batch.ts'
import { decodeRecords } from '../../common/record/record-reader.ts'
import type { Log } from '../../storage/log.ts'
import { EARLIEST_TIMESTAMP, LATEST_TIMESTAMP, MAX_TIMESTAMP } from '../../storage/time-lookup.ts'
import { nodeWorld, readAll, snapshotOfFiles } from './world.ts'

const KAFKA_DIRECTORY = fileURLToPath(new URL('./kafka-4.3.1', import.meta.url))
const RECORDS = fileURLToPath(new URL('./kafka-4.3.1-records.jsonl', import.meta.url))

interface ExpectedRecord {
  isolation: 'read_committed' | 'read_uncommitted'
  topic: string
  partition: number
  offset: number
  timestamp: number
  leaderEpoch: number
  key: string | null
  value: string | null
  headers: [string, string | null][]
}

const expected = readFileSync(RECORDS, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as ExpectedRecord)

/** What a consumer of that isolation gets: control records and, when careful, aborted transactions are left out. */
function consume(
  log: Log,
  isolation: ExpectedRecord['isolation'],
): Omit<ExpectedRecord, 'isolation' | 'topic' | 'partition'>[] {
  const records: ReturnType<typeof consume> = []
  const upTo = isolation === 'read_committed' ? 'lastStable' : 'highWatermark'
  const end = isolation === 'read_committed' ? log.lastStableOffset : log.highWatermark
  for (let offset = log.logStartOffset; offset < end; ) {
    const read = log.read({ offset, maxBytes: 4096, upTo, atLeastOneBatch: true })
    expect(read.error).toBe(0)
    const aborted = read.abortedTransactions ?? []
    const cursor = new BatchCursor(read.records)
    while (cursor.next()) {
      const { batch } = cursor
      const isAborted = aborted.some(
        (transaction) =>
          transaction.producerId === batch.producerId &&
          batch.isTransactional &&
          batch.baseOffset >= transaction.firstOffset &&
          batch.baseOffset <= transaction.lastOffset,
      )
      if (batch.isControl || isAborted) continue
      for (const record of decodeRecords(batch).records) {
        records.push({
          offset: record.offset,
          timestamp: record.timestamp,
          leaderEpoch: batch.partitionLeaderEpoch,
          key: record.key?.toString() ?? null,
          value: record.value?.toString() ?? null,
          headers: record.headers.map(({ key, value }) => [key, value?.toString() ?? null]),
        })
      }
    }
    offset = read.nextOffset
  }
  return records
}

describe('a log directory written by Kafka', () => {
  it('opens, and every record that Kafka read from it is read here', () => {
    using world = nodeWorld(KAFKA_DIRECTORY)
    const manager = world.manager({ directory: world.directory })
    manager.open()
    const partitions = new Set(expected.map(({ topic, partition }) => `${topic} ${partition}`))
    for (const name of partitions) {
      const [topic, partition] = name.split(' ') as [string, string]
      const log = manager.get({ topic, partition: Number(partition) }) as Log
      for (const isolation of ['read_committed', 'read_uncommitted'] as const) {
        const wanted = expected
          .filter((r) => r.topic === topic && r.partition === Number(partition) && r.isolation === isolation)
          .map(({ offset, timestamp, leaderEpoch, key, value, headers }) => ({
            offset,
            timestamp,
            leaderEpoch,
            key,
            value,
            headers,
          }))
        if (wanted.length > 0) expect(consume(log, isolation), `${name} ${isolation}`).toEqual(wanted)
      }
    }
    manager.kill()
  })

  it('is not changed by a byte when it is opened and closed', () => {
    using world = nodeWorld(KAFKA_DIRECTORY)
    const before = snapshotOfFiles(world.directory)
    const manager = world.manager({ directory: world.directory })
    manager.open()
    for (const log of manager.logs()) readAll(log)
    manager.close({ brokerEpoch: 16 })
    const after = snapshotOfFiles(world.directory)
    after.delete('.lock')
    expect(
      [...after].filter(([path, content]) => before.get(path) !== content).map(([path]) => path),
    ).toEqual([])
    expect([...before.keys()].filter((path) => !after.has(path))).toEqual([])
  })

  it('tells producers, epochs, topic ids and offsets by time as Kafka does', () => {
    using world = nodeWorld(KAFKA_DIRECTORY)
    const manager = world.manager({ directory: world.directory })
    manager.open()
    const transactions = manager.get({ topic: 'txn', partition: 0 }) as Log
    expect(transactions.topicId).toBe('wbdfNz7MRF6qi0LC13sHTg')
    expect(transactions.logEndOffset).toBe(7)
    expect(transactions.lastStableOffset).toBe(7)
    expect(transactions.activeProducers()).toEqual([
      {
        producerId: 10,
        producerEpoch: 3,
        lastSequence: -1,
        lastTimestamp: 1795354382853,
        coordinatorEpoch: 0,
        currentTransactionStartOffset: -1,
      },
    ])
    expect(transactions.epochEntries).toEqual([{ epoch: 0, startOffset: 0 }])
    const plain = manager.get({ topic: 'plain', partition: 0 }) as Log
    const find = (timestamp: number) => plain.fetchOffsetByTimestamp(timestamp, 'highWatermark').found
    expect(find(1732000000005)).toEqual({ timestamp: 1732000000005, offset: 5, leaderEpoch: 0 })
    expect(find(0)).toEqual({ timestamp: 1732000000000, offset: 0, leaderEpoch: 0 })
    expect(find(1732000000013)).toBeUndefined()
    expect(find(EARLIEST_TIMESTAMP)).toEqual({ timestamp: -1, offset: 0, leaderEpoch: 0 })
    expect(find(LATEST_TIMESTAMP)).toEqual({ timestamp: -1, offset: 13, leaderEpoch: 0 })
    expect(find(MAX_TIMESTAMP)).toEqual({ timestamp: 1732000000012, offset: 12, leaderEpoch: 0 })
    const rolled = manager.get({ topic: 'rolled', partition: 0 }) as Log
    expect(rolled.segments).toHaveLength(3)
    manager.kill()
  })

  it('is rebuilt to the same bytes after its indexes and snapshots are lost in an unclean end', () => {
    using world = nodeWorld(KAFKA_DIRECTORY)
    const before = snapshotOfFiles(world.directory)
    const { files } = world.context
    files.remove(`${world.directory}/.kafka_cleanshutdown`)
    files.remove(`${world.directory}/recovery-point-offset-checkpoint`)
    for (const path of before.keys()) {
      if (/\.(index|timeindex|txnindex|snapshot)$/.test(path) || path.endsWith('leader-epoch-checkpoint')) {
        files.remove(`${world.directory}/${path}`)
      }
    }
    const manager = world.manager({ directory: world.directory })
    manager.open()
    manager.close({ brokerEpoch: 16 })
    const after = snapshotOfFiles(world.directory)
    const differing = [...before]
      .filter(([path, content]) => after.get(path) !== content)
      .map(([path]) => path)
    // What these hold cannot be told from the batches: epochs without any (or whose first ones were compacted away), older
    // snapshots, and the file whose lines Kafka writes in an order of its own.
    const unknowable = /^recovery-point|\.snapshot$|^(__.*|compacted-0.)leader-epoch-checkpoint$/
    expect(differing.filter((path) => !unknowable.test(path))).toEqual([])
  })
})
