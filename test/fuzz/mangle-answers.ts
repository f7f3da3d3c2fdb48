/**
 * Lies that a broker may tell. Half of them are made of the decoded answer (a field that says what it never should, in bytes
 * that are in order), half of the bytes (what a broken network, or no Kafka at all, would send).
 */
import { decodeResponse } from '../../common/protocol/codec.ts'
import { errorByCode } from '../../common/protocol/errors.ts'
import { joinFrame } from '../../common/protocol/frame.ts'
import { decodeResponseHeader, encodeResponseFrame } from '../../common/protocol/header.ts'
import type { ApiSchema, ResponseInputOf } from '../../common/protocol/schema.ts'
import {
  ATTRIBUTES_POSITION,
  BATCH_HEADER_BYTES,
  BATCH_LENGTH_POSITION,
  LAST_OFFSET_DELTA_POSITION,
  LOG_OVERHEAD_BYTES,
  RECORD_COUNT_POSITION,
  writeInt64,
} from '../../common/record/batch.ts'
import { BatchBuilder } from '../../common/record/batch-builder.ts'
import { CompressionType, codecOf } from '../../common/record/codecs.ts'
import type { Random } from '../../common/runtime/random.ts'
import type { Answer } from './hostile-transport.ts'

type Structure = Record<string, unknown>

const CORRELATION_BYTES = 4
const BOMB_PART_BYTES = 4 * 1024 * 1024
const BOMB_PARTS = 128
const SNAPPY_HEADER_BYTES = 16

const numbers = [
  0,
  -1,
  -2,
  1,
  2,
  7,
  99,
  0x7f,
  0x7fff,
  -0x8000,
  0x7fffffff,
  -0x80000000,
  2 ** 53 - 1,
  -(2 ** 53) + 1,
]
const texts = ['', 'nowhere', 'broker-0', '\u0000', 'x'.repeat(300), '../..', '__proto__', 'ü']
const addresses = ['', 'nowhere', '256.0.0.1', '[', 'broker-0']
const ports = [0, -1, 1, 9092, 70_000, 0x7fffffff]

function pick<T>(random: Random, items: readonly T[]): T {
  return items[random.int(items.length)] as T
}

const codes = [...errorByCode.keys()]

/** A batch that is not what a log would hold. */
export function hostileBatch(random: Random, baseOffset: number): Buffer {
  const builder = new BatchBuilder({
    baseOffset,
    isControl: random.int(6) === 0,
    isTransactional: random.int(6) === 0,
    ...(random.int(3) === 0 ? { producerId: 5, producerEpoch: 0, baseSequence: 0 } : {}),
  })
  for (let count = 1 + random.int(3); count > 0; count--) builder.append(1, random.bytes(3), random.bytes(20))
  const batch = builder.build()
  switch (random.int(8)) {
    case 0:
      batch.writeInt32BE(
        pick(
          random,
          numbers.filter((one) => Math.abs(one) < 2 ** 31),
        ),
        RECORD_COUNT_POSITION,
      )
      break
    case 1:
      batch.writeInt32BE(pick(random, [-1, -1000, 0x7fffffff, 1000]), LAST_OFFSET_DELTA_POSITION)
      break
    case 2:
      writeInt64(batch, 0, pick(random, numbers))
      break
    case 3:
      batch.fill(0x7f, 0, 8)
      break
    case 4:
      // The codec says one thing, the bytes another.
      batch.writeInt16BE(batch.readInt16BE(ATTRIBUTES_POSITION) | (1 + random.int(7)), ATTRIBUTES_POSITION)
      break
    case 5:
      batch[BATCH_HEADER_BYTES + random.int(batch.length - BATCH_HEADER_BYTES)] = random.int(256)
      break
    case 6:
      batch[random.int(batch.length)] = random.int(256)
      break
    default:
  }
  return batch
}

/** A small batch whose records are half a gigabyte of zeros when unpacked: the same zeros packed once, many times over. */
export function bombOf(codec: keyof typeof CompressionType): Buffer {
  const builder = new BatchBuilder()
  builder.append(1, null, Buffer.from('x'))
  const batch = builder.build()
  const part = codecOf(CompressionType[codec])?.compress(Buffer.alloc(BOMB_PART_BYTES), 1) ?? Buffer.alloc(0)
  // Frames follow each other; of snappy only the blocks behind the first header do.
  const again = codec === 'snappy' ? part.subarray(SNAPPY_HEADER_BYTES) : part
  const bomb = Buffer.concat([
    batch.subarray(0, BATCH_HEADER_BYTES),
    part,
    ...Array.from({ length: BOMB_PARTS - 1 }, () => again),
  ])
  bomb.writeInt32BE(bomb.length - LOG_OVERHEAD_BYTES, BATCH_LENGTH_POSITION)
  bomb.writeInt16BE(CompressionType[codec], ATTRIBUTES_POSITION)
  return bomb
}

