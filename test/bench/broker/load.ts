/**
 * Load on the leaders of a topic, from a process of its own: frames are made once, only correlation ids and offsets are patched, and
 * answers are skipped by their length. So the generator costs little and sends the same bytes to everybody.
 *
 *     tsx load.ts '{"mode":"produce","bootstrap":"127.0.0.1:9092","topic":"t","partitions":4,"bytes":1e9,"batchBytes":65536}'
 *
 * Prints one line of JSON.
 */
import { connect, type Socket } from 'node:net'
import { Produce } from '../../../common/protocol/apis/00-produce.ts'
import { Fetch } from '../../../common/protocol/apis/01-fetch.ts'
import { joinFrame } from '../../../common/protocol/frame.ts'
import { encodeRequestFrame } from '../../../common/protocol/header.ts'
import type { ApiSchema, RequestInputOf } from '../../../common/protocol/schema.ts'
import { BatchBuilder } from '../../../common/record/batch-builder.ts'
import { leadersOf } from './admin.ts'

export interface LoadOptions {
  readonly mode: 'produce' | 'consume' | 'latency'
  readonly bootstrap: string
  readonly topic: string
  readonly partitions: number
  /** Bytes to move in all; of `latency`, see `messages`. */
  readonly bytes: number
  readonly batchBytes: number
  readonly messages?: number
  readonly perSecond?: number
}

const RECORD_BYTES = 1024
/** Requests under way on each connection. */
const IN_FLIGHT = 5
const FETCH_BYTES = 1024 * 1024
/** Of Produce v9 without errors for one partition: the error code lies here behind the name of the topic. */
const CORRELATION_POSITION = 8

function prefixed<A extends ApiSchema>(api: A, version: number, request: RequestInputOf<A>): Buffer {
  const frame = joinFrame(encodeRequestFrame(api, { version, correlationId: 0, clientId: 'bench' }, request))
  const whole = Buffer.allocUnsafe(4 + frame.length)
  whole.writeInt32BE(frame.length)
  frame.copy(whole, 4)
  return whole
}

function recordsOf(batchBytes: number): Buffer {
  const builder = new BatchBuilder({ initialBytes: batchBytes + 4096 })
  const count = Math.max(1, Math.floor(batchBytes / RECORD_BYTES))
  const timestamp = Date.now()
  for (let index = 0; index < count; index++) {
    const value = Buffer.alloc(RECORD_BYTES - 24)
    for (let at = 0; at < value.length; at++) value[at] = 32 + ((index * 31 + at * 7) % 90)
    builder.append(timestamp, null, value)
  }
  return builder.build()
}

function produceFrame(topic: string, partition: number, records: Buffer): Buffer {
  return prefixed(Produce, 8, {
    transactionalId: null,
    acks: -1,
    timeoutMs: 30_000,
    topicData: [{ name: topic, partitionData: [{ index: partition, records }] }],
  })
}

/** A position after `string topic` in a Produce v8 or Fetch v11 answer cannot be known without the name's length. */
function errorPosition(topic: string): number {
  // length, correlation id, count of topics, name, count of partitions, index
  return 4 + 4 + 4 + 2 + Buffer.byteLength(topic) + 4 + 4
}

function open(address: string): Promise<Socket> {
  const [host, port] = address.split(',')[0]?.split(':') ?? []
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), host ?? '127.0.0.1', () => resolve(socket))
    socket.setNoDelay(true)
    socket.once('error', reject)
  })
}

/** Calls back with every whole answer, its length included; the buffer is borrowed. */
function onAnswers(socket: Socket, take: (answer: Buffer) => void): void {
  let rest: Buffer | undefined
  socket.on('data', (chunk: Buffer) => {
    let data = rest === undefined ? chunk : Buffer.concat([rest, chunk])
    rest = undefined
    while (data.length >= 4) {
      const size = 4 + data.readInt32BE(0)
      if (data.length < size) break
      take(data.subarray(0, size))
      data = data.subarray(size)
    }
    if (data.length > 0) rest = data
  })
}

