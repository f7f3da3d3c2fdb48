/**
 * LZ4 as Kafka uses it: the LZ4 frame format with independent blocks of 64 KiB and without content checksum when
 * written; whatever the frame format allows when read, except dictionaries. Our own coder, because Java's reader
 * refuses linked blocks and the packaged coders either write those or answer bad input with an empty buffer.
 *
 *     magic u32 │ FLG │ BD │ [content size u64] │ header checksum │ blocks: size u32, bytes, [checksum u32] │ 0 │ [checksum u32]
 *
 * All little-endian. A block whose size has the top bit set is stored as it is.
 */
import { type Codec, type DecompressFailure, GrowingOutput } from './codec.ts'
import { compressLz4Block, decompressLz4Block, lz4BlockBound } from './lz4-block.ts'
import { xxhash32 } from './xxhash32.ts'

const MAGIC = 0x184d2204
const VERSION = 0x40
const VERSION_MASK = 0xc0
const INDEPENDENT_BLOCKS = 0x20
const BLOCK_CHECKSUM = 0x10
const CONTENT_SIZE = 0x08
const CONTENT_CHECKSUM = 0x04
const RESERVED_FLAG = 0x02
const DICTIONARY_ID = 0x01
const BLOCK_64_KIB = 0x40
const BLOCK_BYTES = 0x1_0000
/** What an incompressible block may grow by before it is stored instead. */
const BLOCK_OVERHEAD_BYTES = lz4BlockBound(BLOCK_BYTES) - BLOCK_BYTES
const STORED_MASK = 0x8000_0000
/** magic, FLG, BD, header checksum */
const HEADER_BYTES = 7

export const lz4: Codec = {
  name: 'lz4',
  type: 3,
  minLevel: 1,
  maxLevel: 17,
  defaultLevel: 9,
  // The level is a hint about effort and one effort is all we have; the format does not depend on it.
  compress: (input) => compressFrame(input),
  decompress: (input, maxOutputBytes) => decompressFrames(input, maxOutputBytes, false),
}

/**
 * Frame in message sets of magic 0: the header checksum there also covers the frame magic, a mistake of early Kafka
 * that readers must still accept (KIP-57).
 */
export function decompressLegacyLz4(input: Buffer, maxOutputBytes: number): Buffer | DecompressFailure {
  return decompressFrames(input, maxOutputBytes, true)
}

function compressFrame(input: Buffer): Buffer {
  const blockCount = Math.ceil(input.length / BLOCK_BYTES)
  const output = Buffer.allocUnsafe(HEADER_BYTES + 4 + blockCount * (4 + BLOCK_OVERHEAD_BYTES) + input.length)
  output.writeUInt32LE(MAGIC, 0)
  output[4] = VERSION | INDEPENDENT_BLOCKS
  output[5] = BLOCK_64_KIB
  output[6] = (xxhash32(output, 4, 6) >>> 8) & 0xff
  let position = HEADER_BYTES
  for (let start = 0; start < input.length; start += BLOCK_BYTES) {
    const end = Math.min(start + BLOCK_BYTES, input.length)
    const blockStart = position + 4
    const blockEnd = compressLz4Block(input, start, end, output, blockStart)
    if (blockEnd - blockStart < end - start) {
      output.writeUInt32LE(blockEnd - blockStart, position)
      position = blockEnd
    } else {
      output.writeUInt32LE((STORED_MASK | (end - start)) >>> 0, position)
      input.copy(output, blockStart, start, end)
      position = blockStart + end - start
    }
  }
  output.writeUInt32LE(0, position)
  return output.subarray(0, position + 4)
}

interface FrameHeader {
  readonly flags: number
  readonly maxBlockBytes: number
  readonly contentSizeBytes: number | null
  readonly end: number
}

