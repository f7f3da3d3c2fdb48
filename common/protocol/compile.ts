/**
 * The fast codec: writes JavaScript for one version of one message and builds it with `new Function`. It must do exactly
 * what `interpret.ts` does; the gain comes from three things: no walk over the schema, one bounds check for a run of
 * fields of fixed size, and object literals with all fields in the schema's order, so that all versions of a message
 * have one hidden class.
 *
 * Only names and defaults from our own schemas enter the source, and all of them as JSON literals.
 */

import { DecoderSource } from './compile-decoder.ts'
import { EncoderSource } from './compile-encoder.ts'
import type { Codec } from './message-codec.ts'
import { EMPTY_BYTES, type MessageSchema } from './schema.ts'
import { shapeOf } from './shape.ts'
import {
  refuseNull,
  refuseUnsupportedField,
  refuseValue,
  sortedTaggedFields,
  writeUnknownTaggedFields,
} from './writer.ts'

/** What generated code may call beside the reader and the writer. */
const library = {
  EMPTY_BYTES,
  refuseNull,
  refuseUnsupportedField,
  refuseValue,
  sortedTaggedFields,
  writeUnknownTaggedFields,
}

const libraryNames = Object.keys(library).join(', ')

export function compileCodec(message: MessageSchema, version: number): Codec {
  const shape = shapeOf(message, version)
  const decoder = new DecoderSource()
  const encoder = new EncoderSource()
  const decode = decoder.structure(shape)
  const encode = encoder.structure(shape)
  const source = [
    "'use strict'",
    `const { ${libraryNames} } = library`,
    ...decoder.functions,
    ...encoder.functions,
    `return { decode: ${decode}, encode: ${encode} }`,
    `//# sourceURL=kafkito/${message.name}-v${version}.js`,
  ].join('\n')
  return new Function('library', source)(library) as Codec
}
