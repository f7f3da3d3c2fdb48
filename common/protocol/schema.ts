/**
 * The language in which messages are described: one `defineApi` per API, one `defineRecord` per persisted structure.
 * A schema is the single source of the TypeScript types, of every version's codec and of what ApiVersions announces.
 *
 * - The order of fields is the order on the wire; tagged fields follow in the order of their tags.
 * - A decoded message has every field; one that its version lacks holds the default.
 * - Input for encoding may omit fields that have a `default` or a `tag`. A field that some version lacks always has one.
 * - Encoding a value other than the default into a version that lacks the field throws, unless it is `ignorable`.
 * - Tagged fields that the schema does not know are kept in `unknownTaggedFields` of their structure and written back.
 */
import type { ErrorCode } from './errors.ts'
import { formatVersionRange, hasVersion, NO_VERSIONS, type VersionRange, versionRange } from './versions.ts'

export type PrimitiveType =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'float64'
  | 'uuid'
  | 'string'
  | 'bytes'
  | 'records'

export type FieldType = PrimitiveType | 'array' | 'struct'

/** What the value names; lets tools and the dashboard link it. */
export type Entity = 'topicName' | 'brokerId' | 'groupId' | 'producerId' | 'transactionalId'

/** A uuid of sixteen zero bytes: Kafka's "none". */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

export const EMPTY_BYTES: Buffer = Buffer.alloc(0)

/** A tagged field that this version of the schema does not know. */
export interface UnknownTaggedField {
  readonly tag: number
  readonly data: Buffer
}

export interface FieldOptions<Default = unknown> {
  /** Versions in which null is allowed. */
  readonly nullable?: string
  /** Kafka's default; without one it is zero, false, empty, or null for records. Makes the field optional on input. */
  readonly default?: Default | null
  /** Carried as a tagged field (KIP-482) in all its versions. */
  readonly tag?: number
  /** May be dropped silently when the version lacks it. */
  readonly ignorable?: boolean
  /** int64 only: all 64 bits matter, the value is a bigint. */
  readonly exact?: boolean
  readonly entity?: Entity
  /** Said only where the name does not say it all. */
  readonly about?: string
  /** Kafka keeps the array as a map with this field as (part of) the key: values are distinct. */
  readonly mapKey?: boolean
  /** Versions in which a string may be compact, where this differs from the message. */
  readonly flexible?: string
}

declare const types: unique symbol

export interface Field<Decoded = unknown, Input = unknown, Optional extends boolean = boolean> {
  readonly [types]?: { readonly decoded: Decoded; readonly input: Input; readonly optional: Optional }
  readonly type: FieldType
  readonly versions: VersionRange
  readonly nullable: VersionRange
  /** null, a primitive value, EMPTY_BYTES, an empty array, or undefined for a structure of defaults. */
  readonly default: unknown
  readonly hasExplicitDefault: boolean
  readonly tag: number | undefined
  readonly ignorable: boolean
  readonly exact: boolean
  readonly isErrorCode: boolean
  readonly entity: Entity | undefined
  readonly about: string | undefined
  readonly mapKey: boolean
  /** Versions in which lengths may be compact; undefined: as the message. */
  readonly flexible: VersionRange | undefined
  /** Arrays: the type of the elements. */
  readonly element: PrimitiveType | 'struct' | undefined
  /** Structures and arrays of structures. */
  readonly fields: Fields | undefined
}

export type Fields = { readonly [name: string]: Field }

type TypesOf<F extends Field> = NonNullable<F[typeof types]>

/** The decoded form of a structure. */
export type DecodedOf<F extends Fields> = { -readonly [K in keyof F]: TypesOf<F[K]>['decoded'] } & {
  unknownTaggedFields?: UnknownTaggedField[]
}

/** What encoding a structure accepts. A decoded structure is always acceptable. */
export type InputOf<F extends Fields> = {
  readonly [K in keyof F as TypesOf<F[K]>['optional'] extends true ? never : K]: TypesOf<F[K]>['input']
} & {
  readonly [K in keyof F as TypesOf<F[K]>['optional'] extends true ? K : never]?:
    | TypesOf<F[K]>['input']
    | undefined
} & { readonly unknownTaggedFields?: readonly UnknownTaggedField[] | undefined }

type NullOf<O> = O extends { readonly nullable: string } ? null : never
type OptionalOf<O> = O extends { readonly default: unknown } | { readonly tag: number } ? true : false
type FieldOf<D, I, O> = Field<D | NullOf<O>, I | NullOf<O>, OptionalOf<O>>

interface ElementType<T> {
  readonly element: PrimitiveType
  readonly [types]?: T
}

interface PrimitiveConstructor<T> extends ElementType<T> {
  <const O extends FieldOptions<T> = FieldOptions<T>>(versions: string, options?: O): FieldOf<T, T, O>
}

