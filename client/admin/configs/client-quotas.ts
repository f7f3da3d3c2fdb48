/** Quotas of users, clients and addresses (KIP-546); an addition to the documented API, with the names of Kafka's own. */
import { DescribeClientQuotas } from '../../../common/protocol/apis/48-describe-client-quotas.ts'
import { AlterClientQuotas } from '../../../common/protocol/apis/49-alter-client-quotas.ts'
import { ValueError } from '../../errors.ts'
import type { AdminEngine } from '../admin-engine.ts'
import { type AdminOptions, OptionReader, type ValidateOptions } from '../admin-options.ts'
import { throwCode } from '../groups/group-arguments.ts'
import { KeyedMap, type ResultMap } from '../keyed-map.ts'

/** `user`, `client-id`, `ip`. */
export type ClientQuotaEntityType = string

/** Who a quota is for: a name for each type, null for the default of the type. Equal by value. */
export class ClientQuotaEntity {
  static readonly USER = 'user'
  static readonly CLIENT_ID = 'client-id'
  static readonly IP = 'ip'
  readonly entries: ReadonlyMap<ClientQuotaEntityType, string | null>

  constructor(
    entries:
      | Readonly<Record<ClientQuotaEntityType, string | null>>
      | ReadonlyMap<ClientQuotaEntityType, string | null>,
  ) {
    if (typeof entries !== 'object' || entries === null) throw new TypeError('entries must be an object')
    const pairs = entries instanceof Map ? [...entries] : Object.entries(entries)
    for (const [type, name] of pairs) {
      if (typeof type !== 'string' || (name !== null && typeof name !== 'string')) {
        throw new TypeError('entries must be names, or null, by type')
      }
    }
    this.entries = new Map(pairs)
  }

  key(): string {
    return JSON.stringify([...this.entries].sort(([one], [other]) => (one < other ? -1 : 1)))
  }

  equals(other: unknown): boolean {
    return other instanceof ClientQuotaEntity && other.key() === this.key()
  }

  toString(): string {
    return [...this.entries].map(([type, name]) => `${type}=${name ?? '<default>'}`).join(',')
  }
}

/** What an entity must have of one type. */
export interface ClientQuotaFilterComponent {
  readonly entityType: ClientQuotaEntityType
  /** This name; null the default of the type; absent any. */
  readonly match?: string | null
}

export interface ClientQuotaFilter {
  /** None stand for all quotas. */
  readonly components?: readonly ClientQuotaFilterComponent[]
  /** Only entities that have no other types. Default false. */
  readonly strict?: boolean
}

export interface ClientQuotaOperation {
  /** `producer_byte_rate`, `consumer_byte_rate`, `request_percentage`, … */
  readonly key: string
  /** null removes it. */
  readonly value: number | null
}

export interface ClientQuotaAlteration {
  readonly entity: ClientQuotaEntity
  readonly operations: readonly ClientQuotaOperation[]
}

const matchExact = 0
const matchDefault = 1
const matchSpecified = 2

export async function describeClientQuotas(
  engine: AdminEngine,
  filter: ClientQuotaFilter = {},
  options?: AdminOptions,
): Promise<KeyedMap<ClientQuotaEntity, ReadonlyMap<string, number>>> {
  if (typeof filter !== 'object' || filter === null) throw new TypeError('filter must be an object')
  const { components = [], strict = false } = filter
  if (!Array.isArray(components)) throw new TypeError('components must be a list')
  const wanted = (components as readonly ClientQuotaFilterComponent[]).map(({ entityType, match }) => ({
    entityType,
    matchType: match === undefined ? matchSpecified : match === null ? matchDefault : matchExact,
    match: match ?? null,
  }))
  return await engine.single(new OptionReader(options).limits(), async (call) => {
    const { response } = await call.ask(
      { kind: 'any' },
      { api: DescribeClientQuotas, body: { components: wanted, strict } },
    )
    throwCode(response.errorCode, response.errorMessage)
    const quotas = new KeyedMap<ClientQuotaEntity, ReadonlyMap<string, number>>()
    for (const { entity, values } of response.entries ?? []) {
      const names = new Map(entity.map(({ entityType, entityName }) => [entityType, entityName]))
      quotas.set(new ClientQuotaEntity(names), new Map(values.map(({ key, value }) => [key, value])))
    }
    return quotas
  })
}

/** One result an entity; either all its operations happen or none. */
export function alterClientQuotas(
  engine: AdminEngine,
  alterations: readonly ClientQuotaAlteration[],
  options?: AdminOptions & ValidateOptions,
): ResultMap<ClientQuotaEntity, void> {
  if (!Array.isArray(alterations)) throw new TypeError('alterations must be a list')
  if (alterations.length === 0) throw new ValueError('alterations must be a list with entries')
  const entries = (alterations as readonly ClientQuotaAlteration[]).map(({ entity, operations }) => {
    if (!(entity instanceof ClientQuotaEntity)) throw new TypeError('entity must be a ClientQuotaEntity')
    if (!Array.isArray(operations)) throw new TypeError('operations must be a list')
    return { entity, operations: operations as readonly ClientQuotaOperation[] }
  })
  const keys = new Set(entries.map(({ entity }) => entity.key()))
  if (keys.size !== entries.length) throw new ValueError('alterations name an entity twice')
  const reader = new OptionReader(options)
  const validateOnly = reader.flag('validateOnly')
  const body = {
    entries: entries.map(({ entity, operations }) => ({
      entity: [...entity.entries].map(([entityType, entityName]) => ({ entityType, entityName })),
      ops: operations.map(({ key, value }) => ({ key, value: value ?? 0, remove: value === null })),
    })),
    validateOnly,
  }
  const results = entries.map(({ entity }) => entity)
  return engine.keyed<ClientQuotaEntity, void>(results, reader.limits(), async (call, pending) => {
    const { response } = await call.ask(
      { kind: 'controller' },
      {
        api: AlterClientQuotas,
        body,
        codesOf: (answer) => answer.entries.map(({ errorCode }) => errorCode),
      },
    )
    for (const { entity, errorCode, errorMessage } of response.entries) {
      const names = new Map(entity.map(({ entityType, entityName }) => [entityType, entityName]))
      pending.settle(new ClientQuotaEntity(names), errorCode, errorMessage, undefined)
    }
  })
}