async function produce(options: LoadOptions): Promise<object> {
  const { topic, partitions } = options
  const records = recordsOf(options.batchBytes)
  const perPartition = Math.ceil(options.bytes / partitions / records.length)
  const leaders = await leadersOf(options.bootstrap, topic)
  const sockets = await Promise.all(leaders.map(open))
  const position = errorPosition(topic)
  const startMs = performance.now()
  await Promise.all(
    sockets.map((socket, partition) => {
      const frame = produceFrame(topic, partition, records)
      return new Promise<void>((resolve, reject) => {
        let sent = 0
        let answered = 0
        const send = (): void => {
          // Patched only once the system has the bytes of the one before; so each request has a header of its own.
          const head = Buffer.from(frame.subarray(0, CORRELATION_POSITION + 4))
          head.writeInt32BE(sent++, CORRELATION_POSITION)
          socket.cork()
          socket.write(head)
          socket.write(frame.subarray(CORRELATION_POSITION + 4))
          socket.uncork()
        }
        onAnswers(socket, (answer) => {
          const error = answer.readInt16BE(position)
          if (error !== 0) reject(new Error(`produce: error ${error}`))
          answered++
          if (sent < perPartition) send()
          else if (answered === perPartition) resolve()
        })
        for (let index = 0; index < Math.min(IN_FLIGHT, perPartition); index++) send()
      })
    }),
  )
  const seconds = (performance.now() - startMs) / 1000
  for (const socket of sockets) socket.destroy()
  const bytes = perPartition * partitions * records.length
  return { bytes, seconds, mebibytesPerSecond: bytes / seconds / 1024 / 1024 }
}

/** A chunked reader: only the head of an answer is kept, the records are counted and let go. */
async function consume(options: LoadOptions): Promise<object> {
  const { topic, partitions } = options
  const wanted = options.bytes / partitions
  const leaders = await leadersOf(options.bootstrap, topic)
  const sockets = await Promise.all(leaders.map(open))
  const startMs = performance.now()
  const totals = await Promise.all(
    sockets.map((socket, partition) => consumeOne(socket, topic, partition, wanted)),
  )
  const seconds = (performance.now() - startMs) / 1000
  for (const socket of sockets) socket.destroy()
  const bytes = totals.reduce((sum, one) => sum + one, 0)
  return { bytes, seconds, mebibytesPerSecond: bytes / seconds / 1024 / 1024 }
}

function consumeOne(socket: Socket, topic: string, partition: number, wanted: number): Promise<number> {
  const frame = prefixed(Fetch, 11, {
    maxWaitMs: 500,
    minBytes: 1,
    maxBytes: FETCH_BYTES,
    topics: [
      { topic, partitions: [{ partition, fetchOffset: 0x0102030405, partitionMaxBytes: FETCH_BYTES }] },
    ],
  })
  const marker = Buffer.alloc(8)
  marker.writeBigInt64BE(0x0102030405n)
  const offsetPosition = frame.indexOf(marker)
  // throttle, error, session before the topics; high watermark, stable offset, log start, aborted, replica before the records
  const errorAt = 4 + 4 + 4 + 2 + 4 + 4 + 2 + Buffer.byteLength(topic) + 4 + 4
  return new Promise((resolve, reject) => {
    let read = 0
    const ask = (offset: number): void => {
      frame.writeBigInt64BE(BigInt(offset), offsetPosition)
      socket.write(Buffer.from(frame))
    }
    let offset = 0
    onWholeAnswers(socket, (answer) => {
      const error = answer.readInt16BE(errorAt)
      if (error !== 0) return reject(new Error(`fetch: error ${error}`))
      const abortedAt = errorAt + 2 + 24
      const aborted = Math.max(0, answer.readInt32BE(abortedAt))
      const recordsAt = abortedAt + 4 + aborted * 16 + 4
      const size = answer.readInt32BE(recordsAt)
      let at = recordsAt + 4
      const end = at + size
      while (at + 61 <= end) {
        const length = 12 + answer.readInt32BE(at + 8)
        if (at + length > end) break
        offset = Number(answer.readBigInt64BE(at)) + answer.readInt32BE(at + 23) + 1
        at += length
      }
      read += at - recordsAt - 4
      if (read >= wanted) resolve(read)
      else ask(offset)
    })
    ask(0)
  })
}

