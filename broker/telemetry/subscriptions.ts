/**
 * What a client is asked to push: the union of the client-metrics resources that match it (KIP-714).
 */
import { crc32c } from '../../common/record/crc32c.ts'
import { type ClientSelector, parseMatchPatterns } from '../config/alter-client-metrics.ts'
import { CLIENT_METRICS_TABLE } from '../config/client-metrics.ts'
import { splitList } from '../config/values.ts'
import { ConfigResourceType, type MetadataImage } from '../metadata/image.ts'

/** A client as the selectors of `match` see it. */
export type ClientAttributes = Readonly<Record<ClientSelector, string>>

/** One client-metrics resource. */
export interface TelemetrySubscription {
  readonly name: string
  /** Prefixes of metric names; `*` for all. */
  readonly metrics: readonly string[]
  readonly intervalMs: number
  /** All of them have to match; none matches every client. */
  readonly patterns: ReadonlyMap<ClientSelector, RegExp>
}

/** What one client is told. */
export interface ClientSubscription {
  readonly id: number
  readonly metrics: readonly string[]
  readonly pushIntervalMs: number
}

const ALL_METRICS = '*'
const DEFAULT_INTERVAL_MS = Number(CLIENT_METRICS_TABLE['interval.ms'].defaultText)

/** Resources are validated when they are altered; a pattern that cannot be read all the same matches nobody. */
export function subscriptionsOf(image: MetadataImage): readonly TelemetrySubscription[] {
  return image.configuredResources(ConfigResourceType.CLIENT_METRICS).flatMap((name) => {
    const texts = image.configsOf(ConfigResourceType.CLIENT_METRICS, name)
    const match = parseMatchPatterns(texts.get('match') ?? '')
    if (match.error !== null) return []
    const intervalMs = Number(texts.get('interval.ms') ?? DEFAULT_INTERVAL_MS)
    return [{ name, metrics: splitList(texts.get('metrics') ?? ''), intervalMs, patterns: match.patterns }]
  })
}

function matches({ patterns }: TelemetrySubscription, client: ClientAttributes): boolean {
  return [...patterns].every(([selector, pattern]) => pattern.test(client[selector]))
}

/**
 * The metrics of all matching subscriptions at the shortest of their intervals. The id tells whether what a client pushes is what it
 * would be told now; it differs between clients, as in Kafka.
 */
export function subscriptionFor(
  subscriptions: readonly TelemetrySubscription[],
  client: ClientAttributes,
): ClientSubscription {
  const matching = subscriptions.filter((subscription) => matches(subscription, client))
  const names = new Set(matching.flatMap(({ metrics }) => metrics))
  const metrics = names.has(ALL_METRICS) ? [ALL_METRICS] : [...names]
  const pushIntervalMs = matching.reduce(
    (shortest, { intervalMs }) => Math.min(shortest, intervalMs),
    matching.length === 0 ? DEFAULT_INTERVAL_MS : Number.POSITIVE_INFINITY,
  )
  const told = Buffer.from(`${metrics.join(',')}\n${pushIntervalMs}\n${client.client_instance_id}`)
  return { id: crc32c(told) | 0, metrics, pushIntervalMs }
}
