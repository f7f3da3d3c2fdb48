/**
 * Which limit holds for a user and client id, of one kind of quota (KIP-13, KIP-55, KIP-546).
 *
 * The most special entity with such a quota decides: user and client id, user and default client id, user; then the same with the
 * default user; then the client id, the default client id. Who shares a limit shares its counter: a user's quota is shared by all
 * clients of the user, one of user and client id by the connections of both, and each is counted apart by a default's quota.
 */
import type { QuotaImage } from '../metadata/image.ts'

/** null: the default entity. */
type Name = string | null

export interface QuotaLimit {
  readonly limit: number
  /** Names the counter. */
  readonly counter: string
}

export class QuotaLimits {
  readonly #limits = new Map<string, number>()

  /** @param key producer_byte_rate, consumer_byte_rate, request_percentage, … */
  constructor(quotas: Iterable<QuotaImage>, key: string) {
    for (const { parts, values } of quotas) {
      const limit = values.get(key)
      if (limit !== undefined) this.#limits.set(entityKey(parts.get('user'), parts.get('client-id')), limit)
    }
  }

  get isEmpty(): boolean {
    return this.#limits.size === 0
  }

  /** undefined: as much as they like. */
  of(user: string, clientId: string): QuotaLimit | undefined {
    if (this.#limits.size === 0) return undefined
    for (const userName of [user, null]) {
      const limit = this.#limit(userName, clientId) ?? this.#limit(userName, null)
      if (limit !== undefined) return { limit, counter: entityKey(user, clientId) }
      const ofUser = this.#limit(userName, undefined)
      if (ofUser !== undefined) return { limit: ofUser, counter: entityKey(user, undefined) }
    }
    const limit = this.#limit(undefined, clientId) ?? this.#limit(undefined, null)
    return limit === undefined ? undefined : { limit, counter: entityKey(undefined, clientId) }
  }

  #limit(user: Name | undefined, clientId: Name | undefined): number | undefined {
    return this.#limits.get(entityKey(user, clientId))
  }
}

/** One string for an entity, absent, default and empty parts told apart. */
function entityKey(user: Name | undefined, clientId: Name | undefined): string {
  return `${partKey(user)}\n${partKey(clientId)}`
}

function partKey(name: Name | undefined): string {
  if (name === undefined) return ''
  return name === null ? '*' : `=${name}`
}
