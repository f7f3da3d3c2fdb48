/**
 * What every codec offers. Input is never trusted: bad bytes and output beyond the limit are results, not exceptions,
 * and no codec allocates more than the limit (plus one block) for output.
 */

/** `corrupt`: not what the codec writes. `too-large`: more output than the caller allows. */
export type DecompressFailure = 'corrupt' | 'too-large'

export interface Codec {
  readonly name: string
  /** Number in the batch attributes. */
  readonly type: number
  /** Levels as in `compression.<name>.level`; equal bounds mean that the codec has no levels. */
  readonly minLevel: number
  readonly maxLevel: number
  readonly defaultLevel: number
  compress(input: Buffer, level: number): Buffer
  /** May answer a view of `input` when nothing had to be done. */
  decompress(input: Buffer, maxOutputBytes: number): Buffer | DecompressFailure
}

/**
 * Output of unknown size: grows by doubling up to `maxBytes`. `reserve` answers false beyond that; the buffer may be
 * another one afterwards.
 */
export class GrowingOutput {
  buffer: Buffer
  length = 0
  readonly maxBytes: number

  constructor(expectedBytes: number, maxBytes: number) {
    this.maxBytes = maxBytes
    this.buffer = Buffer.allocUnsafeSlow(Math.max(0, Math.min(expectedBytes, maxBytes)))
  }

  reserve(bytes: number): boolean {
    const needed = this.length + bytes
    if (needed <= this.buffer.length) return true
    if (needed > this.maxBytes) return false
    const grown = Buffer.allocUnsafeSlow(Math.min(this.maxBytes, Math.max(needed, this.buffer.length * 2)))
    this.buffer.copy(grown, 0, 0, this.length)
    this.buffer = grown
    return true
  }

  finish(): Buffer {
    return this.buffer.subarray(0, this.length)
  }
}
