import { createRequire } from 'node:module'
import type * as Zlib from 'node:zlib'
import type { Codec } from './codec.ts'

let zlib: typeof Zlib | undefined

/** Node's zlib, loaded on first use. */
export function loadZlib(): typeof Zlib {
  zlib ??= createRequire(import.meta.url)('node:zlib') as typeof Zlib
  return zlib
}

/** Whether an exception of node:zlib says that the output would pass `maxOutputLength`. */
export function isOutputTooLarge(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
}

export const gzip: Codec = {
  name: 'gzip',
  type: 1,
  minLevel: 1,
  maxLevel: 9,
  defaultLevel: -1,
  compress: (input, level) => loadZlib().gzipSync(input, { level }),
  decompress: (input, maxOutputBytes) => {
    try {
      return loadZlib().gunzipSync(input, { maxOutputLength: Math.max(1, maxOutputBytes) })
    } catch (error) {
      return isOutputTooLarge(error) ? 'too-large' : 'corrupt'
    }
  },
}