/** What stands in the place of a value; undefined where nothing fits. */
function lie(random: Random, name: string, value: unknown): unknown {
  if (Array.isArray(value)) return listLie(random, value)
  if (Buffer.isBuffer(value) || (value === null && (name === 'records' || name === 'assignment'))) {
    if (name === 'records') {
      const batches = Array.from({ length: 1 + random.int(3) }, () => hostileBatch(random, random.int(20)))
      return Buffer.concat(batches)
    }
    return random.bytes(random.int(40))
  }
  if (name === 'host') return pick(random, addresses)
  if (name === 'port') return pick(random, ports)
  if (name === 'errorCode' || name.endsWith('ErrorCode')) {
    return random.int(3) === 0 ? pick(random, [-2, 9999, 0x7fff, -0x8000]) : pick(random, codes)
  }
  if (name === 'throttleTimeMs') return pick(random, [-1, 1, 86_400_000 * 5, 0x7fffffff])
  if (typeof value === 'number') return pick(random, numbers)
  if (typeof value === 'bigint') return BigInt(pick(random, numbers))
  if (typeof value === 'boolean') return !value
  if (typeof value === 'string' && value.length === 22) return pick(random, [random.uuid(), 'A'.repeat(22)])
  if (typeof value === 'string') return random.int(6) === 0 ? null : pick(random, texts)
  return value === null ? pick(random, ['', 'text', Buffer.alloc(3), []]) : undefined
}

function listLie(random: Random, list: readonly unknown[]): unknown[] {
  switch (random.int(5)) {
    case 0:
      return []
    case 1:
      return [...list, ...list]
    case 2:
      return [...list].reverse()
    case 3:
      return list.slice(1)
    default:
      return list.length === 0 ? [] : Array.from({ length: 300 }, () => list[0])
  }
}

/** Every place of a message where a value stands. */
function placesOf(value: unknown, found: [Structure, string][]): void {
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return
  for (const key of Object.keys(value)) {
    found.push([value as Structure, key])
    placesOf((value as Structure)[key], found)
  }
}

/** The answer with one to three fields that lie; undefined when chance found none that can be written. */
function lyingAnswer(random: Random, { api, version, bytes }: Answer): Buffer | undefined {
  const { correlationId, reader } = decodeResponseHeader(api, version, bytes)
  const response = decodeResponse(api, version, reader) as Structure
  for (let lies = 1 + random.int(3); lies > 0; lies--) {
    const places: [Structure, string][] = []
    placesOf(response, places)
    const place = places.length === 0 ? undefined : pick(random, places)
    if (place === undefined) return undefined
    const [owner, key] = place
    const before = owner[key]
    const name = Array.isArray(owner) ? '' : key
    owner[key] = lie(random, name, before)
    if (encoded(api, version, correlationId, response) === undefined) owner[key] = before
  }
  return encoded(api, version, correlationId, response)
}

function encoded(
  api: ApiSchema,
  version: number,
  correlationId: number,
  response: Structure,
): Buffer | undefined {
  try {
    const frame = encodeResponseFrame(api, { version, correlationId }, response as ResponseInputOf<ApiSchema>)
    return Buffer.from(joinFrame(frame))
  } catch {
    // A lie that this message has no place for.
    return undefined
  }
}

/** Changes to the bytes of an answer; the first four are its correlation id. */
const breakages: readonly ((bytes: Buffer, random: Random) => Buffer[] | 'disconnect')[] = [
  // Cut off.
  (bytes, random) => [bytes.subarray(0, random.int(bytes.length + 1))],
  // A few bits behind the correlation id.
  (bytes, random) => {
    for (let flips = 1 + random.int(4); flips > 0 && bytes.length > CORRELATION_BYTES; flips--) {
      const at = CORRELATION_BYTES + random.int(bytes.length - CORRELATION_BYTES)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.int(8))
    }
    return [bytes]
  },
  // A number, a length or a count of four bytes.
  (bytes, random) => {
    if (bytes.length < CORRELATION_BYTES + 4) return [bytes]
    const at = CORRELATION_BYTES + random.int(bytes.length - CORRELATION_BYTES - 3)
    bytes.writeInt32BE(pick(random, [-1, 0, 0x7fffffff, -0x80000000, 100_000_000]), at)
    return [bytes]
  },
  // An int64 beyond what numbers hold.
  (bytes, random) => {
    if (bytes.length < CORRELATION_BYTES + 8) return [bytes]
    const at = CORRELATION_BYTES + random.int(bytes.length - CORRELATION_BYTES - 7)
    return [bytes.fill(random.int(2) === 0 ? 0x7f : 0xff, at, at + 8)]
  },
  // Another correlation id.
  (bytes, random) => {
    bytes.writeInt32BE(pick(random, [0, -1, 0x7fffffff, bytes.readInt32BE(0) + 1]), 0)
    return [bytes]
  },
  // Twice.
  (bytes) => [bytes, Buffer.from(bytes)],
  // Something nobody asked for, before it.
  (bytes, random) => [random.bytes(random.int(60)), bytes],
  // Bytes that it has no field for, behind it.
  (bytes, random) => [Buffer.concat([bytes, random.bytes(random.int(60))])],
  (_, random) => [random.bytes(random.int(200))],
  () => [Buffer.alloc(0)],
  () => [],
  () => 'disconnect',
]

export function mangled(random: Random, answer: Answer): readonly Buffer[] | 'disconnect' {
  if (random.int(3) > 0) {
    const bytes = lyingAnswer(random, answer)
    if (bytes !== undefined) return [bytes]
  }
  return pick(random, breakages)(Buffer.from(answer.bytes), random)
}
