/**
 * Turns answers into JSON that two brokers can agree on. What is chosen at random or by the clock becomes a symbol that
 * is the same wherever the same value stands in a scenario: `<uuid 1>`, `<producer 2>`, `<now>`. Lists without a meaning
 * in their order are sorted. Record batches are taken apart.
 */
import { type ErrorCode, errorName } from '../../common/protocol/errors.ts'
import { type ApiSchema, type Field, type Fields, ZERO_UUID } from '../../common/protocol/schema.ts'
import { hasVersion } from '../../common/protocol/versions.ts'
import { BatchCursor } from '../../common/record/batch.ts'
import { decodeRecords } from '../../common/record/record-reader.ts'

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** Numbers that name something chosen by the broker. */
const SYMBOL_FIELDS: Readonly<Record<string, string>> = {
  producerId: 'producer',
  sessionId: 'session',
  subscriptionId: 'subscription',
  tokenId: 'token',
}
/** Values that depend on machine and history. */
const MASKED_FIELDS = new Set([
  'host',
  'port',
  'clusterId',
  'logDir',
  'totalBytes',
  'usableBytes',
  'finalizedFeaturesEpoch',
  'brokerEpoch',
])
/** Of the metadata log: they grow while nobody asks. */
const MASKED_BY_API: Readonly<Record<string, readonly string[]>> = {
  DescribeQuorum: ['leaderEpoch', 'highWatermark', 'logEndOffset', 'replicaDirectoryId'],
}
/** Lists whose order tells something. */
const ORDERED = new Set([
  'Fetch.responses',
  'Fetch.partitions',
  'DescribeTopicPartitions.topics',
  'recordErrors',
])

const UUID_IN_TEXT = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
const NEAR_MS = 10 * 60_000
const FAR_MS = 400 * 86_400_000

class Volatile {
  readonly kind: string
  readonly value: string

  constructor(kind: string, value: string) {
    this.kind = kind
    this.value = value
  }
}

type Tree = Json | Volatile | Tree[] | { [key: string]: Tree }

export class Normaliser {
  readonly #runId: string
  readonly #symbols = new Map<string, string>()
  readonly #counts = new Map<string, number>()
  #api = ''
  #version = 0

  constructor(runId: string) {
    this.#runId = runId
  }

  answer(api: ApiSchema, version: number, response: object): Json {
    this.#api = api.name
    this.#version = version
    return this.#resolve(this.#structure(api.response.fields, response as Record<string, unknown>))
  }

