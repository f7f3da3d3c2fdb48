/**
 * Throughput of the record layer in MB/s of uncompressed records: `npx tsx test/bench/record.bench.ts`. Each figure is
 * the best of several rounds, since other work on the machine only ever slows a round down.
 */
import { BatchView } from '../../common/record/batch.ts'
import { BatchBuilder } from '../../common/record/batch-builder.ts'
import { CompressionType, codecNamed } from '../../common/record/codecs.ts'
import { crc32c, crc32cPlain } from '../../common/record/crc32c.ts'
import { decodeRecords, RecordReader } from '../../common/record/record-reader.ts'

const ROUNDS = 7
const ROUND_NANOSECONDS = 60_000_000n

function measure(name: string, sizeBytes: number, work: () => void): void {
  let best = 0
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint()
    let elapsed = 0n
    let times = 0
    do {
      work()
      times++
      elapsed = process.hrtime.bigint() - start
    } while (elapsed < ROUND_NANOSECONDS)
    best = Math.max(best, (sizeBytes * times * 1000) / Number(elapsed))
  }
  console.log(`${name.padEnd(44)} ${best.toFixed(0).padStart(8)} MB/s`)
}

const recordCount = 1000
const keys = Array.from({ length: recordCount }, (_, index) => Buffer.from(`user-${(index * 7919) % 5000}`))
const values = keys.map((key, index) =>
  Buffer.from(
    JSON.stringify({ id: index, user: key.toString(), amount: (index * 31) % 977, note: 'paid by card' }),
  ),
)

function build(): Buffer {
  const builder = new BatchBuilder({ initialBytes: 128 * 1024 })
  for (let index = 0; index < recordCount; index++) {
    builder.append(1_732_000_000_000 + index, keys[index] as Buffer, values[index] as Buffer)
  }
  return builder.build()
}

const batch = build()
const view = new BatchView(batch)
const records = batch.subarray(61)
console.log(`${recordCount} records, ${batch.length} bytes, Node ${process.version}`)
for (const sizeBytes of [200, 16_384]) {
  const bytes = Buffer.alloc(sizeBytes, 7)
  measure(`crc32c of ${sizeBytes} bytes`, sizeBytes, () => void crc32c(bytes))
  measure(`crc32c of ${sizeBytes} bytes, plain`, sizeBytes, () => void crc32cPlain(bytes))
}
measure('build', batch.length, build)
measure('read, walking only', batch.length, () => {
  const reader = new RecordReader(view)
  while (reader.next());
})
measure('read, keys', batch.length, () => {
  const reader = new RecordReader(view)
  while (reader.next()) void reader.key
})
measure('read, objects', batch.length, () => void decodeRecords(view))
for (const name of Object.keys(CompressionType).slice(1)) {
  const codec = codecNamed(name)
  if (codec === null) continue
  const compressed = codec.compress(records, codec.defaultLevel)
  const ratio = (records.length / compressed.length).toFixed(1)
  measure(
    `${name} compress (ratio ${ratio})`,
    records.length,
    () => void codec.compress(records, codec.defaultLevel),
  )
  measure(`${name} decompress`, records.length, () => void codec.decompress(compressed, 1 << 24))
}
