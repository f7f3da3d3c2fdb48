/** A record as an object, for those who want one. Buffers are views of the batch (or of its decompressed records). */
export interface RecordHeader {
  readonly key: string
  readonly value: Buffer | null
}

export interface DecodedRecord {
  readonly offset: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
}

export const NO_HEADERS: readonly RecordHeader[] = []
