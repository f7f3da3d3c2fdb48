/**
 * What a decoded message names and says, whatever its API: topics with partitions, groups, transactional ids, error codes. Read off the
 * schema once per API, so that a request costs a few property loads.
 */
import type { ApiSchema, Field, Fields } from '../../common/protocol/schema.ts'
import { ZERO_UUID } from '../../common/protocol/schema.ts'

export interface NamedTopic {
  readonly name: string
  readonly partitions: readonly number[]
}

export interface Named {
  readonly topics: readonly NamedTopic[]
  readonly groups: readonly string[]
  readonly transactionalIds: readonly string[]
}

type Structure = Readonly<Record<string, unknown>>
type TopicNames = (topicId: string) => string | undefined

/** Where an array of topics keeps name, id and partitions. */
export interface TopicArray {
  readonly field: string
  readonly nameField: string | undefined
  readonly idField: string | undefined
  readonly partitionsField: string | undefined
  /** undefined: the partitions are plain numbers. */
  readonly indexField: string | undefined
}

interface Shape {
  readonly topicArrays: readonly TopicArray[]
  /** Fields with one name, or with an array of names. */
  readonly topicNames: readonly string[]
  readonly groups: readonly string[]
  readonly transactionalIds: readonly string[]
  readonly errors: readonly string[]
  readonly children: readonly { readonly field: string; readonly shape: Shape }[]
  /** Structures below that say errors. */
  readonly errorChildren: readonly { readonly field: string; readonly shape: Shape }[]
}

const INDEX_FIELDS: readonly string[] = ['partition', 'partitionIndex', 'partitionId', 'index']
const PLAIN_PARTITION_FIELDS: readonly string[] = ['partitions', 'partitionIndexes', 'partitionIds']

const requestShapes = new WeakMap<ApiSchema, Shape>()
const responseShapes = new WeakMap<ApiSchema, Shape>()

export function requestShape(api: ApiSchema): Shape {
  return cached(requestShapes, api, api.request.fields)
}

export function responseShape(api: ApiSchema): Shape {
  return cached(responseShapes, api, api.response.fields)
}

function cached(shapes: WeakMap<ApiSchema, Shape>, api: ApiSchema, fields: Fields): Shape {
  let shape = shapes.get(api)
  if (shape === undefined) {
    shape = shapeOf(fields)
    shapes.set(api, shape)
  }
  return shape
}

function shapeOf(fields: Fields): Shape {
  const topicArrays: TopicArray[] = []
  const topicNames: string[] = []
  const groups: string[] = []
  const transactionalIds: string[] = []
  const errors: string[] = []
  const children: { field: string; shape: Shape }[] = []
  for (const [name, field] of Object.entries(fields)) {
    if (field.isErrorCode) errors.push(name)
    if (field.entity === 'topicName') topicNames.push(name)
    else if (field.entity === 'groupId') groups.push(name)
    else if (field.entity === 'transactionalId') transactionalIds.push(name)
    if (field.fields === undefined) continue
    const topics = field.type === 'array' ? topicArrayOf(name, field.fields) : undefined
    if (topics !== undefined) topicArrays.push(topics)
    children.push({ field: name, shape: shapeOf(field.fields) })
  }
  const errorChildren = children.filter(
    ({ shape }) => shape.errors.length > 0 || shape.errorChildren.length > 0,
  )
  return { topicArrays, topicNames, groups, transactionalIds, errors, children, errorChildren }
}

