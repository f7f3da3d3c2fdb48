/**
 * Apache Kafka's own tool reads what kafkito's storage wrote: every record of every segment, and the sanity of every index.
 *
 *     npx tsx test/interop/storage-dump-log.ts [command that runs Kafka's tools, default ../shared/oracle/kafka]
 */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { CompressionType } from '../../common/record/codecs.ts'
import type { Log } from '../../storage/log.ts'
import { logConfig } from '../../storage/log-config.ts'
import { batchOf, nodeWorld } from '../storage/world.ts'
import { markerOf } from '../unit/storage/batches.ts'

const tool = process.argv[2] ?? new URL('../../../shared/oracle/kafka', import.meta.url).pathname
const TOPIC_IDS = ['AAAAAAAAAAAAAAAAAAAAAg', 'AAAAAAAAAAAAAAAAAAAAAw', 'AAAAAAAAAAAAAAAAAAAABA']

using world = nodeWorld()
const directory = join(world.directory, 'data')
const manager = world.manager({
  directory,
  settings: { isVerificationEnabled: false },
  cleaner: { isEnabled: false },
})
manager.open()

let appended = 0
function append(log: Log, batch: Buffer, origin: 'client' | 'coordinator' = 'client', leaderEpoch = 0): void {
  const result = log.appendAsLeader(batch, { leaderEpoch, origin })
  if (result.error !== 0) throw new Error(`append answered ${result.error}: ${result.errorMessage}`)
  appended += result.lastOffset - result.firstOffset + 1
  log.updateHighWatermark(log.logEndOffset)
  world.reactor.runUntilIdle()
}

function logOf(topic: string, slot: number, config: Parameters<typeof logConfig>[0]): Log {
  const topicId = TOPIC_IDS[slot] as string
  const log = manager.getOrCreate({ topic, partition: 0 }, { topicId, config: logConfig(config) })
  if (log === undefined) throw new Error('no log')
  log.assignLeaderEpoch(0, 0)
  return log
}

const plain = logOf('plain', 0, { segmentBytes: 20_000, indexIntervalBytes: 1000 })
for (let count = 0; count < 200; count++) {
  const values = Array.from(
    { length: 1 + (count % 5) },
    (_, index) => `value ${count}.${index} ${'x'.repeat(count)}`,
  )
  const compressionType = (count % 5) as CompressionType
  append(
    plain,
    batchOf(values, { compressionType, timestamp: world.clock.wallMs() - count * 10 }),
    'client',
    count >> 6,
  )
  world.time.advance(7)
}
const transactional = logOf('txn', 1, {})
for (let count = 0; count < 12; count++) {
  const producer = { producerId: 5 + (count % 2), producerEpoch: count >> 1, isTransactional: true }
  append(transactional, batchOf(['a', 'b'], { ...producer, baseSequence: 0 }))
  const type = count % 3 === 0 ? 'abort' : 'commit'
  append(
    transactional,
    markerOf({ ...producer, type, coordinatorEpoch: 0, timestamp: world.clock.wallMs() }),
    'coordinator',
  )
  if (count === 6) transactional.roll()
}
const compacted = logOf('compacted', 2, {
  cleanupPolicy: new Set(['compact'] as const),
  minCleanableDirtyRatio: 0,
  segmentBytes: 3000,
  indexIntervalBytes: 300,
})
for (let count = 0; count < 150; count++) {
  const keys = [`k${count % 7}`, `k${(count * 3) % 11}`]
  append(
    compacted,
    batchOf([`${count}`, `${count}`], { keys, compressionType: (count % 5) as CompressionType }),
  )
}
compacted.roll()
if (manager.cleaner.runUntilClean() !== 1) throw new Error('the compacted log was not cleaned')
manager.close({ brokerEpoch: 3 })

const failures: string[] = []
function dump(...options: string[]): string {
  const result = spawnSync(tool, ['dump-log', ...options], { encoding: 'utf8', maxBuffer: 1 << 28 })
  const output = result.stdout + result.stderr
  if (result.status !== 0) failures.push(`${options.join(' ')}: exit ${result.status}\n${output}`)
  return output
}
for (const topic of ['plain-0', 'txn-0', 'compacted-0']) {
  const files = readdirSync(join(directory, topic)).map((name) => join(directory, topic, name))
  const of = (suffix: string) => files.filter((name) => name.endsWith(suffix)).join(',')
  const logs = dump('--deep-iteration', '--print-data-log', '--files', of('.log'))
  const records = logs.match(/^\| offset:/gm)?.length ?? 0
  const wanted = topic === 'plain-0' ? 600 : topic === 'txn-0' ? 36 : 11
  if (records !== wanted) failures.push(`${topic}: ${records} records instead of ${wanted}`)
  console.log(`${topic}: ${records} records in ${of('.log').split(',').length} segments`)
  // The tool calls every segment after the first non-consecutive, Kafka's own too; the count of records says it all.
  const bad = /isvalid: false|trailing/i
  for (const line of logs.split('\n')) if (bad.test(line)) failures.push(`${topic}: ${line}`)
  for (const options of [['--index-sanity-check'], ['--verify-index-only'], []]) {
    const indexes = dump(...options, '--files', [of('.index'), of('.timeindex')].join(','))
    for (const line of indexes.split('\n')) {
      if (/mismatch|fail|exception|error|do not match|out of order|missing/i.test(line)) {
        failures.push(`${topic} ${options.join(' ')}: ${line}`)
      }
    }
    if (options[0] === '--index-sanity-check')
      console.log(`${topic}: ${indexes.match(/passed sanity check/g)?.length} indexes are sane`)
  }
  const snapshots = of('.snapshot')
  if (snapshots !== '')
    console.log(
      dump('--files', snapshots).match(/producerId: /g)?.length ?? 0,
      `producers in the snapshots of ${topic}`,
    )
  const transactions = of('.txnindex')
  if (transactions !== '')
    console.log(dump('--files', transactions).match(/producerId: /g)?.length, 'aborted transactions')
}
console.log(`${appended} records were appended`)
if (failures.length > 0) {
  console.error(failures.join('\n\n').slice(0, 8000))
  process.exitCode = 1
} else console.log('PASSED')
