/** One request to one broker, and how it may end. */
import type { ApiSchema, RequestInputOf, ResponseOf } from '../../common/protocol/schema.ts'
import type { KafkaError } from '../errors.ts'
import type { VersionLimits } from './versions.ts'

export type RequestResult<A extends ApiSchema> =
  | { readonly ok: true; readonly response: ResponseOf<A>; readonly version: number }
  | {
      readonly ok: false
      /** `_TRANSPORT`, `_TIMED_OUT`, `_TIMED_OUT_QUEUE`, `_UNSUPPORTED_FEATURE`, `_BAD_MSG`, `_DESTROY` … */
      readonly error: KafkaError
      /** Whether the broker may have seen it. */
      readonly wasSent: boolean
    }

export interface BrokerRequest<A extends ApiSchema = ApiSchema> extends VersionLimits {
  readonly api: A
  /** The body, or what makes it when the version is known. */
  readonly body: RequestInputOf<A> | ((version: number) => RequestInputOf<A>)
  /** From the moment it was given to the broker. */
  readonly timeoutMs: number
  /** Any broker can answer it: it ends with `_TIMED_OUT_QUEUE` when this one is not up after a second and there are others. */
  readonly isForAny?: boolean
  /** Produce with acks=0: done as soon as it was handed to the socket; `response` is undefined then. */
  readonly expectsNoResponse?: boolean
  /** Called at most once, when the system has the bytes of the body and nobody reads them here any more. */
  readonly released?: () => void
  /** Called exactly once, in a turn. */
  readonly done: (result: RequestResult<A>) => void
}
