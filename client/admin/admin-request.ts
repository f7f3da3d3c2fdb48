/** One question of an admin call, and its answer. */
import type { ApiSchema, RequestInputOf, ResponseOf } from '../../common/protocol/schema.ts'
import type { Broker } from '../connections/broker.ts'
import type { VersionLimits } from '../connections/versions.ts'

export interface AdminRequest<A extends ApiSchema> extends VersionLimits {
  readonly api: A
  /** The body, or what makes it when the version is known. */
  readonly body: RequestInputOf<A> | ((version: number) => RequestInputOf<A>)
  /** All codes of an answer, for `ask`: those that say "elsewhere" or "not yet" are asked again. */
  readonly codesOf?: (response: ResponseOf<A>) => Iterable<number>
  /** Codes after which the same is asked again, besides those of the target. */
  readonly retryOn?: ReadonlySet<number>
  /** False when a broker that got it twice would answer differently: then a lost answer is `_TRANSPORT`. Default true. */
  readonly isRepeatable?: boolean
  /** As of `BrokerRequest`; `ask` knows it from its target. */
  readonly isForAny?: boolean
}

export interface AdminAnswer<A extends ApiSchema> {
  readonly response: ResponseOf<A>
  readonly version: number
  readonly broker: Broker
}
