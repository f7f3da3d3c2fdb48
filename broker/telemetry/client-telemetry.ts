/**
 * Metrics that clients push to this broker (KIP-714): who is asked for what, how often, and the last push of each client.
 *
 * Owner: the broker. Follows the client-metrics resources in the metadata image. Limits: `MAX_CLIENT_INSTANCES` clients are remembered,
 * the least recently heard of is forgotten first; pushes are kept up to `MAX_STORED_BYTES` together, the oldest go first. Nothing
 * is durable.
 */
import { LRUCache } from 'lru-cache'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { ZERO_UUID } from '../../common/protocol/schema.ts'
import { CompressionType, codecOf } from '../../common/record/codecs.ts'
import type { Clock } from '../../common/runtime/clock.ts'
import type { Random } from '../../common/runtime/random.ts'
import {
  ConfigResourceType,
  type MetadataDelta,
  type MetadataImage,
  type MetadataListener,
} from '../metadata/image.ts'
import { ClientInstance } from './client-instance.ts'
import {
  type ClientAttributes,
  type ClientSubscription,
  subscriptionFor,
  subscriptionsOf,
  type TelemetrySubscription,
} from './subscriptions.ts'

/** As many as Kafka remembers. */
export const MAX_CLIENT_INSTANCES = 16_384
/** Sixteen pushes of the largest size that is accepted by default. */
export const MAX_STORED_BYTES = 16 * 1024 * 1024
/** A client that was silent for this long, or three of its intervals if that is longer, is forgotten. */
const MIN_EXPIRY_MS = 60_000
const EXPIRY_INTERVALS = 3
/** Kafka keeps these two for itself. */
const RESERVED_INSTANCE_IDS: ReadonlySet<string> = new Set([ZERO_UUID, 'AAAAAAAAAAAAAAAAAAAAAQ'])

/** In the order of Kafka's preference. */
export const ACCEPTED_COMPRESSION_TYPES: readonly number[] = [
  CompressionType.zstd,
  CompressionType.lz4,
  CompressionType.gzip,
  CompressionType.snappy,
]

export type TelemetryClient = Omit<ClientAttributes, 'client_instance_id'>

export interface TelemetryRequest {
  readonly clientInstanceId: string
  readonly subscriptionId: number
  readonly terminating: boolean
  readonly compressionType: number
  /** Borrowed. */
  readonly metrics: Buffer
}

/** The last metrics of a client: OpenTelemetry's `MetricsData`, decompressed. */
export interface TelemetryPush {
  readonly clientInstanceId: string
  readonly client: TelemetryClient
  readonly wallMs: number
  readonly isTerminating: boolean
  readonly metrics: Buffer
}

export type SubscriptionAnswer =
  | { readonly error: 0; readonly clientInstanceId: string; readonly subscription: ClientSubscription }
  | { readonly error: Exclude<ErrorCode, 0> }

export interface ClientTelemetryOptions {
  readonly clock: Clock
  readonly random: Random
  readonly image: MetadataImage
  /** `telemetry.max.bytes` */
  readonly maxPushBytes: () => number
}

export class ClientTelemetry implements MetadataListener {
  readonly #options: ClientTelemetryOptions
  /** Made for the first client: a cache of this size takes milliseconds to set up, and most brokers of tests never hear of telemetry. */
  #instanceCache: LRUCache<string, ClientInstance> | undefined
  #pushCache: LRUCache<string, TelemetryPush> | undefined
  #subscriptions: readonly TelemetrySubscription[]
  #subscriptionsVersion = 0

  constructor(options: ClientTelemetryOptions) {
    this.#options = options
    this.#subscriptions = subscriptionsOf(options.image)
  }

