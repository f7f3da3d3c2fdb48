/** What the client has, found by looking: run-time exports and prototypes, the tables of properties, and declarations where only types exist. */
import * as flatConstants from '../../client/flat-constants.ts'
import * as client from '../../client/index.ts'
import * as kafkajs from '../../client/kafkajs/index.ts'
import { filesUnder, readSource } from './tree.ts'

const entries: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  client,
  kafkajs,
  constants: flatConstants,
}

interface Declaration {
  readonly path: string
  readonly isExported: boolean
  readonly parents: readonly string[]
  readonly members: ReadonlySet<string>
}

const DECLARATION =
  /^(export )?(?:abstract )?(?:class|interface|type) (\w+)([^\n{]*(?:\n {2}(?:extends|implements)[^\n{]*)*)\{\n([\s\S]*?)^\}/gm
const TYPE_NAME = /^export (?:interface|type) (\w+)/gm
const MEMBER =
  /^ {2}(?:(?:readonly|static|override|async|get|set|abstract|declare) )*(?:\*)?(?:'([^']+)'|\[Symbol\.(\w+)\]|(\w+))[?!]?\s*(?:[(:<=]|$)/gm

let declarations: Map<string, Declaration> | undefined

function declared(name: string): Declaration | undefined {
  if (declarations === undefined) {
    declarations = new Map()
    for (const [declaredName, declaration] of filesUnder('client').flatMap(declarationsOf)) {
      if (!declarations.has(declaredName) || declaration.isExported)
        declarations.set(declaredName, declaration)
    }
  }
  return declarations.get(name)
}

/** Of two declarations of one name the client's own wins over the façade's. */
function declarationsOf(path: string): [string, Declaration][] {
  const { text } = readSource(path)
  const prefix = path.startsWith('client/kafkajs/') ? 'kafkajs.' : ''
  return [...text.matchAll(DECLARATION)].map(([, isExported, name = '', header = '', body = '']) => {
    const names = [...body.matchAll(MEMBER)].map(([, quoted, symbol, plain]) =>
      symbol === undefined ? (quoted ?? plain ?? '') : `[Symbol.${symbol}]`,
    )
    const parents = header.match(/\b[A-Z]\w+/g) ?? []
    return [prefix + name, { path, isExported: isExported !== undefined, parents, members: new Set(names) }]
  })
}

function declaresMember(owner: string, member: string, seen = new Set<string>()): string | undefined {
  if (seen.has(owner)) return undefined
  seen.add(owner)
  const found = declared(owner)
  if (found === undefined) return undefined
  if (found.members.has(member)) return found.path
  for (const parent of found.parents) {
    const path = declaresMember(parent, member, seen)
    if (path !== undefined) return path
  }
  return undefined
}

/** A value by its path in an entry: `ConfigResource.Type`. */
export function exported(path: string, entry = 'client'): unknown {
  let value: unknown = entries[entry]
  for (const name of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[name]
  return value
}

/** What kind of export there is; undefined when there is none. */
export function exportKind(name: string, entry = 'client'): string | undefined {
  const value = exported(name, entry)
  if (typeof value === 'function') return /^class\b/.test(String(value)) ? 'class' : 'function'
  if (value !== undefined) return typeof value === 'object' ? 'object' : 'constant'
  return typeNames(entry).has(name) ? 'type' : undefined
}

const typesOfEntry = new Map<string, ReadonlySet<string>>()

/** Types that are declared below the client and named by the index of the entry. */
function typeNames(entry: string): ReadonlySet<string> {
  const known = typesOfEntry.get(entry)
  if (known !== undefined) return known
  const indexes =
    entry === 'kafkajs' ? ['client/kafkajs/index.ts'] : ['client/index.ts', 'client/admin/index.ts']
  const named = new Set(indexes.flatMap((path) => readSource(path).text.match(/\b\w+\b/g) ?? []))
  const types = filesUnder('client').flatMap((path) =>
    [...readSource(path).text.matchAll(TYPE_NAME)].map(([, name = '']) => name),
  )
  const found = new Set(types.filter((name) => named.has(name)))
  typesOfEntry.set(entry, found)
  return found
}

/** `method`, `getter`, `static` or `attribute`; undefined when the export has no such member. */
export function memberKind(owner: string, member: string, entry = 'client'): string | undefined {
  const value = exported(owner, entry)
  const key = symbolOf(member) ?? member
  if (typeof value === 'function') {
    for (let prototype: unknown = value.prototype; ; prototype = Object.getPrototypeOf(prototype)) {
      if (prototype === null || prototype === undefined || prototype === Object.prototype) break
      const descriptor = Object.getOwnPropertyDescriptor(prototype, key)
      if (descriptor?.get !== undefined) return 'getter'
      if (typeof descriptor?.value === 'function') return 'method'
    }
    if (Object.hasOwn(value, key)) return 'static'
  }
  if (typeof value === 'object' && value !== null && Object.hasOwn(value, key)) return 'member'
  const name = entry === 'kafkajs' ? `kafkajs.${owner}` : owner
  return declaresMember(name, member) === undefined ? undefined : 'attribute'
}

function symbolOf(member: string): symbol | undefined {
  const name = /^\[Symbol\.(\w+)\]$/.exec(member)?.[1]
  return name === undefined ? undefined : ((Symbol as unknown as Record<string, symbol>)[name] ?? undefined)
}

const STATISTICS = [
  'client/statistics/broker-document.ts',
  'client/statistics/window.ts',
  'client/producer/producer-statistics.ts',
  'client/consumer/consumer-statistics.ts',
]
let statisticsText: string | undefined

/** Whether a statistics document is written with this field. */
export function hasStatistic(field: string): boolean {
  statisticsText ??= STATISTICS.map((path) => readSource(path).text).join('\n')
  return new RegExp(`\\b${field}\\b\\s*[:,]`).test(statisticsText)
}