/** Like `onAnswers`, but a large answer is gathered once instead of joined again with every chunk. */
function onWholeAnswers(socket: Socket, take: (answer: Buffer) => void): void {
  let answer: Buffer | undefined
  let filled = 0
  socket.on('data', (chunk: Buffer) => {
    let data = chunk
    while (data.length > 0) {
      if (answer === undefined) {
        answer = Buffer.allocUnsafe(4 + data.readInt32BE(0))
        filled = 0
      }
      const taken = Math.min(answer.length - filled, data.length)
      data.copy(answer, filled, 0, taken)
      filled += taken
      data = data.subarray(taken)
      if (filled < answer.length) return
      const whole = answer
      answer = undefined
      take(whole)
    }
  })
}

/** One record is produced at a steady rate; a consumer that waits notes when it sees each. */
async function latency(options: LoadOptions): Promise<object> {
  const { topic, messages = 2000, perSecond = 500 } = options
  const [producer, consumer] = await Promise.all([open(options.bootstrap), open(options.bootstrap)])
  const sentMs: number[] = []
  const tookMs: number[] = []
  const ackedMs: number[] = []
  const frame = produceFrame(topic, 0, recordsOf(RECORD_BYTES))
  const start = await endOf(consumer, topic)
  const done = followTail(consumer, topic, start, messages, (index) => {
    tookMs[index] = performance.now() - (sentMs[index] ?? 0)
  })
  onAnswers(producer, () => {
    const index = ackedMs.length
    ackedMs.push(performance.now() - (sentMs[index] ?? 0))
  })
  const beginMs = performance.now()
  for (let index = 0; index < messages; index++) {
    const dueMs = beginMs + (index * 1000) / perSecond
    const waitMs = dueMs - performance.now()
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
    sentMs.push(performance.now())
    producer.write(frame)
  }
  await done
  producer.destroy()
  consumer.destroy()
  return { messages, perSecond, ...quantiles('endToEnd', tookMs), ...quantiles('ack', ackedMs) }
}

/** The fetch offset at the end, found by asking past it: the answer tells the high watermark. */
function endOf(socket: Socket, topic: string): Promise<number> {
  const frame = prefixed(Fetch, 11, {
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: 1,
    topics: [{ topic, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 }] }],
  })
  const highWatermarkAt = 4 + 4 + 4 + 2 + 4 + 4 + 2 + Buffer.byteLength(topic) + 4 + 4 + 2
  return new Promise((resolve) => {
    onWholeAnswers(socket, (answer) => {
      socket.removeAllListeners('data')
      resolve(Number(answer.readBigInt64BE(highWatermarkAt)))
    })
    socket.write(frame)
  })
}

function followTail(
  socket: Socket,
  topic: string,
  start: number,
  count: number,
  onRecord: (index: number) => void,
): Promise<void> {
  const frame = prefixed(Fetch, 11, {
    maxWaitMs: 5000,
    minBytes: 1,
    maxBytes: FETCH_BYTES,
    topics: [
      { topic, partitions: [{ partition: 0, fetchOffset: 0x0102030405, partitionMaxBytes: FETCH_BYTES }] },
    ],
  })
  const marker = Buffer.alloc(8)
  marker.writeBigInt64BE(0x0102030405n)
  const offsetPosition = frame.indexOf(marker)
  const highWatermarkAt = 4 + 4 + 4 + 2 + 4 + 4 + 2 + Buffer.byteLength(topic) + 4 + 4 + 2
  return new Promise((resolve) => {
    let next = start
    const ask = (): void => {
      frame.writeBigInt64BE(BigInt(next), offsetPosition)
      socket.write(Buffer.from(frame))
    }
    onWholeAnswers(socket, (answer) => {
      // One record a batch and all bytes fit: what is below the high watermark has come.
      const end = Number(answer.readBigInt64BE(highWatermarkAt))
      for (; next < end; next++) onRecord(next - start)
      if (next - start >= count) resolve()
      else ask()
    })
    ask()
  })
}

function quantiles(name: string, values: readonly number[]): Record<string, number> {
  const sorted = [...values].sort((left, right) => left - right)
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { [`${name}P50Ms`]: at(0.5), [`${name}P99Ms`]: at(0.99) }
}

const options = JSON.parse(process.argv[2] ?? '{}') as LoadOptions
const run = { produce, consume, latency }[options.mode]
console.log(JSON.stringify(await run(options)))
