/** Random values of any message in any version, for property tests. */
import fc from 'fast-check'
import type { Field, MessageSchema, PrimitiveType } from '../../common/protocol/schema.ts'
import { type Structure, shapeOf, type WireField, type WireShape } from '../../common/protocol/shape.ts'

const uuid = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((id) => Buffer.from(id).toString('base64url'))
const blob = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes))
/** Long strings and long blobs have their own tests. */
const text = fc.string({ unit: 'binary', maxLength: 30 })

const primitives: { readonly [type in PrimitiveType]: fc.Arbitrary<unknown> } = {
  bool: fc.boolean(),
  int8: fc.integer({ min: -128, max: 127 }),
  int16: fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }),
  uint16: fc.integer({ min: 0, max: 2 ** 16 - 1 }),
  int32: fc.integer(),
  uint32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  int64: fc.oneof(fc.maxSafeInteger(), fc.constantFrom(2 ** 63, -(2 ** 63))),
  float64: fc.double(),
  uuid,
  string: text,
  bytes: blob,
  records: blob,
}

function arbitraryPrimitive(type: PrimitiveType, isExact: boolean): fc.Arbitrary<unknown> {
  return isExact ? fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) : primitives[type]
}

function arbitraryField({ field, inner, isNullable }: WireField): fc.Arbitrary<unknown> {
  let value: fc.Arbitrary<unknown>
  if (field.type === 'array') {
    const element =
      field.element === 'struct'
        ? arbitraryShape(inner as WireShape)
        : arbitraryPrimitive(field.element as PrimitiveType, false)
    value = fc.array(element, { maxLength: 3 })
  } else if (field.type === 'struct') value = arbitraryShape(inner as WireShape)
  else value = arbitraryPrimitive(field.type, field.exact)
  return isNullable ? fc.option(value, { freq: 4 }) : value
}

/** Only fields that the version has, so that everything survives; those that may be omitted sometimes are. */
function arbitraryShape(shape: WireShape): fc.Arbitrary<Structure> {
  const present = shape.all.filter(({ isPresent }) => isPresent)
  const model = Object.fromEntries(present.map((wire) => [wire.name, arbitraryField(wire)]))
  const requiredKeys = present.filter(({ field }) => !isOmissible(field)).map(({ name }) => name)
  const structure = fc.record(model, { requiredKeys }) as fc.Arbitrary<Structure>
  if (!shape.isFlexible) return structure
  const unknownTag = fc.record({ tag: fc.integer({ min: 1000, max: 2 ** 31 - 1 }), data: blob })
  const unknownTags = fc.uniqueArray(unknownTag, { selector: ({ tag }) => tag, minLength: 1, maxLength: 3 })
  return fc.tuple(structure, fc.option(unknownTags, { freq: 9 })).map(([value, tags]) => {
    if (tags !== null) value.unknownTaggedFields = tags.sort((left, right) => left.tag - right.tag)
    return value
  })
}

function isOmissible(field: Field): boolean {
  return field.hasExplicitDefault || field.tag !== undefined
}

export function arbitraryMessage(message: MessageSchema, version: number): fc.Arbitrary<Structure> {
  return arbitraryShape(shapeOf(message, version))
}
