/** What encodes and decodes one version of one message. */
import type { Reader } from './reader.ts'
import type { Structure } from './shape.ts'
import type { Writer } from './writer.ts'

export interface Codec {
  /** Reads the message and leaves the reader behind it. Raises MalformedFrame. */
  decode(reader: Reader): Structure
  /** Raises EncodeError. */
  encode(writer: Writer, value: unknown): void
}
