/**
 * What both codecs must agree on about a structure in one version: which fields are on the wire, in which form, and
 * what counts as the default.
 */
import {
  type DecodedOf,
  type Field,
  type Fields,
  type MessageSchema,
  type PrimitiveType,
  type UnknownTaggedField,
  ZERO_UUID,
} from './schema.ts'
import { hasVersion } from './versions.ts'

/** A structure whose field types are not known statically. */
export interface Structure {
  [field: string]: unknown
  unknownTaggedFields?: UnknownTaggedField[]
}

/** One version of one structure, nested or not. */
export interface WireShape {
  readonly version: number
  /** Lengths are compact and tagged fields follow (KIP-482). */
  readonly isFlexible: boolean
  /** Every field, in the order of the schema. */
  readonly all: readonly WireField[]
  /** Fields on the wire before the tagged section, in order. */
  readonly plain: readonly WireField[]
  /** Fields in the tagged section, by ascending tag. */
  readonly tagged: readonly WireField[]
  /** The fewest bytes a structure takes. */
  readonly minimumBytes: number
}

export interface WireField {
  readonly name: string
  readonly field: Field
  readonly isPresent: boolean
  readonly isNullable: boolean
  readonly isCompact: boolean
  /** The shape of the structure, or of the elements of an array of structures. */
  readonly inner: WireShape | undefined
  /** For arrays, the fewest bytes an element takes; never 0, so a count is bounded by the bytes left. */
  readonly elementBytes: number
}

export function shapeOf(message: MessageSchema, version: number): WireShape {
  if (!hasVersion(message.versions, version)) {
    throw new RangeError(`${message.name} has no version ${version}`)
  }
  return shapeOfFields(message.fields, version, hasVersion(message.flexible, version))
}

function shapeOfFields(fields: Fields, version: number, isFlexible: boolean): WireShape {
  const all = Object.entries(fields).map(([name, field]): WireField => {
    const isCompact = isFlexible && (field.flexible === undefined || hasVersion(field.flexible, version))
    const inner = field.fields && shapeOfFields(field.fields, version, isFlexible)
    return {
      name,
      field,
      isPresent: hasVersion(field.versions, version),
      isNullable: hasVersion(field.nullable, version),
      isCompact,
      inner,
      elementBytes: Math.max(1, elementMinimum(field, inner, isCompact)),
    }
  })
  const present = all.filter(({ isPresent }) => isPresent)
  const plain = present.filter(({ field }) => field.tag === undefined)
  const tagged = present
    .filter(({ field }) => field.tag !== undefined)
    .sort((left, right) => (left.field.tag as number) - (right.field.tag as number))
  if (tagged.length > 0 && !isFlexible) throw new RangeError('tagged fields need a flexible version')
  let minimumBytes = isFlexible ? 1 : 0
  for (const wire of plain) minimumBytes += fieldMinimum(wire)
  return { version, isFlexible, all, plain, tagged, minimumBytes }
}

export const fixedSizes: { readonly [type in PrimitiveType]: number | undefined } = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  float64: 8,
  uuid: 16,
  string: undefined,
  bytes: undefined,
  records: undefined,
}

function primitiveMinimum(type: PrimitiveType, isCompact: boolean): number {
  return fixedSizes[type] ?? (isCompact ? 1 : type === 'string' ? 2 : 4)
}

function elementMinimum(field: Field, inner: WireShape | undefined, isCompact: boolean): number {
  if (inner !== undefined) return inner.minimumBytes
  return field.element === undefined || field.element === 'struct'
    ? 0
    : primitiveMinimum(field.element, isCompact)
}

function fieldMinimum({ field, inner, isNullable, isCompact }: WireField): number {
  if (field.type === 'array') return isCompact ? 1 : 4
  if (field.type === 'struct') return isNullable ? 1 : (inner?.minimumBytes ?? 0)
  return primitiveMinimum(field.type, isCompact)
}

/** A fresh default: arrays and structures are never shared between messages. */
export function defaultOf(field: Field): unknown {
  if (field.default === null) return null
  if (field.type === 'array') return []
  if (field.type === 'struct') return defaultStructure(field.fields as Fields)
  return field.default
}

export function defaultStructure<F extends Fields>(fields: F): DecodedOf<F> {
  const structure: Structure = {}
  for (const [name, field] of Object.entries(fields)) structure[name] = defaultOf(field)
  return structure as DecodedOf<F>
}

/** Whether Kafka would leave the value out: an omitted field counts as the default. */
export function isDefault(field: Field, value: unknown): boolean {
  if (value === undefined) return true
  if (field.default === null || value === null) return value === field.default
  if (field.type === 'array') return (value as readonly unknown[]).length === 0
  if (field.type === 'bytes' || field.type === 'records') return (value as Buffer).length === 0
  if (field.type === 'uuid') return value === ZERO_UUID
  if (field.type === 'struct') return isDefaultStructure(field.fields as Fields, value as Structure)
  return value === field.default
}

export function isDefaultStructure(fields: Fields, structure: Structure): boolean {
  if ((structure.unknownTaggedFields?.length ?? 0) > 0) return false
  return Object.entries(fields).every(([name, field]) => isDefault(field, structure[name]))
}
