/**
 * Zstandard through node:zlib where that has it (Node 22.15 and later), else through WebAssembly. Both are loaded on
 * first use; `prepareCompression` in codecs.ts does it ahead of time.
 */
import type { Codec, DecompressFailure } from './codec.ts'
import { isOutputTooLarge, loadZlib } from './gzip.ts'
import { loadZstdModule, type ZstdModule } from './zstd-wasm.ts'

const MAGIC = 0xfd2fb528
const FRAME_HEADER_BYTES = 5
/** A block of 4 bytes yields at most 128 KiB: no honest frame declares more content for its size. */
const MOST_EXPANSION = 32_768
/** ZSTD_error_dstSize_tooSmall; the library answers errors as negative numbers. */
const OUTPUT_TOO_SMALL = -70

/** What newer Node has in zlib; the types of Node 20 do not know it. */
interface ZlibZstd {
  zstdCompressSync(input: Buffer, options: { params: Record<number, number> }): Buffer
  zstdDecompressSync(input: Buffer, options: { maxOutputLength: number }): Buffer
  readonly constants: { readonly ZSTD_c_compressionLevel: number }
}

interface Backend {
  compress(input: Buffer, level: number): Buffer
  decompress(input: Buffer, maxOutputBytes: number): Buffer | DecompressFailure
}

let backend: Backend | undefined

export const zstd: Codec = {
  name: 'zstd',
  type: 4,
  minLevel: -131072,
  maxLevel: 22,
  defaultLevel: 3,
  compress: (input, level) => loadZstd().compress(input, level),
  decompress: (input, maxOutputBytes) => {
    if (!consistsOfWholeFrames(input)) return 'corrupt'
    return loadZstd().decompress(input, Math.max(1, maxOutputBytes))
  },
}

/** Loads the library now (some 10 ms where it is WebAssembly). */
export function loadZstd(): Backend {
  if (backend === undefined) {
    const zlib = loadZlib() as unknown as Partial<ZlibZstd>
    backend = zlib.zstdDecompressSync ? zlibBackend(zlib as ZlibZstd) : wasmBackend(loadZstdModule())
  }
  return backend
}

function zlibBackend(zlib: ZlibZstd): Backend {
  return {
    compress: (input, level) =>
      zlib.zstdCompressSync(input, { params: { [zlib.constants.ZSTD_c_compressionLevel]: level } }),
    decompress: (input, maxOutputBytes) => {
      try {
        return zlib.zstdDecompressSync(input, { maxOutputLength: maxOutputBytes })
      } catch (error) {
        return isOutputTooLarge(error) ? 'too-large' : 'corrupt'
      }
    },
  }
}

/** The library decodes in one go, so the room is guessed and enlarged until the content fits or passes the limit. */
export function wasmBackend(module: ZstdModule): Backend {
  return {
    compress: (input, level) => {
      const capacity = module._ZSTD_compressBound(input.length)
      const result = callWithMemory(module, input, capacity, (output, source) =>
        module._ZSTD_compress(output, capacity, source, input.length, level),
      )
      if (typeof result === 'number') throw new Error(`zstd compression failed: ${result}`)
      return result
    },
    decompress: (input, maxOutputBytes) => {
      const claimedBytes = claimedContentBytes(input) ?? Math.max(input.length * 4, 65_536)
      let capacity = Math.min(maxOutputBytes, claimedBytes, input.length * MOST_EXPANSION)
      for (;;) {
        const result = callWithMemory(module, input, capacity, (output, source) =>
          module._ZSTD_decompress(output, capacity, source, input.length),
        )
        if (typeof result !== 'number') return result
        if (result !== OUTPUT_TOO_SMALL) return 'corrupt'
        if (capacity >= maxOutputBytes) return 'too-large'
        capacity = Math.min(maxOutputBytes, Math.max(65_536, capacity * 4))
      }
    },
  }
}

/** Runs `call` with input copied in and room for output; the output copied out, or the (negative) error number. */
function callWithMemory(
  module: ZstdModule,
  input: Buffer,
  capacity: number,
  call: (output: number, source: number) => number,
): Buffer | number {
  // Address 0 is malloc's "no memory": never hand it on, the library would write over its own state.
  const source = module._malloc(Math.max(1, input.length))
  const output = module._malloc(Math.max(1, capacity))
  try {
    if (source === 0 || output === 0) throw new Error(`zstd: no memory for ${capacity} bytes`)
    module.HEAPU8.set(input, source)
    const size = call(output, source) | 0
    return size < 0 ? size : Buffer.from(module.HEAPU8.subarray(output, output + size))
  } finally {
    if (source !== 0) module._free(source)
    if (output !== 0) module._free(output)
  }
}

/**
 * Walks the blocks of every frame. node:zlib answers a frame that was cut off with what it could decode of it, so
 * completeness has to be seen from outside.
 */
function consistsOfWholeFrames(input: Buffer): boolean {
  let position = 0
  do {
    if (input.length - position < FRAME_HEADER_BYTES || input.readUInt32LE(position) !== MAGIC) return false
    const hasChecksum = (input[position + 4]! & 0x04) !== 0
    position += frameHeaderBytes(input[position + 4]!)
    for (let isLast = false; !isLast; ) {
      if (input.length - position < 3) return false
      const block = input.readUIntLE(position, 3)
      isLast = (block & 1) === 1
      const isRepeatedByte = ((block >> 1) & 3) === 1
      position += 3 + (isRepeatedByte ? 1 : block >> 3)
    }
    if (hasChecksum) position += 4
  } while (position < input.length)
  return position === input.length
}

function contentSizeFieldBytes(descriptor: number): number {
  const sizeCode = descriptor >> 6
  return sizeCode === 0 ? (descriptor & 0x20 ? 1 : 0) : 1 << sizeCode
}

/** Magic, descriptor, window size unless the frame is a single segment, dictionary id, content size. */
function frameHeaderBytes(descriptor: number): number {
  const windowBytes = descriptor & 0x20 ? 0 : 1
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!
  return FRAME_HEADER_BYTES + windowBytes + dictionaryBytes + contentSizeFieldBytes(descriptor)
}

/** Content size that the first frame declares, or null. It is a claim to size a buffer with, never to be trusted. */
function claimedContentBytes(input: Buffer): number | null {
  const sizeBytes = contentSizeFieldBytes(input[4]!)
  const position = frameHeaderBytes(input[4]!) - sizeBytes
  if (sizeBytes === 0 || position + sizeBytes > input.length) return null
  if (sizeBytes === 1) return input[position]!
  if (sizeBytes === 2) return input.readUInt16LE(position) + 256
  const low = input.readUInt32LE(position)
  return sizeBytes === 4 ? low : low + input.readUInt32LE(position + 4) * 0x1_0000_0000
}
