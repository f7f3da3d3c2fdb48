import type { Codec } from './codec.ts'

export const none: Codec = {
  name: 'none',
  type: 0,
  minLevel: 0,
  maxLevel: 0,
  defaultLevel: 0,
  compress: (input) => input,
  decompress: (input, maxOutputBytes) => (input.length > maxOutputBytes ? 'too-large' : input),
}
