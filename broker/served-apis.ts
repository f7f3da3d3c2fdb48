/**
 * What a listener of each kind offers: the handlers, and the versions that ApiVersions tells of them.
 */
import { GetTelemetrySubscriptions } from '../common/protocol/apis/71-get-telemetry-subscriptions.ts'
import { PushTelemetry } from '../common/protocol/apis/72-push-telemetry.ts'
import type { ApiSchema } from '../common/protocol/schema.ts'
import { versionRange } from '../common/protocol/versions.ts'
import type { Handler } from './api/handler.ts'
import { handlers } from './api/index.ts'
import type { ListenerKind } from './network/connection-info.ts'
import type { ServedApi } from './services.ts'

/** Handlers are written against their own schema; the router only needs what they have in common. */
export const servedHandlers = handlers as unknown as readonly Handler<ApiSchema>[]

/** librdkafka takes a lowest Produce version above 0 for a broker without message format v0 (KAFKA-18659): Kafka says 0, and refuses. */
const ADVERTISED_LOWEST = new Map([[0, 0]])

/** Kafka leaves these out while no plugin receives what clients push (KIP-714); it answers them all the same. */
const NOT_ADVERTISED: ReadonlySet<number> = new Set([GetTelemetrySubscriptions.key, PushTelemetry.key])

const apisByKind = new Map<ListenerKind, readonly ServedApi[]>()

export function servedApis(kind: ListenerKind): readonly ServedApi[] {
  let apis = apisByKind.get(kind)
  if (apis === undefined) {
    apis = servedHandlers
      .filter(({ api }) => api.listeners.includes(kind) && !NOT_ADVERTISED.has(api.key))
      .map(({ api, versions }) => {
        const { lowest, highest } = versionRange(versions)
        return { key: api.key, lowest: ADVERTISED_LOWEST.get(api.key) ?? lowest, highest }
      })
      .sort((left, right) => left.key - right.key)
    apisByKind.set(kind, apis)
  }
  return apis
}