  #structure(fields: Fields, value: Record<string, unknown>): Tree {
    const tree: Record<string, Tree> = {}
    for (const [name, field] of Object.entries(fields)) {
      if (!hasVersion(field.versions, this.#version)) continue
      tree[name] = this.#field(name, field, value[name])
    }
    return tree
  }

  #field(name: string, field: Field, value: unknown): Tree {
    if (value === null || value === undefined) return null
    if (MASKED_FIELDS.has(name) || MASKED_BY_API[this.#api]?.includes(name)) {
      return value === '' || value === -1 ? (value as Json) : `<${name}>`
    }
    if (field.type === 'struct') return this.#structure(field.fields ?? {}, value as Record<string, unknown>)
    if (field.type === 'array') {
      const items = value as unknown[]
      if (field.element !== 'struct') return items.map((item) => this.#plain(name, field.element, item))
      const trees = items.map((item) => this.#structure(field.fields ?? {}, item as Record<string, unknown>))
      if (ORDERED.has(`${this.#api}.${name}`) || ORDERED.has(name)) return trees
      return trees
        .map((tree) => ({
          tree,
          key: JSON.stringify(tree, (_, one) => (one instanceof Volatile ? this.#sketch(one) : one)),
        }))
        .sort((left, right) => (left.key < right.key ? -1 : left.key > right.key ? 1 : 0))
        .map(({ tree }) => tree)
    }
    if (field.isErrorCode) return errorName(value as ErrorCode)
    return this.#plain(name, field.type, value)
  }

  #plain(name: string, type: string | undefined, value: unknown): Tree {
    if (Buffer.isBuffer(value)) return type === 'records' ? this.#batches(value) : value.toString('hex')
    if (typeof value === 'bigint') return this.#number(name, Number(value))
    if (typeof value === 'number') return this.#number(name, value)
    if (typeof value === 'boolean') return value
    const text = String(value)
    if (name === 'memberId' && /^[\w-]{22}$/.test(text)) return new Volatile('uuid', text)
    if (type === 'uuid') return text === ZERO_UUID ? '<none>' : new Volatile('uuid', text)
    return this.#text(text)
  }

  #number(name: string, value: number): Tree {
    const symbol = SYMBOL_FIELDS[name]
    if (
      symbol !== undefined &&
      (value > 0 || name === 'subscriptionId' || (name === 'producerId' && value === 0))
    )
      return new Volatile(symbol, String(value))
    if (name === 'throttleTimeMs') return 0
    if (value < 1_600_000_000_000) return value
    const fromNow = value - Date.now()
    if (Math.abs(fromNow) < NEAR_MS) return '<now>'
    return fromNow > 0 && fromNow < FAR_MS ? `<now + ${Math.round(fromNow / 3_600_000)} h>` : value
  }

  #text(text: string): Tree {
    const own = text
      .replaceAll(this.#runId, 'RUN')
      .replace(/\b1[6-9]\d{11}\b/g, (digits) => String(this.#number('text', Number(digits))))
    return own.search(UUID_IN_TEXT) >= 0 || /[\w-]{22}|\d{4,}/.test(own) ? new Volatile('text', own) : own
  }

  /** What is known already comes before what is new, in the order of its number. */
  #sketch({ kind, value }: Volatile): string {
    if (kind !== 'text') return this.#symbols.get(`${kind} ${value}`) ?? `~${kind}`
    return value.replace(UUID_IN_TEXT, (found) => this.#symbols.get(`uuid ${found}`) ?? '~uuid')
  }

  #batches(records: Buffer): Tree {
    const batches: Tree[] = []
    const cursor = new BatchCursor(records)
    while (cursor.next()) {
      const { batch } = cursor
      const producer = batch.producerId
      batches.push({
        baseOffset: batch.baseOffset,
        lastOffset: batch.lastOffset,
        leaderEpoch: batch.partitionLeaderEpoch,
        magic: batch.magic,
        attributes: batch.attributes,
        isValid: batch.isValid,
        maxTimestamp: this.#number('maxTimestamp', batch.maxTimestamp),
        producerId: producer >= 0 ? new Volatile('producer', String(producer)) : producer,
        producerEpoch: batch.producerEpoch,
        baseSequence: batch.baseSequence,
        records: decodeRecords(batch).records.map(({ offset, timestamp, key, value, headers }) => ({
          offset,
          timestamp: this.#number('timestamp', timestamp),
          key: key === null ? null : batch.isControl ? key.toString('hex') : key.toString(),
          value: value === null ? null : batch.isControl ? value.toString('hex') : shortened(value),
          headers: headers.length,
        })),
      })
    }
    return batches
  }

  /** Gives symbols their numbers, in the order in which a reader meets them. */
  #resolve(tree: Tree): Json {
    if (tree instanceof Volatile) {
      return tree.kind === 'text' ? this.#resolveText(tree.value) : this.#symbol(tree.kind, tree.value)
    }
    if (Array.isArray(tree)) return tree.map((one) => this.#resolve(one))
    if (tree === null || typeof tree !== 'object') return tree
    return Object.fromEntries(Object.entries(tree).map(([name, value]) => [name, this.#resolve(value)]))
  }

  #resolveText(text: string): string {
    let result = text.replace(UUID_IN_TEXT, (found) => this.#symbol('uuid', found))
    for (const [key, symbol] of this.#symbols) {
      const value = key.slice(key.indexOf(' ') + 1)
      if (value.length >= 4) result = result.replaceAll(value, symbol)
    }
    return result
  }

  #symbol(kind: string, value: string): string {
    const key = `${kind} ${value}`
    let symbol = this.#symbols.get(key)
    if (symbol === undefined) {
      const count = (this.#counts.get(kind) ?? 0) + 1
      this.#counts.set(kind, count)
      symbol = `<${kind} ${count}>`
      this.#symbols.set(key, symbol)
    }
    return symbol
  }
}

function shortened(value: Buffer): string {
  return value.length <= 64 ? value.toString() : `${value.length} bytes`
}
