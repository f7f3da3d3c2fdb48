/**
 * The client quotas of one broker: what its clients produce, fetch, ask and change is counted, and whoever is above a quota is told for
 * how long it will not be heard (KIP-13, KIP-124, KIP-219, KIP-599); so is how often addresses connect (KIP-612).
 *
 * Owner: the broker. Follows the quotas in the metadata image. Invariants: what is above a quota has been done and counts, only a fetch
 * is answered empty and its bytes are taken back; of several quotas the longest time holds. Each broker counts for itself. Without
 * quotas a request costs one look at `isActive`.
 * Limits: time above `request_percentage` and `connection_creation_rate` holds one window at most.
 */
import { Produce } from '../../common/protocol/apis/00-produce.ts'
import { WriteTxnMarkers } from '../../common/protocol/apis/27-write-txn-markers.ts'
import type { Clock } from '../../common/runtime/clock.ts'
import type { MetadataDelta, MetadataImage, MetadataListener, QuotaImage } from '../metadata/image.ts'
import { BucketQuota, type MutationQuota, NO_MUTATION_QUOTA } from './mutation-quota.ts'
import { QuotaCounters } from './quota-counters.ts'
import { QuotaLimits } from './quota-limits.ts'
import { SampledRate } from './sampled-rate.ts'
import type { RateWindows } from './sampled-windows.ts'
import { TokenBucket } from './token-bucket.ts'

/** What is known of a request that is to be counted. */
export interface MeteredRequest {
  readonly apiKey: number
  readonly principal: { readonly name: string }
  readonly clientId: string
  /** Monotonic time of arrival. */
  readonly receivedMs: number
  /** How long its handler ran; absent while it still does. */
  handlingMs?: number
  /** Decided already, by its handler or by the broker that it was passed on to. Afterwards: for how long its connection is muted. */
  throttleTimeMs?: number
  /** What it may take of its client's quota on topic changes. */
  mutationQuota?: MutationQuota
}

export interface ClientQuotasOptions {
  readonly clock: Clock
  /** quota.window.num, quota.window.size.seconds */
  readonly windows: RateWindows
  /** controller.quota.window.num, controller.quota.window.size.seconds */
  readonly mutationWindows: RateWindows
}

/** One kind of quota that is a rate. */
class RateQuota {
  limits: QuotaLimits
  readonly #key: string
  readonly #counters: QuotaCounters<SampledRate>

  constructor(key: string, windows: RateWindows) {
    this.#key = key
    this.limits = new QuotaLimits([], key)
    this.#counters = new QuotaCounters(() => new SampledRate(windows))
  }

  follow(quotas: Iterable<QuotaImage>): void {
    this.limits = new QuotaLimits(quotas, this.#key)
  }

  /** Counts, also what is too much. @returns for how long the client is to be held back */
  record({ principal, clientId }: MeteredRequest, value: number, nowMs: number): number {
    const found = this.limits.of(principal.name, clientId)
    if (found === undefined) return 0
    const rate = this.#counters.of(found.counter, nowMs)
    rate.record(value, nowMs)
    return rate.throttleTimeMs(found.limit, nowMs)
  }
}

export class ClientQuotas implements MetadataListener {
  readonly #options: ClientQuotasOptions
  readonly #produce: RateQuota
  readonly #fetch: RateQuota
  readonly #request: RateQuota
  /** connection_creation_rate by address; null: of those that have none of their own. */
  #connectionLimits = new Map<string | null, number>()
  readonly #connections: QuotaCounters<SampledRate>
  #mutations = new QuotaLimits([], 'controller_mutation_rate')
  readonly #buckets: QuotaCounters<TokenBucket>
  #isActive = false

  constructor(options: ClientQuotasOptions) {
    const { windows, mutationWindows } = options
    this.#options = options
    this.#produce = new RateQuota('producer_byte_rate', windows)
    this.#fetch = new RateQuota('consumer_byte_rate', windows)
    this.#request = new RateQuota('request_percentage', windows)
    this.#connections = new QuotaCounters(() => new SampledRate(windows))
    this.#buckets = new QuotaCounters(() => new TokenBucket(mutationWindows))
  }

  /** Whether anybody's requests are to be counted. */
  get isActive(): boolean {
    return this.#isActive
  }