function readHeader(input: Buffer, start: number, acceptBrokenChecksum: boolean): FrameHeader | null {
  if (input.length - start < HEADER_BYTES || input.readUInt32LE(start) !== MAGIC) return null
  const flags = input[start + 4]!
  const descriptor = input[start + 5]!
  if ((flags & VERSION_MASK) !== VERSION || (flags & (RESERVED_FLAG | DICTIONARY_ID)) !== 0) return null
  const blockSizeCode = descriptor >> 4
  if ((descriptor & 0x8f) !== 0 || blockSizeCode < 4) return null
  const hasContentSize = (flags & CONTENT_SIZE) !== 0
  const checksumPosition = start + 6 + (hasContentSize ? 8 : 0)
  if (checksumPosition >= input.length) return null
  const checksum = input[checksumPosition]
  if (checksum !== ((xxhash32(input, start + 4, checksumPosition) >>> 8) & 0xff)) {
    if (!acceptBrokenChecksum) return null
    if (checksum !== ((xxhash32(input, start, checksumPosition) >>> 8) & 0xff)) return null
  }
  return {
    flags,
    maxBlockBytes: 1 << (8 + 2 * blockSizeCode),
    contentSizeBytes: hasContentSize
      ? input.readUInt32LE(start + 6) + input.readUInt32LE(start + 10) * 0x1_0000_0000
      : null,
    end: checksumPosition + 1,
  }
}

function decompressFrames(
  input: Buffer,
  maxOutputBytes: number,
  acceptBrokenChecksum: boolean,
): Buffer | DecompressFailure {
  // Three times the input is what record batches usually become; a wrong guess costs one copy.
  const output = new GrowingOutput(input.length * 3, maxOutputBytes)
  let position = 0
  do {
    const end = decompressFrame(input, position, output, acceptBrokenChecksum)
    if (typeof end === 'string') return end
    position = end
  } while (position < input.length)
  return output.finish()
}

/** Appends one frame's content to the output; answers the position after the frame. */
function decompressFrame(
  input: Buffer,
  start: number,
  output: GrowingOutput,
  acceptBrokenChecksum: boolean,
): number | DecompressFailure {
  const header = readHeader(input, start, acceptBrokenChecksum)
  if (header === null) return 'corrupt'
  const { flags, maxBlockBytes } = header
  const contentStart = output.length
  const blockTrailerBytes = flags & BLOCK_CHECKSUM ? 4 : 0
  let position = header.end
  for (;;) {
    if (input.length - position < 4) return 'corrupt'
    const blockWord = input.readUInt32LE(position)
    position += 4
    if (blockWord === 0) break
    const isStored = blockWord >= STORED_MASK
    const blockBytes = blockWord & 0x7fff_ffff
    if (blockBytes > maxBlockBytes || blockBytes + blockTrailerBytes > input.length - position)
      return 'corrupt'
    const blockEnd = position + blockBytes
    if (blockTrailerBytes > 0 && input.readUInt32LE(blockEnd) !== xxhash32(input, position, blockEnd)) {
      return 'corrupt'
    }
    const failure = appendBlock(input, position, blockEnd, isStored, header, contentStart, output)
    if (failure !== null) return failure
    position = blockEnd + blockTrailerBytes
  }
  if (header.contentSizeBytes !== null && header.contentSizeBytes !== output.length - contentStart)
    return 'corrupt'
  if ((flags & CONTENT_CHECKSUM) === 0) return position
  if (input.length - position < 4) return 'corrupt'
  const isRight = input.readUInt32LE(position) === xxhash32(output.buffer, contentStart, output.length)
  return isRight ? position + 4 : 'corrupt'
}

function appendBlock(
  input: Buffer,
  start: number,
  end: number,
  isStored: boolean,
  header: FrameHeader,
  contentStart: number,
  output: GrowingOutput,
): DecompressFailure | null {
  if (isStored) {
    if (!output.reserve(end - start)) return 'too-large'
    output.length += input.copy(output.buffer, output.length, start, end)
    return null
  }
  // A block byte yields at most 255 bytes, so a small block never asks for its frame's whole block size.
  const mostBytes = Math.min(header.maxBlockBytes, (end - start) * 255)
  const roomBytes = Math.min(mostBytes, output.maxBytes - output.length)
  output.reserve(roomBytes)
  const floor = header.flags & INDEPENDENT_BLOCKS ? output.length : contentStart
  const limit = output.length + roomBytes
  const written = decompressLz4Block(input, start, end, output.buffer, output.length, limit, floor)
  if (written < 0) return roomBytes < mostBytes ? 'too-large' : 'corrupt'
  output.length = written
  return null
}
