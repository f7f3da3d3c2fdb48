/**
 * Client metrics for the operators of the cluster (KIP-714, `enable.metrics.push`): asks a broker what it wants to know, and pushes that
 * at the interval it names. Brokers without receivers do not offer the API, and then nothing happens at all. Owned by the core.
 *
 *     asleep ─ a broker is up ─► ask ─► wait a share of the interval ─► push ─► wait ─► push …
 *                                 ▲──────── nothing wanted: an interval later, or the subscription is another one ────┘
 */
import { GetTelemetrySubscriptions } from '../../common/protocol/apis/71-get-telemetry-subscriptions.ts'
import { PushTelemetry } from '../../common/protocol/apis/72-push-telemetry.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { ZERO_UUID } from '../../common/protocol/schema.ts'
import { CompressionType, codecOf } from '../../common/record/codecs.ts'
import type { Runtime } from '../../common/runtime/runtime.ts'
import type { Timer } from '../../common/runtime/scheduler.ts'
import type { Config } from '../config/config.ts'
import type { Broker } from '../connections/broker.ts'
import type { BrokerPool } from '../connections/broker-pool.ts'
import type { Logger } from '../log.ts'
import { encodeMetrics, type Metric } from './otlp.ts'

/** Pause after what failed, and where nothing is said about it. */
const retryMs = 30_000
/** The first push comes after a random share of the interval, so that clients of one restart do not push at once. */
const firstShareFrom = 0.5
const firstShareUntil = 1.5

interface Subscription {
  readonly id: number
  readonly pushIntervalMs: number
  readonly maxBytes: number
  readonly isDelta: boolean
  readonly compressionType: number
  readonly prefixes: readonly string[]
}

export interface TelemetryPusherOptions {
  readonly runtime: Runtime
  readonly config: Config
  readonly pool: BrokerPool
  readonly logger: Logger
}

export class TelemetryPusher {
  readonly #options: TelemetryPusherOptions
  readonly #prefix: string
  #instanceId = ZERO_UUID
  #isBegun = false
  #timer: Timer | undefined
  #isClosed = false
  #sinceWallMs: number
  #connectsBefore = 0

  constructor(options: TelemetryPusherOptions) {
    this.#options = options
    const kind = options.config.kind === 'producer' ? 'producer' : 'consumer'
    this.#prefix = `org.apache.kafka.${kind}.`
    this.#sinceWallMs = options.runtime.clock.wallMs()
  }

  /** A broker is up: the first that has the API is asked. */
  brokerUp(broker: Broker): void {
    const { config } = this.#options
    // The metrics of KIP-714 are those of producers and consumers.
    if (this.#isBegun || !config.get('enable.metrics.push') || config.kind === 'admin') return
    if (broker.versions?.pick(GetTelemetrySubscriptions) === undefined) return
    this.#isBegun = true
    this.#ask()
  }

  /** Connections end with the handle, so there is no push of the last moment. */
  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
  }

