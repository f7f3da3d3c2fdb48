/**
 * Microseconds to decode and encode Produce and Fetch with 50 partitions. Run with `npx tsx test/bench/codec.bench.ts`.
 * Budget: 10 µs for decoding and encoding one message.
 */
import { Produce } from '../../common/protocol/apis/00-produce.ts'
import { Fetch } from '../../common/protocol/apis/01-fetch.ts'
import { compileCodec } from '../../common/protocol/compile.ts'
import { interpretCodec } from '../../common/protocol/interpret.ts'
import type { Codec } from '../../common/protocol/message-codec.ts'
import { Reader } from '../../common/protocol/reader.ts'
import type { MessageSchema, RequestInputOf, ResponseInputOf } from '../../common/protocol/schema.ts'
import { Writer } from '../../common/protocol/writer.ts'

const topicId = 'b4R4KuqLN-8IJhYMYTZ2Bw'
const partitions = Array.from({ length: 50 }, (_, index) => index)
const smallBatch = Buffer.alloc(100, 1)

const fetchRequest: RequestInputOf<typeof Fetch> = {
  maxWaitMs: 500,
  minBytes: 1,
  topics: [
    {
      topic: 'orders',
      topicId,
      partitions: partitions.map((partition) => ({
        partition,
        currentLeaderEpoch: 3,
        fetchOffset: 1_000_000 + partition,
        partitionMaxBytes: 1048576,
      })),
    },
  ],
}

const fetchResponse: ResponseInputOf<typeof Fetch> = {
  errorCode: 0,
  responses: [
    {
      topic: 'orders',
      topicId,
      partitions: partitions.map((partitionIndex) => ({
        partitionIndex,
        errorCode: 0,
        highWatermark: 1_000_000,
        lastStableOffset: 1_000_000,
        logStartOffset: 0,
        abortedTransactions: null,
        records: smallBatch,
      })),
    },
  ],
}

const produceRequest: RequestInputOf<typeof Produce> = {
  transactionalId: null,
  acks: -1,
  timeoutMs: 30_000,
  topicData: [
    {
      name: 'orders',
      topicId,
      partitionData: partitions.map((index) => ({ index, records: smallBatch })),
    },
  ],
}

const produceResponse: ResponseInputOf<typeof Produce> = {
  responses: [
    {
      name: 'orders',
      topicId,
      partitionResponses: partitions.map((index) => ({ index, errorCode: 0, baseOffset: 1_000_000 })),
    },
  ],
}

function microseconds(run: () => void, rounds: number): number {
  for (let round = 0; round < rounds; round++) run()
  let best = Number.POSITIVE_INFINITY
  for (let attempt = 0; attempt < 5; attempt++) {
    const start = process.hrtime.bigint()
    for (let round = 0; round < rounds; round++) run()
    best = Math.min(best, Number(process.hrtime.bigint() - start) / rounds / 1000)
  }
  return best
}

function measure(title: string, codec: Codec, value: unknown, rounds: number): void {
  const writer = new Writer()
  writer.begin(true)
  codec.encode(writer, value)
  const bytes = writer.finishBuffer()
  const decode = microseconds(() => codec.decode(new Reader(bytes)), rounds)
  const encode = microseconds(() => {
    writer.begin()
    codec.encode(writer, value)
    writer.finish()
  }, rounds)
  const columns = [decode, encode, decode + encode].map((time) => time.toFixed(2).padStart(8))
  console.log(`${title.padEnd(36)}${columns.join('')}`)
}

const cases: readonly (readonly [MessageSchema, number, unknown])[] = [
  [Fetch.request, 17, fetchRequest],
  [Fetch.request, 11, fetchRequest],
  [Fetch.response, 17, fetchResponse],
  [Fetch.response, 11, fetchResponse],
  [Produce.request, 13, produceRequest],
  [Produce.request, 8, produceRequest],
  [Produce.response, 13, produceResponse],
]

console.log(`${'µs, 50 partitions'.padEnd(36)}  decode  encode     sum`)
for (const [message, version, value] of cases) {
  measure(`${message.name} v${version} compiled`, compileCodec(message, version), value, 20_000)
  measure(`${message.name} v${version} interpreted`, interpretCodec(message, version), value, 2_000)
}
