/**
 * Client metrics for the operators of the cluster (KIP-714, `enable.metrics.push`): asks a broker what it wants to know, and pushes that
 * at the interval it names. Brokers without receivers do not offer the API, and then nothing happens at all. Owned by the core.
 *
 *     asleep ─ a broker is up ─► ask ─► wait a share of the interval ─► push ─► wait ─► push …
 *                                 ▲──────── nothing wanted: an interval later, or the subscription is another one ────┘
 *
 * A handle that closes pushes once more, and says that it is the last time.
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
/** Longest that a handle that closes waits for the answer to its last push. */
const lastPushMs = 1000

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
  /** What the broker wants now; undefined while it wants nothing, or has not said. */
  #subscription: Subscription | undefined
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

  /**
   * Pushes what has come together since the last time, where the broker wants anything, and nothing after it. Resolves when that is answered,
   * when the time is over, at most after a second, or when the signal aborts.
   */
  async terminate(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    const subscription = this.#subscription
    const broker = this.#leastBusy()
    this.close()
    if (subscription === undefined || broker === undefined || timeoutMs <= 0 || signal?.aborted === true)
      return
    const waitMs = Math.min(timeoutMs, lastPushMs)
    await new Promise<void>((resolve) => {
      const end = (): void => {
        timer.cancel()
        signal?.removeEventListener('abort', end)
        resolve()
      }
      const timer = this.#options.runtime.scheduler.schedule('the last push of client metrics', waitMs, end)
      signal?.addEventListener('abort', end)
      this.#send(broker, subscription, true, end)
    })
  }

  close(): void {
    this.#isClosed = true
    this.#subscription = undefined
    this.#timer?.cancel()
  }

  #ask(): void {
    this.#subscription = undefined
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
        const subscription: Subscription = {
          id: response.subscriptionId,
          pushIntervalMs: intervalMs,
          maxBytes: response.telemetryMaxBytes,
          isDelta: response.deltaTemporality,
          compressionType: accepted.includes(CompressionType.gzip)
            ? CompressionType.gzip
            : CompressionType.none,
          prefixes: response.requestedMetrics,
        }
        this.#subscription = subscription
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
    this.#send(broker, subscription, false, (code) => {
      if (this.#isClosed) return
      const isOther =
        code === ErrorCode.UNKNOWN_SUBSCRIPTION_ID || code === ErrorCode.UNSUPPORTED_COMPRESSION_TYPE
      if (isOther) this.#ask()
      else this.#later(subscription.pushIntervalMs, () => this.#push(subscription))
    })
  }

  #send(
    broker: Broker,
    subscription: Subscription,
    isLast: boolean,
    answered: (code: ErrorCode) => void,
  ): void {
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
        terminating: isLast,
        compressionType: subscription.compressionType,
        metrics: metrics.length > subscription.maxBytes ? Buffer.alloc(0) : metrics,
      },
      timeoutMs: config.get('socket.timeout.ms'),
      done: (result) => {
        const code = result.ok ? (result.response.errorCode as ErrorCode) : ErrorCode.NETWORK_EXCEPTION
        logger.debug('telemetry', 'PUSH', `Pushed ${metrics.length} bytes of metrics: ${code}`)
        answered(code)
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
    for (const broker of this.#options.pool.all()) if (takesPushes(broker)) return broker
    return undefined
  }

  /** An answer would wait behind that of a fetch. */
  #leastBusy(): Broker | undefined {
    let best: Broker | undefined
    for (const broker of this.#options.pool.all()) {
      if (!takesPushes(broker)) continue
      if (best === undefined || broker.inFlightCount < best.inFlightCount) best = broker
    }
    return best
  }

  #later(delayMs: number, then: () => void): void {
    if (this.#isClosed) return
    this.#timer?.cancel()
    this.#timer = this.#options.runtime.scheduler.schedule('pushing client metrics', delayMs, then)
  }
}

function takesPushes(broker: Broker): boolean {
  return broker.isUp && broker.versions?.pick(PushTelemetry) !== undefined
}