  #ask(): void {
    const broker = this.#connected()
    if (broker === undefined) {
      this.#later(retryMs, () => this.#ask())
      return
    }
    broker.request({
      api: GetTelemetrySubscriptions,
      body: { clientInstanceId: this.#instanceId },
      timeoutMs: this.#options.config.get('socket.timeout.ms'),
      done: (result) => {
        if (this.#isClosed) return
        if (!result.ok || result.response.errorCode !== ErrorCode.NONE) {
          this.#later(retryMs, () => this.#ask())
          return
        }
        const { response } = result
        this.#instanceId = response.clientInstanceId
        const intervalMs = Math.max(1, response.pushIntervalMs)
        if (response.requestedMetrics.length === 0) {
          this.#later(intervalMs, () => this.#ask())
          return
        }
        const accepted = response.acceptedCompressionTypes
        const subscription = {
          id: response.subscriptionId,
          pushIntervalMs: intervalMs,
          maxBytes: response.telemetryMaxBytes,
          isDelta: response.deltaTemporality,
          compressionType: accepted.includes(CompressionType.gzip)
            ? CompressionType.gzip
            : CompressionType.none,
          prefixes: response.requestedMetrics,
        }
        const share =
          firstShareFrom + this.#options.runtime.random.float() * (firstShareUntil - firstShareFrom)
        this.#later(intervalMs * share, () => this.#push(subscription))
      },
    })
  }

  #push(subscription: Subscription): void {
    const broker = this.#connected()
    if (broker === undefined) {
      this.#later(retryMs, () => this.#push(subscription))
      return
    }
    const { runtime, config, logger } = this.#options
    const wallMs = runtime.clock.wallMs()
    const plain = encodeMetrics(this.#collect(subscription, wallMs), {
      resource: this.#resource(),
      startWallMs: this.#sinceWallMs,
      wallMs,
      isDelta: subscription.isDelta,
    })
    if (subscription.isDelta) this.#sinceWallMs = wallMs
    const codec = codecOf(subscription.compressionType)
    const metrics = codec?.compress(plain, codec.defaultLevel) ?? plain
    broker.request({
      api: PushTelemetry,
      body: {
        clientInstanceId: this.#instanceId,
        subscriptionId: subscription.id,
        terminating: false,
        compressionType: subscription.compressionType,
        metrics: metrics.length > subscription.maxBytes ? Buffer.alloc(0) : metrics,
      },
      timeoutMs: config.get('socket.timeout.ms'),
      done: (result) => {
        if (this.#isClosed) return
        const code = result.ok ? result.response.errorCode : ErrorCode.NETWORK_EXCEPTION
        logger.debug('telemetry', 'PUSH', `Pushed ${metrics.length} bytes of metrics: ${code}`)
        const isOther =
          code === ErrorCode.UNKNOWN_SUBSCRIPTION_ID || code === ErrorCode.UNSUPPORTED_COMPRESSION_TYPE
        if (isOther) this.#ask()
        else this.#later(subscription.pushIntervalMs, () => this.#push(subscription))
      },
    })
  }

  #collect({ prefixes, isDelta }: Subscription, wallMs: number): Metric[] {
    const isWanted = (name: string): boolean =>
      prefixes.some((prefix) => prefix === '' || prefix === '*' || name.startsWith(prefix))
    const point = (value: number, attributes: Readonly<Record<string, string>> = {}) => ({
      value,
      attributes,
    })
    let connects = 0
    const latencies = { avg: [] as ReturnType<typeof point>[], max: [] as ReturnType<typeof point>[] }
    const queueTimes = { avg: [] as ReturnType<typeof point>[], max: [] as ReturnType<typeof point>[] }
    for (const { metrics, nodeId } of this.#options.pool.all()) {
      connects += metrics.connects
      const node = { 'node.id': String(nodeId) }
      for (const [totals, into] of [
        [metrics.requestTimes, latencies],
        [metrics.queueTimes, queueTimes],
      ] as const) {
        const taken = totals.take()
        if (taken === undefined || nodeId < 0) continue
        into.avg.push(point(taken.average, node))
        into.max.push(point(taken.max, node))
      }
    }
    const created = connects - this.#connectsBefore
    const seconds = Math.max(0.001, (wallMs - this.#sinceWallMs) / 1000)
    if (isDelta) this.#connectsBefore = connects
    const gauge = (name: string, points: Metric['points']): Metric => ({ name, isSum: false, points })
    const all: Metric[] = [
      { name: 'connection.creation.total', isSum: true, points: [point(isDelta ? created : connects)] },
      gauge('connection.creation.rate', [point(created / seconds)]),
      gauge('node.request.latency.avg', latencies.avg),
      gauge('node.request.latency.max', latencies.max),
      gauge('record.queue.time.avg', queueTimes.avg),
      gauge('record.queue.time.max', queueTimes.max),
    ]
    return all
      .map((metric) => ({ ...metric, name: this.#prefix + metric.name }))
      .filter(({ name, points }) => points.length > 0 && isWanted(name))
  }

  #resource(): Record<string, string> {
    const { config } = this.#options
    const known: Record<string, string> = {}
    const add = (name: string, text: string | undefined): void => {
      if (text !== undefined && text !== '') known[name] = text
    }
    add('client_rack', config.get('client.rack'))
    if (config.kind === 'producer') add('transactional_id', config.get('transactional.id'))
    else {
      add('group_id', config.get('group.id'))
      add('group_instance_id', config.get('group.instance.id'))
    }
    return known
  }

  #connected(): Broker | undefined {
    for (const broker of this.#options.pool.all()) {
      if (broker.isUp && broker.versions?.pick(PushTelemetry) !== undefined) return broker
    }
    return undefined
  }

  #later(delayMs: number, then: () => void): void {
    if (this.#isClosed) return
    this.#timer?.cancel()
    this.#timer = this.#options.runtime.scheduler.schedule('pushing client metrics', delayMs, then)
  }
}
