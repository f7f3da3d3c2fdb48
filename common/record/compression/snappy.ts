/**
 * Snappy as Kafka uses it: raw blocks in the framing of the xerial library.
 *
 *     0x82 "SNAPPY" 0x00 │ version i32 │ least compatible version i32 │ blocks: size i32, raw block of ≤ 32 KiB of input
 *
 * Big-endian. Some clients send one raw block without framing; that is read as well. Compressing is left to `snappyjs`;
 * decoding is our own because that library loops for ever on some hostile lengths.
 */
import { createRequire } from 'node:module'
import { type Codec, type DecompressFailure, GrowingOutput } from './codec.ts'

const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])
const XERIAL_HEADER_BYTES = 16
const XERIAL_VERSION = 1
const BLOCK_BYTES = 32 * 1024
/** A copy of 3 bytes yields at most 64: no honest block declares more output for its size. */
const MOST_EXPANSION = 22

type CompressBlock = (input: Buffer) => Buffer

let compressBlock: CompressBlock | undefined

export const snappy: Codec = {
  name: 'snappy',
  type: 2,
  minLevel: 0,
  maxLevel: 0,
  defaultLevel: 0,
  compress,
  decompress: (input, maxOutputBytes) =>
    isXerial(input) ? decompressXerial(input, maxOutputBytes) : decompressRaw(input, maxOutputBytes),
}

function compress(input: Buffer): Buffer {
  compressBlock ??= (createRequire(import.meta.url)('snappyjs') as { compress: CompressBlock }).compress
  const header = Buffer.alloc(XERIAL_HEADER_BYTES)
  XERIAL_MAGIC.copy(header)
  header.writeInt32BE(XERIAL_VERSION, 8)
  header.writeInt32BE(XERIAL_VERSION, 12)
  const parts: Buffer[] = [header]
  for (let start = 0; start < input.length; start += BLOCK_BYTES) {
    const block = compressBlock(input.subarray(start, start + BLOCK_BYTES))
    const size = Buffer.allocUnsafe(4)
    size.writeInt32BE(block.length, 0)
    parts.push(size, block)
  }
  return Buffer.concat(parts)
}

function isXerial(input: Buffer): boolean {
  return input.length >= XERIAL_HEADER_BYTES && input.compare(XERIAL_MAGIC, 0, 8, 0, 8) === 0
}

function decompressXerial(input: Buffer, maxOutputBytes: number): Buffer | DecompressFailure {
  const output = new GrowingOutput(input.length * 3, maxOutputBytes)
  let position = XERIAL_HEADER_BYTES
  while (position < input.length) {
    if (input.length - position < 4) return 'corrupt'
    const blockBytes = input.readInt32BE(position)
    position += 4
    if (blockBytes < 0 || blockBytes > input.length - position) return 'corrupt'
    const failure = appendBlock(input, position, position + blockBytes, output)
    if (failure !== null) return failure
    position += blockBytes
  }
  return output.finish()
}

function decompressRaw(input: Buffer, maxOutputBytes: number): Buffer | DecompressFailure {
  const output = new GrowingOutput(0, maxOutputBytes)
  return appendBlock(input, 0, input.length, output) ?? output.finish()
}

/** Appends the content of the raw block `input[start, end)`. */
function appendBlock(
  input: Buffer,
  start: number,
  end: number,
  output: GrowingOutput,
): DecompressFailure | null {
  let size = 0
  let position = start
  for (let weight = 1; ; weight *= 128) {
    if (position >= end || position - start === 5) return 'corrupt'
    const byte = input[position++]!
    size += (byte & 0x7f) * weight
    if (byte < 0x80) break
  }
  if (size > (end - position) * MOST_EXPANSION) return 'corrupt'
  if (!output.reserve(size)) return 'too-large'
  const limit = output.length + size
  if (decodeBlock(input, position, end, output.buffer, output.length, limit) !== limit) return 'corrupt'
  output.length = limit
  return null
}

/**
 * Decodes the elements of a raw block into `output[start, limit)`; answers the position after the output, or -1. The
 * low two bits of a tag say literal, or copy with an offset of 11, 16 or 32 bits.
 */
function decodeBlock(
  input: Buffer,
  from: number,
  end: number,
  output: Buffer,
  start: number,
  limit: number,
): number {
  let read = from
  let position = start
  while (read < end) {
    const tag = input[read++]!
    const kind = tag & 3
    if (kind === 0) {
      let length = tag >> 2
      const lengthBytes = length - 59
      if (lengthBytes > 0) {
        if (lengthBytes > end - read) return -1
        length = input.readUIntLE(read, lengthBytes)
        read += lengthBytes
      }
      length++
      if (length > end - read || length > limit - position) return -1
      if (length > 32) {
        input.copy(output, position, read, read + length)
        position += length
        read += length
      } else {
        for (const literalEnd = read + length; read < literalEnd; ) output[position++] = input[read++]!
      }
      continue
    }
    const offsetBytes = kind === 3 ? 4 : kind
    if (offsetBytes > end - read) return -1
    let offset: number
    let length = (tag >> 2) + 1
    if (kind === 1) {
      length = ((tag >> 2) & 7) + 4
      offset = ((tag >> 5) << 8) | input[read]!
    } else if (kind === 2) {
      offset = input[read]! | (input[read + 1]! << 8)
    } else {
      offset = input.readUInt32LE(read)
    }
    read += offsetBytes
    if (offset === 0 || offset > position - start || length > limit - position) return -1
    for (const copyEnd = position + length; position < copyEnd; position++) {
      output[position] = output[position - offset]!
    }
  }
  return position
}