  onMetadata({ quotas }: MetadataImage, delta: MetadataDelta): void {
    if (!delta.changedQuotas) return
    this.#connectionLimits = connectionLimits(quotas.values())
    const all = [...quotas.values()].filter(({ parts }) => !parts.has('ip'))
    this.#produce.follow(all)
    this.#fetch.follow(all)
    this.#request.follow(all)
    this.#mutations = new QuotaLimits(all, 'controller_mutation_rate')
    this.#isActive = all.length > 0
  }

  /**
   * Counts a request that is answered, and remembers in it for how long its connection is to be muted.
   * @param sizeBytes of the whole request
   * @param isSilent it has no answer (Produce with acks=0): its time does not count
   * @returns how long its client is to be held back
   */
  meter(request: MeteredRequest, sizeBytes: number, isSilent: boolean): number {
    request.throttleTimeMs ??= Math.max(
      request.apiKey === Produce.key ? this.#produce.record(request, sizeBytes, this.#nowMs()) : 0,
      isSilent || request.apiKey === WriteTxnMarkers.key ? 0 : this.#meterTime(request),
      request.mutationQuota?.throttleTimeMs() ?? 0,
    )
    return request.throttleTimeMs
  }

  /**
   * Counts the answer of a consumer's fetch. When it is too much it does not count, since it is not given: the answer is to be empty.
   * @param sizeBytes of the whole answer; asked only when it is of interest
   * @returns how long its client is to be held back
   */
  meterFetch(request: MeteredRequest, sizeBytes: () => number): number {
    const nowMs = this.#nowMs()
    let throttleTimeMs = this.#meterTime(request)
    if (this.#fetch.limits.of(request.principal.name, request.clientId) !== undefined) {
      const bytes = sizeBytes()
      throttleTimeMs = Math.max(throttleTimeMs, this.#fetch.record(request, bytes, nowMs))
      if (throttleTimeMs > 0) this.#fetch.record(request, -bytes, nowMs)
    }
    request.throttleTimeMs = throttleTimeMs
    return throttleTimeMs
  }

  /** The most that a fetch may return without being above its quota in any case, after silence. */
  maxFetchBytes({ principal, clientId }: MeteredRequest): number {
    const { windowCount, windowMs } = this.#options.windows
    const found = this.#fetch.limits.of(principal.name, clientId)
    if (found === undefined) return Number.POSITIVE_INFINITY
    return Math.floor((found.limit * (windowCount - 1) * windowMs) / 1000)
  }

  /**
   * What a request may take of its client's quota on topic changes.
   * @param isStrict its version knows THROTTLING_QUOTA_EXCEEDED
   */
  mutationQuota(request: MeteredRequest, isStrict: boolean): MutationQuota {
    const found = this.#mutations.of(request.principal.name, request.clientId)
    if (found === undefined) return NO_MUTATION_QUOTA
    const { clock } = this.#options
    const bucket = this.#buckets.of(found.counter, this.#nowMs())
    request.mutationQuota = new BucketQuota({ clock, bucket, limit: found.limit, isStrict })
    return request.mutationQuota
  }

  /**
   * Counts a connection that is made; one that is too much does not count, since it is not taken.
   * @param address of the client, as text
   * @returns 0 when it may be taken, otherwise after how long it is to be closed
   */
  meterConnection(address: string): number {
    const limit = this.#connectionLimits.get(address) ?? this.#connectionLimits.get(null)
    if (limit === undefined) return 0
    const nowMs = this.#nowMs()
    const rate = this.#connections.of(address, nowMs)
    rate.record(1, nowMs)
    const throttleTimeMs = rate.throttleTimeMs(limit, nowMs)
    if (throttleTimeMs > 0) rate.record(-1, nowMs)
    return Math.min(throttleTimeMs, this.#options.windows.windowMs)
  }

  /** In percent of one processor, as Kafka counts its threads; held back for one window at most. */
  #meterTime(request: MeteredRequest): number {
    if (this.#request.limits.isEmpty) return 0
    const nowMs = this.#nowMs()
    const handlingMs = request.handlingMs ?? nowMs - request.receivedMs
    return Math.min(this.#request.record(request, handlingMs / 10, nowMs), this.#options.windows.windowMs)
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs()
  }
}

function connectionLimits(quotas: Iterable<QuotaImage>): Map<string | null, number> {
  const limits = new Map<string | null, number>()
  for (const { parts, values } of quotas) {
    const address = parts.get('ip')
    const limit = values.get('connection_creation_rate')
    if (address !== undefined && limit !== undefined) limits.set(address, limit)
  }
  return limits
}
