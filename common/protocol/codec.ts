/**
 * Codecs behind one door: built on first use per message and version, compiled where the process may generate code,
 * interpreted elsewhere.
 */
import { compileCodec } from './compile.ts'
import type { Frame } from './frame.ts'
import { interpretCodec } from './interpret.ts'
import type { Codec } from './message-codec.ts'
import { Reader } from './reader.ts'
import type {
  ApiSchema,
  DecodedOf,
  Fields,
  InputOf,
  MessageSchema,
  RequestInputOf,
  RequestOf,
  ResponseInputOf,
  ResponseOf,
} from './schema.ts'
import { Writer } from './writer.ts'

function mayGenerateCode(): boolean {
  try {
    return new Function('return true')() === true
  } catch {
    return false
  }
}

const buildCodec: (message: MessageSchema, version: number) => Codec = mayGenerateCode()
  ? compileCodec
  : interpretCodec

const codecs = new WeakMap<MessageSchema, (Codec | undefined)[]>()

/** The codec of one version. Raises RangeError when the message has no such version. */
export function codecOf(message: MessageSchema, version: number): Codec {
  let versions = codecs.get(message)
  if (versions === undefined) {
    versions = []
    codecs.set(message, versions)
  }
  let codec = versions[version]
  if (codec === undefined) {
    codec = buildCodec(message, version)
    versions[version] = codec
  }
  return codec
}

/** Frames are made one at a time, so one writer serves all and its slab stays warm. */
const writer = new Writer()

/** Writes the parts into one frame, one after the other. */
export function writeFrame(...parts: ((writer: Writer) => void)[]): Frame {
  writer.begin()
  for (const part of parts) part(writer)
  return writer.finish()
}

/** Writes the parts into one contiguous buffer, one after the other. */
export function writeBuffer(...parts: ((writer: Writer) => void)[]): Buffer {
  writer.begin(true)
  for (const part of parts) part(writer)
  return writer.finishBuffer()
}

export function encodeMessage<F extends Fields>(
  message: MessageSchema<F>,
  version: number,
  value: InputOf<F>,
): Frame {
  const codec = codecOf(message, version)
  writer.begin()
  codec.encode(writer, value)
  return writer.finish()
}

/** Bytes after the message stay unread in the reader; Kafka ignores them. */
export function decodeMessage<F extends Fields>(
  message: MessageSchema<F>,
  version: number,
  source: Reader | Frame | Buffer,
): DecodedOf<F> {
  const reader = source instanceof Reader ? source : new Reader(source)
  return codecOf(message, version).decode(reader) as unknown as DecodedOf<F>
}

/** The body only; `header.ts` makes whole requests. */
export function encodeRequest<A extends ApiSchema>(
  api: A,
  version: number,
  request: RequestInputOf<A>,
): Frame {
  return encodeMessage(api.request, version, request)
}

export function decodeRequest<A extends ApiSchema>(
  api: A,
  version: number,
  source: Reader | Frame | Buffer,
): RequestOf<A> {
  return decodeMessage(api.request, version, source) as RequestOf<A>
}

/** The body only; `header.ts` makes whole responses. */
export function encodeResponse<A extends ApiSchema>(
  api: A,
  version: number,
  response: ResponseInputOf<A>,
): Frame {
  return encodeMessage(api.response, version, response)
}

export function decodeResponse<A extends ApiSchema>(
  api: A,
  version: number,
  source: Reader | Frame | Buffer,
): ResponseOf<A> {
  return decodeMessage(api.response, version, source) as ResponseOf<A>
}
