/**
 * The codecs by number and by name. Their libraries load on first use. The broker never compresses or decompresses on
 * its ordinary path: only conversions, compaction and lookups by time do.
 */
import type { Codec } from './compression/codec.ts'
import { gzip } from './compression/gzip.ts'
import { lz4 } from './compression/lz4.ts'
import { none } from './compression/none.ts'
import { snappy } from './compression/snappy.ts'
import { loadZstd, zstd } from './compression/zstd.ts'

export const CompressionType = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const
export type CompressionName = keyof typeof CompressionType
export type CompressionType = (typeof CompressionType)[CompressionName]

/**
 * Default bound on the records of one batch after decompression. Kafka has none; 128 MiB is far above what its clients
 * take (`max.request.size` 1 MiB) and far below what would hurt the process.
 */
export const MAX_DECOMPRESSED_BYTES = 128 * 1024 * 1024

const codecs: readonly Codec[] = [none, gzip, snappy, lz4, zstd]

/** The codec with that number in the batch attributes, or null for the unknown ones (5 to 7). */
export function codecOf(compressionType: number): Codec | null {
  return codecs[compressionType] ?? null
}

/** The codec with that name in `compression.type`, or null ("producer" and "uncompressed" are not codecs). */
export function codecNamed(name: string): Codec | null {
  return codecs.find((codec) => codec.name === name) ?? null
}

/** Whether the codec takes this level; gzip's default stands outside its range, as in Kafka's configuration. */
export function isValidLevel(codec: Codec, level: number): boolean {
  if (!Number.isInteger(level)) return false
  return level === codec.defaultLevel || (level >= codec.minLevel && level <= codec.maxLevel)
}

/** Loads what is slow to load, so that the first compressed batch does not pay for it. Never required. */
export async function prepareCompression(): Promise<void> {
  await Promise.resolve()
  loadZstd()
}