interface Int64Constructor extends ElementType<number> {
  <const O extends FieldOptions<number | bigint> = FieldOptions<number | bigint>>(
    versions: string,
    options?: O,
  ): O extends { readonly exact: true } ? FieldOf<bigint, bigint, O> : FieldOf<number, number, O>
}

interface FieldShape {
  readonly type: FieldType
  readonly implicitDefault: unknown
  readonly isErrorCode?: boolean
  readonly element?: PrimitiveType | 'struct'
  readonly fields?: Fields
}

function makeField(versions: string, options: FieldOptions, shape: FieldShape): Field {
  const implicit = options.exact === true ? 0n : shape.implicitDefault
  return {
    type: shape.type,
    versions: versionRange(versions),
    nullable: options.nullable === undefined ? NO_VERSIONS : versionRange(options.nullable),
    default: options.default === undefined ? implicit : options.default,
    hasExplicitDefault: options.default !== undefined,
    tag: options.tag,
    ignorable: options.ignorable ?? false,
    exact: options.exact ?? false,
    isErrorCode: shape.isErrorCode ?? false,
    entity: options.entity,
    about: options.about,
    mapKey: options.mapKey ?? false,
    flexible: options.flexible === undefined ? undefined : versionRange(options.flexible),
    element: shape.element,
    fields: shape.fields,
  }
}

function primitive<T>(
  type: PrimitiveType,
  implicitDefault: T | null,
  isErrorCode = false,
): PrimitiveConstructor<T> {
  const construct = (versions: string, options: FieldOptions = {}) =>
    makeField(versions, options, { type, implicitDefault, isErrorCode })
  return Object.assign(construct, { element: type }) as unknown as PrimitiveConstructor<T>
}

export const bool: PrimitiveConstructor<boolean> = primitive('bool', false)
export const int8: PrimitiveConstructor<number> = primitive('int8', 0)
export const int16: PrimitiveConstructor<number> = primitive('int16', 0)
export const uint16: PrimitiveConstructor<number> = primitive('uint16', 0)
export const int32: PrimitiveConstructor<number> = primitive('int32', 0)
export const uint32: PrimitiveConstructor<number> = primitive('uint32', 0)
export const float64: PrimitiveConstructor<number> = primitive('float64', 0)
/** A number: exact within ±(2⁵³−1), the nearest double beyond; encoding clamps to the int64 range. See `exact`. */
export const int64: Int64Constructor = primitive('int64', 0) as unknown as Int64Constructor
/** Kafka's 22 characters of base64url. */
export const uuid: PrimitiveConstructor<string> = primitive('uuid', ZERO_UUID)
export const string: PrimitiveConstructor<string> = primitive('string', '')
/** Decodes to a view of the frame. */
export const bytes: PrimitiveConstructor<Buffer> = primitive('bytes', EMPTY_BYTES)
/** Record batches as they are; decodes to a view of the frame, large ones are written by reference. */
export const records: PrimitiveConstructor<Buffer> = primitive<Buffer>('records', null)
/** An int16. Codes outside the table decode as they are: the type is a promise of the writer. */
export const errorCode: PrimitiveConstructor<ErrorCode> = primitive<ErrorCode>('int16', 0, true)

/** An array of structures. */
export function array<const F extends Fields, const O extends FieldOptions<readonly never[]>>(
  versions: string,
  fields: F,
  options?: O,
): FieldOf<DecodedOf<F>[], readonly InputOf<F>[], O> {
  const shape = { type: 'array', implicitDefault: [], element: 'struct', fields } as const
  return makeField(versions, options ?? {}, shape) as ReturnType<typeof array<F, O>>
}

/** An array of primitives: `arrayOf('0+', int32)`. */
export function arrayOf<T, const O extends FieldOptions<readonly never[]>>(
  versions: string,
  element: ElementType<T>,
  options?: O,
): FieldOf<T[], readonly T[], O> {
  const shape = { type: 'array', implicitDefault: [], element: element.element } as const
  return makeField(versions, options ?? {}, shape) as ReturnType<typeof arrayOf<T, O>>
}

/** A single structure; its default is a structure of defaults, or null. */
export function struct<const F extends Fields, const O extends FieldOptions<never>>(
  versions: string,
  fields: F,
  options?: O,
): FieldOf<DecodedOf<F>, InputOf<F>, O> {
  const shape = { type: 'struct', implicitDefault: undefined, fields } as const
  return makeField(versions, options ?? {}, shape) as ReturnType<typeof struct<F, O>>
}

/** A request, a response or a record: what has codecs. */
export interface MessageSchema<F extends Fields = Fields> {
  readonly name: string
  readonly versions: VersionRange
  /** Versions with compact lengths and tagged fields (KIP-482). */
  readonly flexible: VersionRange
  readonly fields: F
}

export type ListenerKind = 'broker' | 'controller'

export interface ApiSchema<
  Req extends Fields = Fields,
  Res extends Fields = Fields,
  Name extends string = string,