  get #instances(): LRUCache<string, ClientInstance> {
    const { clock } = this.#options
    // With a resolution of 0 the cache keeps no timer of its own.
    this.#instanceCache ??= new LRUCache({
      max: MAX_CLIENT_INSTANCES,
      ttl: MIN_EXPIRY_MS,
      ttlResolution: 0,
      perf: { now: () => clock.monotonicMs() },
    })
    return this.#instanceCache
  }

  get #pushes(): LRUCache<string, TelemetryPush> {
    this.#pushCache ??= new LRUCache({
      max: MAX_CLIENT_INSTANCES,
      maxSize: MAX_STORED_BYTES,
      sizeCalculation: ({ metrics }) => Math.max(1, metrics.length),
    })
    return this.#pushCache
  }

  get maxPushBytes(): number {
    return this.#options.maxPushBytes()
  }

  /** The last push of each client that is still kept, latest first. */
  get pushes(): readonly TelemetryPush[] {
    return this.#pushCache === undefined ? [] : [...this.#pushCache.values()]
  }

  onMetadata(image: MetadataImage, delta: MetadataDelta): void {
    const prefix = `${ConfigResourceType.CLIENT_METRICS}\n`
    if (![...delta.changedConfigs].some((key) => key.startsWith(prefix))) return
    this.#subscriptions = subscriptionsOf(image)
    this.#subscriptionsVersion += 1
  }

  /** GetTelemetrySubscriptions. A client without an id gets one. */
  subscribe(client: TelemetryClient, clientInstanceId: string): SubscriptionAnswer {
    const id = clientInstanceId === ZERO_UUID ? this.#options.random.uuid() : clientInstanceId
    const instance = this.#instanceOf(client, id)
    if (!instance.tryGet(this.#nowMs())) {
      instance.lastError = ErrorCode.THROTTLING_QUOTA_EXCEEDED
      return { error: ErrorCode.THROTTLING_QUOTA_EXCEEDED }
    }
    instance.lastError = ErrorCode.NONE
    return { error: ErrorCode.NONE, clientInstanceId: id, subscription: instance.subscription }
  }

  /** PushTelemetry. */
  push(client: TelemetryClient, request: TelemetryRequest): ErrorCode {
    if (RESERVED_INSTANCE_IDS.has(request.clientInstanceId)) return ErrorCode.INVALID_REQUEST
    const instance = this.#instanceOf(client, request.clientInstanceId)
    instance.lastError = this.#pushProblem(instance, request) ?? this.#store(client, request)
    // Kafka takes over the flag even of a push that it refused because of the flag before it.
    instance.isTerminating = request.terminating
    return instance.lastError
  }

  #pushProblem(instance: ClientInstance, request: TelemetryRequest): Exclude<ErrorCode, 0> | undefined {
    if (instance.isTerminating) return ErrorCode.INVALID_REQUEST
    // The last push may come early: the client is about to close.
    if (!instance.tryPush(this.#nowMs()) && !request.terminating) return ErrorCode.THROTTLING_QUOTA_EXCEEDED
    if (request.subscriptionId !== instance.subscription.id) return ErrorCode.UNKNOWN_SUBSCRIPTION_ID
    if (codecOf(request.compressionType) === null) return ErrorCode.UNSUPPORTED_COMPRESSION_TYPE
    return request.metrics.length > this.maxPushBytes ? ErrorCode.TELEMETRY_TOO_LARGE : undefined
  }

  #store(client: TelemetryClient, request: TelemetryRequest): ErrorCode {
    if (request.metrics.length === 0) return ErrorCode.NONE
    const metrics = codecOf(request.compressionType)?.decompress(request.metrics, this.maxPushBytes)
    if (!Buffer.isBuffer(metrics)) return ErrorCode.INVALID_RECORD
    this.#pushes.set(request.clientInstanceId, {
      clientInstanceId: request.clientInstanceId,
      client,
      wallMs: this.#options.clock.wallMs(),
      isTerminating: request.terminating,
      // The request's buffer is the connection's.
      metrics: Buffer.from(metrics),
    })
    return ErrorCode.NONE
  }

  #instanceOf(client: TelemetryClient, id: string): ClientInstance {
    const known = this.#instances.get(id)
    const isCurrent = known !== undefined && known.subscriptionsVersion === this.#subscriptionsVersion
    const instance = isCurrent ? known : this.#newInstance(client, id)
    const ttl = Math.max(MIN_EXPIRY_MS, EXPIRY_INTERVALS * instance.subscription.pushIntervalMs)
    this.#instances.set(id, instance, { ttl })
    return instance
  }

  #newInstance(client: TelemetryClient, id: string): ClientInstance {
    const subscription = subscriptionFor(this.#subscriptions, { ...client, client_instance_id: id })
    return new ClientInstance(id, subscription, this.#subscriptionsVersion)
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs()
  }
}
