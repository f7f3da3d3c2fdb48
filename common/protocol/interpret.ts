/**
 * The plain codec: walks the schema for every message. Serves where code generation is off
 * (`--disallow-code-generation-from-strings`), and the tests hold the compiled codec to it.
 */
import type { Codec } from './message-codec.ts'
import type { Reader } from './reader.ts'
import type { MessageSchema, PrimitiveType } from './schema.ts'
import { defaultOf, isDefault, type Structure, shapeOf, type WireField, type WireShape } from './shape.ts'
import {
  EncodeError,
  refuseNull,
  refuseUnsupportedField,
  sortedTaggedFields,
  type Writer,
  writeUnknownTaggedFields,
} from './writer.ts'

export function interpretCodec(message: MessageSchema, version: number): Codec {
  const shape = shapeOf(message, version)
  return {
    decode: (reader) => decodeStructure(reader, shape),
    encode: (writer, value) => encodeStructure(writer, shape, value as Structure),
  }
}

function decodeStructure(reader: Reader, shape: WireShape): Structure {
  const structure: Structure = {}
  for (const { name, field, isPresent } of shape.all) {
    // Assigned in the order of the schema, so that equal messages look equal.
    structure[name] = isPresent && field.tag === undefined ? undefined : defaultOf(field)
  }
  for (const wire of shape.plain) structure[wire.name] = decodeField(reader, wire)
  if (shape.isFlexible) decodeTaggedFields(reader, shape, structure)
  return structure
}

function decodeTaggedFields(reader: Reader, shape: WireShape, structure: Structure): void {
  const count = reader.unsignedVarint()
  for (let index = 0; index < count; index++) {
    const tag = reader.unsignedVarint()
    const sizeBytes = reader.unsignedVarint()
    const wire = shape.tagged.find(({ field }) => field.tag === tag)
    if (wire !== undefined) structure[wire.name] = decodeField(reader, wire)
    else {
      const unknown = reader.unknownTaggedField(structure.unknownTaggedFields, tag, sizeBytes)
      structure.unknownTaggedFields = unknown
    }
  }
}

function decodeField(reader: Reader, wire: WireField): unknown {
  const { field } = wire
  if (field.type === 'array') return decodeArray(reader, wire)
  if (field.type === 'struct') {
    if (wire.isNullable && isNullStructure(reader, wire)) return null
    return decodeStructure(reader, wire.inner as WireShape)
  }
  return decodePrimitive(reader, field.type, wire, wire.isNullable)
}

/** Kafka marks a null structure with an int8 below 0, in the tagged section with a varint of 0. */
function isNullStructure(reader: Reader, { field }: WireField): boolean {
  return field.tag === undefined ? reader.int8() < 0 : reader.unsignedVarint() <= 0
}

function decodeArray(reader: Reader, wire: WireField): unknown[] | null {
  const count = wire.isCompact ? reader.compactLength() : reader.int32()
  if (count < 0 && wire.isNullable) return null
  reader.present(count, wire.name)
  reader.checkCount(count, wire.elementBytes, wire.name)
  const elements: unknown[] = []
  for (let index = 0; index < count; index++) {
    elements.push(
      wire.inner === undefined
        ? decodePrimitive(reader, wire.field.element as PrimitiveType, wire, false)
        : decodeStructure(reader, wire.inner),
    )
  }
  return elements
}

function decodePrimitive(reader: Reader, type: PrimitiveType, wire: WireField, isNullable: boolean): unknown {
  switch (type) {
    case 'int64':
      return wire.field.exact ? reader.exactInt64() : reader.int64()
    case 'string': {
      const length = wire.isCompact ? reader.compactLength() : reader.int16()
      if (length < 0 && isNullable) return null
      return reader.text(reader.present(length, wire.name))
    }
    case 'bytes':
    case 'records': {
      const length = wire.isCompact ? reader.compactLength() : reader.int32()
      if (length < 0 && isNullable) return null
      return reader.blob(reader.present(length, wire.name))
    }
    default:
      return reader[type]()
  }
}