function topicArrayOf(field: string, fields: Fields): TopicArray | undefined {
  const nameField = Object.entries(fields).find(
    ([, { entity, type }]) => entity === 'topicName' && type === 'string',
  )?.[0]
  const idField = Object.entries(fields).find(
    ([name, { type }]) => name === 'topicId' && type === 'uuid',
  )?.[0]
  if (nameField === undefined && idField === undefined) return undefined
  for (const [name, inner] of Object.entries(fields) as [string, Field][]) {
    if (inner.type !== 'array') continue
    const indexField =
      inner.fields === undefined
        ? undefined
        : INDEX_FIELDS.find((candidate) => inner.fields?.[candidate]?.type === 'int32')
    const isPlain = inner.element === 'int32' && PLAIN_PARTITION_FIELDS.includes(name)
    if (indexField !== undefined || isPlain) {
      return { field, nameField, idField, partitionsField: name, indexField }
    }
  }
  return { field, nameField, idField, partitionsField: undefined, indexField: undefined }
}

// --- reading ---------------------------------------------------------------------------------------------------------

/** Everything that a request names. Topics that it names by an id which nobody knows are left out. */
export function namedIn(api: ApiSchema, request: unknown, nameOf: TopicNames): Named {
  const topics: NamedTopic[] = []
  const groups: string[] = []
  const transactionalIds: string[] = []
  collect(requestShape(api), request as Structure, { topics, groups, transactionalIds, nameOf })
  if (api.name === 'FindCoordinator') {
    const { keyType, key, coordinatorKeys } = request as Structure
    const into = keyType === 1 ? transactionalIds : groups
    addNames(key, into)
    addNames(coordinatorKeys, into)
  }
  return { topics, groups, transactionalIds }
}

interface Collected {
  readonly topics: NamedTopic[]
  readonly groups: string[]
  readonly transactionalIds: string[]
  readonly nameOf: TopicNames
}

function collect(shape: Shape, value: Structure, into: Collected): void {
  for (const field of shape.groups) addNames(value[field], into.groups)
  for (const field of shape.transactionalIds) addNames(value[field], into.transactionalIds)
  for (const topicArray of shape.topicArrays) {
    for (const topic of arrayAt(value, topicArray.field)) {
      const name = topicNameOf(topicArray, topic, into.nameOf)
      if (name !== undefined) into.topics.push({ name, partitions: partitionsOf(topicArray, topic) })
    }
  }
  if (shape.topicArrays.length === 0) {
    for (const field of shape.topicNames) {
      const names: string[] = []
      addNames(value[field], names)
      for (const name of names) into.topics.push({ name, partitions: [] })
    }
  }
  for (const { field, shape: child } of shape.children) {
    if (shape.topicArrays.some((topicArray) => topicArray.field === field)) continue
    const inner = value[field]
    if (Array.isArray(inner)) for (const element of inner) collect(child, element as Structure, into)
    else if (inner !== null && typeof inner === 'object') collect(child, inner as Structure, into)
  }
}

function addNames(value: unknown, into: string[]): void {
  if (typeof value === 'string') {
    if (value !== '') into.push(value)
  } else if (Array.isArray(value)) {
    for (const name of value) if (typeof name === 'string') into.push(name)
  }
}

function arrayAt(value: Structure, field: string): readonly Structure[] {
  const array = value[field]
  return Array.isArray(array) ? (array as Structure[]) : []
}

export function topicNameOf(
  { nameField, idField }: TopicArray,
  topic: Structure,
  nameOf: TopicNames,
): string | undefined {
  const name = nameField === undefined ? undefined : topic[nameField]
  if (typeof name === 'string' && name !== '') return name
  const id = idField === undefined ? undefined : topic[idField]
  return typeof id === 'string' && id !== ZERO_UUID ? nameOf(id) : undefined
}

function partitionsOf({ partitionsField, indexField }: TopicArray, topic: Structure): readonly number[] {
  const partitions = partitionsField === undefined ? undefined : topic[partitionsField]
  if (!Array.isArray(partitions)) return []
  return indexField === undefined
    ? (partitions as number[])
    : (partitions as Structure[]).map((partition) => partition[indexField] as number)
}

