/** Text as bytes of a character encoding. null stays null; what the encoding cannot say is a SerializationError. */
import { SerializationError, ValueError } from '../errors.ts'

const encodings = {
  utf8: { bufferName: 'utf8', decoderName: 'utf-8', refused: /\p{Surrogate}/u },
  utf16le: { bufferName: 'utf16le', decoderName: 'utf-16le', refused: /\p{Surrogate}/u },
  latin1: { bufferName: 'latin1', decoderName: undefined, refused: /[^\0-\xff]/ },
  ascii: { bufferName: 'latin1', decoderName: undefined, refused: /[^\0-\x7f]/ },
} as const

/** Other spellings, without hyphens and underscores. */
const synonyms: Readonly<Record<string, keyof typeof encodings>> = {
  utf8: 'utf8',
  u8: 'utf8',
  utf16le: 'utf16le',
  ucs2: 'utf16le',
  latin1: 'latin1',
  iso88591: 'latin1',
  l1: 'latin1',
  ascii: 'ascii',
  usascii: 'ascii',
}

function encodingNamed(name: string): (typeof encodings)[keyof typeof encodings] {
  if (typeof name !== 'string') throw new TypeError('the encoding must be a string')
  const known = synonyms[name.toLowerCase().replace(/[-_ ]/g, '')]
  if (known === undefined) throw new ValueError(`unknown encoding "${name}"`)
  return encodings[known]
}

export class StringSerializer {
  readonly #encoding: ReturnType<typeof encodingNamed>

  constructor(encoding = 'utf8') {
    this.#encoding = encodingNamed(encoding)
  }

  serialize(text: string | null): Buffer | null {
    if (text === null || text === undefined) return null
    if (typeof text !== 'string') throw new SerializationError(`${typeof text} is not a string`)
    const { bufferName, refused } = this.#encoding
    if (refused.test(text)) throw new SerializationError('the text has characters that the encoding has not')
    return Buffer.from(text, bufferName)
  }
}

export class StringDeserializer {
  readonly #encoding: ReturnType<typeof encodingNamed>

  constructor(encoding = 'utf8') {
    this.#encoding = encodingNamed(encoding)
  }

  deserialize(bytes: Uint8Array | null): string | null {
    if (bytes === null || bytes === undefined) return null
    const { bufferName, decoderName, refused } = this.#encoding
    if (decoderName !== undefined) {
      try {
        return new TextDecoder(decoderName, { fatal: true, ignoreBOM: true }).decode(bytes)
      } catch (error) {
        throw new SerializationError(`the bytes are not ${decoderName}`, { cause: error })
      }
    }
    const text = Buffer.from(bytes).toString(bufferName)
    if (refused.test(text)) throw new SerializationError('the bytes are not of the encoding')
    return text
  }
}