> {
  readonly key: number
  readonly name: Name
  readonly versions: VersionRange
  readonly flexible: VersionRange
  /** Improvement proposals that shaped the versions. */
  readonly kips: readonly number[]
  /** Kinds of listener that serve the API. */
  readonly listeners: readonly ListenerKind[]
  /** Kafka hides the highest version unless `unstable.api.versions.enable` is set. */
  readonly latestVersionUnstable: boolean
  readonly request: MessageSchema<Req>
  readonly response: MessageSchema<Res>
}

export interface ApiDefinition<Req extends Fields, Res extends Fields, Name extends string> {
  readonly key: number
  readonly name: Name
  readonly versions: string
  readonly flexible: string
  readonly kips?: readonly number[]
  /** Only `broker` when omitted. */
  readonly listeners?: readonly ListenerKind[]
  readonly latestVersionUnstable?: boolean
  readonly request: Req
  readonly response: Res
}

export type RequestOf<A extends ApiSchema> = DecodedOf<A['request']['fields']>
export type ResponseOf<A extends ApiSchema> = DecodedOf<A['response']['fields']>
export type RequestInputOf<A extends ApiSchema> = InputOf<A['request']['fields']>
export type ResponseInputOf<A extends ApiSchema> = InputOf<A['response']['fields']>

export function defineApi<const Req extends Fields, const Res extends Fields, const Name extends string>(
  definition: ApiDefinition<Req, Res, Name>,
): ApiSchema<Req, Res, Name> {
  const { key, name } = definition
  const versions = versionRange(definition.versions)
  const flexible = versionRange(definition.flexible)
  const request = { name: `${name}Request`, versions, flexible, fields: definition.request }
  const response = { name: `${name}Response`, versions, flexible, fields: definition.response }
  checkMessage(request)
  checkMessage(response)
  return {
    key,
    name,
    versions,
    flexible,
    kips: definition.kips ?? [],
    listeners: definition.listeners ?? ['broker'],
    latestVersionUnstable: definition.latestVersionUnstable ?? false,
    request,
    response,
  }
}

/**
 * How a persisted structure is framed. `coordinator-key`: two bytes of record type before it. `coordinator-value`: two
 * bytes of version. `metadata`: frame version, type and version as varints. `data` and `header`: nothing.
 */
export type RecordKind = 'coordinator-key' | 'coordinator-value' | 'metadata' | 'data' | 'header'

export interface RecordSchema<F extends Fields = Fields, Name extends string = string>
  extends MessageSchema<F> {
  readonly name: Name
  readonly kind: RecordKind
  /** Kafka's record type (its `apiKey`); -1 for the kinds that have none. */
  readonly type: number
}

export interface RecordDefinition<F extends Fields, Name extends string> {
  readonly name: Name
  readonly kind: RecordKind
  readonly type?: number
  readonly versions: string
  readonly flexible: string
  readonly fields: F
}

export type RecordOf<R extends RecordSchema> = DecodedOf<R['fields']>
export type RecordInputOf<R extends RecordSchema> = InputOf<R['fields']>

export function defineRecord<const F extends Fields, const Name extends string>(
  definition: RecordDefinition<F, Name>,
): RecordSchema<F, Name> {
  const record = {
    name: definition.name,
    kind: definition.kind,
    type: definition.type ?? -1,
    versions: versionRange(definition.versions),
    flexible: versionRange(definition.flexible),
    fields: definition.fields,
  }
  checkMessage(record)
  return record
}

/** Finds slips of the pen when the module loads. */
function checkMessage(message: MessageSchema): void {
  checkFields(message, message.fields, message.versions, message.name)
}

function checkFields(message: MessageSchema, fields: Fields, parent: VersionRange, path: string): void {
  const lowest = Math.max(parent.lowest, message.versions.lowest)
  const highest = Math.min(parent.highest, message.versions.highest)
  const tags = new Set<number>()
  for (const name in fields) {
    const field = fields[name] as Field
    const isPartial = !hasVersion(field.versions, lowest) || !hasVersion(field.versions, highest)
    const slip = slipIn(field, isPartial, tags)
    if (slip !== undefined) {
      throw new TypeError(`${path}.${name} ${formatVersionRange(field.versions)}: ${slip}`)
    }
    if (field.tag !== undefined) tags.add(field.tag)
    if (field.fields !== undefined) checkFields(message, field.fields, field.versions, `${path}.${name}`)
  }
}

/** @param isPartial some version of the structure lacks the field */
function slipIn(field: Field, isPartial: boolean, tags: ReadonlySet<number>): string | undefined {
  if (field.tag !== undefined && tags.has(field.tag)) return `tag ${field.tag} is used twice`
  if (field.default === null && field.type !== 'records' && field.nullable === NO_VERSIONS) {
    return 'defaults to null but is not nullable'
  }
  if (field.type === 'struct' && field.default !== null && field.default !== undefined) {
    return 'a structure has no default but null'
  }
  if (isPartial && !field.hasExplicitDefault && field.tag === undefined && field.type !== 'struct') {
    return 'some version lacks it, so it needs a default'
  }
  return undefined
}