/** Every error code that is said, each once. */
export function errorsIn(api: ApiSchema, response: unknown): readonly number[] {
  const shape = responseShape(api)
  let found: Set<number> | undefined
  const visit = (at: Shape, value: Structure): void => {
    for (const field of at.errors) {
      const code = value[field]
      if (typeof code === 'number' && code !== 0) {
        found ??= new Set()
        found.add(code)
      }
    }
    for (const { field, shape: child } of at.errorChildren) {
      const inner = value[field]
      if (Array.isArray(inner)) for (const element of inner) visit(child, element as Structure)
      else if (inner !== null && typeof inner === 'object') visit(child, inner as Structure)
    }
  }
  visit(shape, response as Structure)
  return found === undefined ? NO_ERRORS : [...found]
}

const NO_ERRORS: readonly number[] = []

// --- a part of a request ---------------------------------------------------------------------------------------------

/** Says of a partition whether it is meant; of a topic without partitions the index is undefined. */
export type IsMeant = (topic: string, partition: number | undefined) => boolean

/** The part of the request about partitions that are meant, and the rest; undefined when its shape does not allow to part it. */
export function divideRequest(
  api: ApiSchema,
  request: unknown,
  isMeant: IsMeant,
  nameOf: TopicNames,
): { readonly meant: Structure; readonly rest: Structure; readonly hasRest: boolean } | undefined {
  const [topicArray] = requestShape(api).topicArrays.filter(
    ({ field }) => arrayAt(request as Structure, field).length > 0,
  )
  if (topicArray === undefined) return undefined
  const meant: Structure[] = []
  const rest: Structure[] = []
  for (const topic of arrayAt(request as Structure, topicArray.field)) {
    const name = topicNameOf(topicArray, topic, nameOf) ?? ''
    const { partitionsField, indexField } = topicArray
    const partitions = partitionsField === undefined ? undefined : topic[partitionsField]
    if (partitionsField === undefined || !Array.isArray(partitions) || partitions.length === 0) {
      ;(isMeant(name, undefined) ? meant : rest).push(topic)
      continue
    }
    const indexOf = (partition: unknown): number =>
      indexField === undefined ? (partition as number) : ((partition as Structure)[indexField] as number)
    const inMeant = partitions.filter((partition) => isMeant(name, indexOf(partition)))
    const inRest = partitions.filter((partition) => !isMeant(name, indexOf(partition)))
    if (inMeant.length > 0) meant.push({ ...topic, [partitionsField]: inMeant })
    if (inRest.length > 0) rest.push({ ...topic, [partitionsField]: inRest })
  }
  return {
    meant: { ...(request as Structure), [topicArray.field]: meant },
    rest: { ...(request as Structure), [topicArray.field]: rest },
    hasRest: rest.length > 0,
  }
}

/** The real answer, with what `other` says of partitions put in its place. */
export function mergeAnswers(api: ApiSchema, real: unknown, other: unknown): unknown {
  const topicArray = responseShape(api).topicArrays.find(
    ({ field }) => arrayAt(other as Structure, field).length > 0,
  )
  if (topicArray === undefined) return other
  const { field, partitionsField, indexField, nameField, idField } = topicArray
  const keyOf = (topic: Structure): string =>
    `${nameField === undefined ? '' : (topic[nameField] ?? '')}/${idField === undefined ? '' : (topic[idField] ?? ZERO_UUID)}`
  const topics = new Map(arrayAt(real as Structure, field).map((topic) => [keyOf(topic), topic]))
  for (const topic of arrayAt(other as Structure, field)) {
    const known = topics.get(keyOf(topic))
    if (known === undefined || partitionsField === undefined || indexField === undefined) {
      topics.set(keyOf(topic), topic)
      continue
    }
    const partitions = new Map(
      arrayAt(known, partitionsField).map((partition) => [partition[indexField], partition]),
    )
    for (const partition of arrayAt(topic, partitionsField)) partitions.set(partition[indexField], partition)
    topics.set(keyOf(topic), { ...known, [partitionsField]: [...partitions.values()] })
  }
  return { ...(real as Structure), [field]: [...topics.values()] }
}