function encodeStructure(writer: Writer, shape: WireShape, structure: Structure): void {
  if (typeof structure !== 'object' || structure === null) throw new EncodeError('a structure is missing')
  for (const { name, field, isPresent } of shape.all) {
    if (!isPresent && !field.ignorable && !isDefault(field, structure[name])) {
      refuseUnsupportedField(name, shape.version)
    }
  }
  for (const wire of shape.plain) encodeField(writer, wire, inputOf(wire, structure))
  if (shape.isFlexible) encodeTaggedFields(writer, shape, structure)
  else if (structure.unknownTaggedFields !== undefined && structure.unknownTaggedFields.length > 0) {
    refuseUnsupportedField('unknownTaggedFields', shape.version)
  }
}

/** The value to write: the default stands in for an omitted field that says it has one. */
function inputOf({ name, field }: WireField, structure: Structure): unknown {
  const value = structure[name]
  if (value !== undefined) return value
  if (field.hasExplicitDefault || field.tag !== undefined) return defaultOf(field)
  throw new EncodeError(`${name} is missing`)
}

function encodeTaggedFields(writer: Writer, shape: WireShape, structure: Structure): void {
  const known = shape.tagged.filter(({ name, field }) => !isDefault(field, structure[name]))
  const unknown = sortedTaggedFields(structure.unknownTaggedFields)
  writer.unsignedVarint(known.length + (unknown?.length ?? 0))
  let next = 0
  for (const wire of known) {
    const tag = wire.field.tag as number
    next = writeUnknownTaggedFields(writer, unknown, next, tag)
    const mark = writer.beginTaggedField(tag)
    encodeField(writer, wire, structure[wire.name])
    writer.endTaggedField(mark)
  }
  writeUnknownTaggedFields(writer, unknown, next, Number.POSITIVE_INFINITY)
}

function encodeField(writer: Writer, wire: WireField, value: unknown): void {
  const { field, name } = wire
  if (value === null && !wire.isNullable) refuseNull(name)
  if (field.type === 'array') {
    encodeArray(writer, wire, value as readonly unknown[] | null)
  } else if (field.type === 'struct') {
    if (wire.isNullable) {
      if (field.tag === undefined) writer.int8(value === null ? -1 : 1, name)
      else writer.unsignedVarint(value === null ? 0 : 1)
    }
    if (value !== null) encodeStructure(writer, wire.inner as WireShape, value as Structure)
  } else encodePrimitive(writer, field.type, wire, value)
}

function encodeArray(writer: Writer, wire: WireField, elements: readonly unknown[] | null): void {
  if (elements !== null && !Array.isArray(elements)) throw new EncodeError(`${wire.name} is not an array`)
  if (wire.isCompact) writer.unsignedVarint(elements === null ? 0 : elements.length + 1)
  else writer.int32(elements === null ? -1 : elements.length, wire.name)
  for (const element of elements ?? []) {
    if (wire.inner === undefined) {
      if (element === null) refuseNull(wire.name)
      encodePrimitive(writer, wire.field.element as PrimitiveType, wire, element)
    } else encodeStructure(writer, wire.inner, element as Structure)
  }
}

function encodePrimitive(writer: Writer, type: PrimitiveType, wire: WireField, value: unknown): void {
  const { name, isCompact } = wire
  if (type === 'string') {
    if (isCompact) writer.compactNullableString(value as string | null, name)
    else writer.nullableString(value as string | null, name)
  } else if (type === 'bytes' || type === 'records') {
    if (isCompact) writer.compactNullableBlob(value as Buffer | null, name)
    else writer.nullableBlob(value as Buffer | null, name)
  } else if (type === 'int64' && wire.field.exact) writer.exactInt64(value as bigint, name)
  else if (type === 'bool') writer.bool(value as boolean, name)
  else if (type === 'uuid') writer.uuid(value as string, name)
  else writer[type](value as number, name)
}
