/**
 * What every handle is made of: runtime, configuration, log, served events, brokers and metadata. A producer, a consumer
 * or an admin client owns one core and adds what is its own.
 */
import { giveUpAfter } from '../common/runtime/give-up-after.ts'
import { DuplexTransport, type OpenDuplex } from '../common/runtime/node/duplex-transport.ts'
import type { ProcessHold } from '../common/runtime/node/process-hold.ts'
import { createNodeRuntime } from '../common/runtime/node/runtime.ts'
import type { Runtime } from '../common/runtime/runtime.ts'
import type { Timer } from '../common/runtime/scheduler.ts'
import type { ClientHooks } from './client-hooks.ts'
import type { Config } from './config/config.ts'
import { parseBootstrapServers } from './connections/addresses.ts'
import { authenticatorOf } from './connections/authenticator.ts'
import type { Broker } from './connections/broker.ts'
import { BrokerPool } from './connections/broker-pool.ts'
import { brokerSettingsOf } from './connections/broker-settings.ts'
import type { OauthTokens } from './connections/sasl/oauth-tokens.ts'
import { socketOptionsOf } from './connections/socket-options.ts'
import { ClosedError, KafkaError, KafkaException } from './errors.ts'
import { EventQueue, OnceEvent } from './event-queue.ts'
import { type Emitter, EventNotifier } from './events/event-notifier.ts'
import { Logger, LogLevel } from './log.ts'
import { listTopics } from './metadata/list-topics.ts'
import { MetadataRefresher } from './metadata/metadata-refresher.ts'
import { TelemetryPusher } from './telemetry/telemetry-pusher.ts'
import {
  type CallLimits,
  callLimits,
  type ListTopicsOptions,
  type Timeout,
  untilAborted,
} from './timeouts.ts'
import { RequestWatch } from './tracing/request-watch.ts'
import { type ClusterMetadata, ThrottleEvent } from './values/cluster-metadata.ts'

/** A runtime that ends with the handle, where the handle made it. */
interface OwnRuntime extends Runtime {
  readonly processHold?: ProcessHold | undefined
  close?(): void
}

/** What a handle hears of its core; all in turns. */
export interface CoreListener {
  /** A broker came up, or has room for more requests. */
  readonly onRoom: (broker: Broker) => void
  readonly onDown: (broker: Broker, error: KafkaError) => void
  /** The handle, where it has typed events. */
  readonly emitter?: Emitter
}

/** Longest that the first bearer token is waited for. */
const firstTokenMs = 10_000

let lastHandleNumber = 0

export class ClientCore {
  readonly config: Config
  readonly runtime: Runtime
  readonly events: EventQueue
  /** Tells the listeners of typed events. */
  readonly notifier: EventNotifier
  readonly logger: Logger
  readonly pool: BrokerPool
  readonly metadata: MetadataRefresher
  /** `client.id` and a number: the handle in logs and statistics. */
  readonly name: string
  readonly startedMs: number
  readonly #handleKind: string
  readonly #ownRuntime: OwnRuntime | undefined
  /** Of PLAIN and SCRAM; undefined while none are configured. */
  credentials: { readonly username: string; readonly password: string } | undefined
  readonly #tokens: OauthTokens | undefined
  readonly #telemetry: TelemetryPusher
  #statisticsTimer: Timer | undefined
  readonly #closeListeners = new Set<() => void>()
  #isClosed = false

  constructor(config: Config, hooks: ClientHooks, listener: CoreListener) {
    this.config = config
    this.#handleKind = {
      producer: 'Producer',
      consumer: 'Consumer',
      'share-consumer': 'ShareConsumer',
      admin: 'AdminClient',
    }[config.kind]
    const bootstrap = parseBootstrapServers(config.get('bootstrap.servers'), config.get('security.protocol'))
    const isOwnRuntime = hooks.runtime === undefined
    const runtime: OwnRuntime =
      hooks.runtime ??
      createNodeRuntime({
        timersKeepProcessAlive: true,
        areTurnsPrompt: true,
        onBug: (error) =>
          this.logger.log(LogLevel.CRIT, 'BUG', error instanceof Error ? `${error.stack}` : `${error}`),
      })
    this.#ownRuntime = isOwnRuntime ? runtime : undefined
    this.runtime = hooks.connect === undefined ? runtime : withStreams(runtime, hooks.connect)
    const authentication = authenticatorOf(config, {
      runtime: this.runtime,
      credentials: () => this.credentials,
      onError: (error) => this.reportError(error),
    })
    this.#tokens = authentication?.tokens
    this.name = `${config.get('client.id')}#${config.kind}-${++lastHandleNumber}`
    const username = config.get('sasl.username')
    const password = config.get('sasl.password')
    if (username !== undefined && password !== undefined) this.credentials = { username, password }
    this.startedMs = this.runtime.clock.monotonicMs()
    this.events = new EventQueue(this.runtime)
    this.notifier = new EventNotifier(listener.emitter, this.runtime.reactor, () => this.logger)
    this.logger = new Logger({
      name: this.name,
      level: config.get('log_level'),
      debug: config.get('debug'),
      sink: config.get('logger'),
      enqueue: (deliver) => this.events.push(new OnceEvent(deliver)),
      listen: (level, facility, message) => {
        if (!this.notifier.has('log')) return false
        this.notifier.tell('log', { level, facility, message })
        return true
      },
    })
    this.pool = new BrokerPool({
      settings: {
        ...brokerSettingsOf(config, this.runtime.random),
        runtime: this.runtime,
        watch: new RequestWatch({
          notifier: this.notifier,
          clock: this.runtime.clock,
          clientId: config.get('client.id'),
          isAdmin: config.kind === 'admin',
          hooks,
        }),
        authenticator: authentication?.authenticator,
        socket: socketOptionsOf(config, this.runtime.files, hooks.checkServerIdentity),
      },
      bootstrap,
      mayRebootstrap: config.get('metadata.recovery.strategy') === 'rebootstrap',
      onRoom: (broker) => listener.onRoom(broker),
      onUp: (broker) => {
        this.logger.debug('broker', 'CONNECTED', `${broker.name}: connected`)
        this.#telemetry.brokerUp(broker)
        listener.onRoom(broker)
      },
      onDown: (broker, error) => {
        this.metadata.refreshSoon(`${broker.name} is down`)
        listener.onDown(broker, error)
      },
      onThrottled: (broker, throttleMs) => this.#throttled(broker, throttleMs),
      onError: (error) => this.reportError(error),
    })
    this.#telemetry = new TelemetryPusher({
      runtime: this.runtime,
      config,
      pool: this.pool,
      logger: this.logger,
    })
    this.metadata = new MetadataRefresher({
      runtime: this.runtime,
      config,
      pool: this.pool,
      logger: this.logger,
    })
    for (const { level, message } of config.notices) {
      if (level === 'warning') this.logger.log(LogLevel.WARNING, 'CONFWARN', message)
      else this.logger.debug('conf', 'CONF', message)
    }
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /**
   * The handle, once its connections can authenticate: with OAUTHBEARER after the first token, at most ten seconds. Without one
   * the handle is closed, and this rejects with `SASL_AUTHENTICATION_FAILED`.
   */
  async whenReady<Handle extends { close(): Promise<unknown> }>(handle: Handle): Promise<Handle> {
    try {
      await this.#firstToken()
    } catch (error) {
      await handle.close()
      throw error
    }
    return handle
  }

  async #firstToken(): Promise<void> {
    const token = this.#tokens?.current()
    if (token === undefined) return
    const failed = (text: string, cause?: unknown): KafkaException =>
      new KafkaException(new KafkaError(KafkaError.SASL_AUTHENTICATION_FAILED, text), { cause })
    const given = token.catch((error: unknown) => {
      throw failed(error instanceof Error ? error.message : String(error), error)
    })
    await giveUpAfter(this.runtime.scheduler, given, {
      label: 'waiting for the first token',
      limitMs: firstTokenMs,
      reason: () => failed('No bearer token within ten seconds'),
    })
  }

  /** Whether timers and connections keep the process alive, as they do at first. A runtime that was given to the handle is left alone. */
  keepProcessAlive(isKept: boolean): void {
    this.checkOpen()
    const hold = this.#ownRuntime?.processHold
    if (isKept) hold?.ref()
    else hold?.unref()
  }

  /** An error of time that is over. Its text names what keeps every broker away, where that is so. */
  lateError(code: number, text: string = new KafkaError(code).str()): KafkaError {
    const { outage } = this.pool
    return new KafkaError(code, outage === undefined ? text : `${text}: ${outage}`)
  }

  /** Throws ClosedError after `close`. */
  checkOpen(): void {
    if (this.#isClosed) throw new ClosedError(`${this.#handleKind} has been closed`)
  }

  /** For PLAIN and SCRAM, from the next authentication on. Other mechanisms keep them without use. */
  setSaslCredentials(username: string, password: string): void {
    this.checkOpen()
    if (typeof username !== 'string' || typeof password !== 'string') {
      throw new TypeError('username and password must be strings')
    }
    this.credentials = { username, password }
  }

  /** Queues an informational error for `error_cb`; without one it is logged. */
  reportError(error: KafkaError): void {
    if (this.#isClosed) return
    const callback = this.config.get('error_cb')
    if (callback !== undefined) this.events.push(new OnceEvent(() => callback(error)))
    if (this.notifier.has('error')) {
      this.notifier.tell('error', new KafkaException(error))
      return
    }
    const isConnection = error.code() === KafkaError._TRANSPORT
    if (isConnection && !this.config.get('log.connection.close')) return
    if (callback === undefined) this.logger.log(LogLevel.ERR, error.name(), error.str())
  }

  /** Makes the documents of `stats_cb`, one every `statistics.interval.ms`. */
  startStatistics(document: () => object): void {
    const intervalMs = this.config.get('statistics.interval.ms')
    const callback = this.config.get('stats_cb')
    if (intervalMs === 0) return
    const emit = (): void => {
      if (callback !== undefined || this.notifier.has('stats')) {
        const json = JSON.stringify(document())
        if (callback !== undefined) this.events.push(new OnceEvent(() => callback(json)))
        this.notifier.tell('stats', json)
      }
      this.#statisticsTimer = this.runtime.scheduler.schedule('statistics', intervalMs, emit)
    }
    this.#statisticsTimer = this.runtime.scheduler.schedule('statistics', intervalMs, emit)
  }

  /** `listTopics` of all handles. */
  async listTopics(
    topicOrOptions?: string | null | ListTopicsOptions,
    timeout?: Timeout,
  ): Promise<ClusterMetadata> {
    this.checkOpen()
    if (typeof topicOrOptions === 'object' && topicOrOptions !== null && !Array.isArray(topicOrOptions)) {
      if (timeout !== undefined) throw new TypeError('options and a timeout exclude each other')
      const { topic: name, ...limits } = topicOrOptions
      return await this.listTopics(name, limits)
    }
    const topic = topicOrOptions
    if (topic !== undefined && topic !== null && typeof topic !== 'string') {
      throw new TypeError('topic must be a string')
    }
    const limits = callLimits(timeout)
    return await untilAborted(limits.signal, () => listTopics(this, topic ?? null, limits))
  }

  /** Called once, when the handle is closed. @returns a function that stops listening */
  onClose(listener: () => void): () => void {
    this.#closeListeners.add(listener)
    return () => this.#closeListeners.delete(listener)
  }

  /** Resolves when the time is over, the signal aborts, or the handle is closed. */
  pause(label: string, delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        timer.cancel()
        signal?.removeEventListener('abort', wake)
        this.#closeListeners.delete(wake)
        resolve()
      }
      const timer = this.runtime.scheduler.schedule(label, delayMs, wake)
      this.#closeListeners.add(wake)
      signal?.addEventListener('abort', wake)
      if (this.#isClosed || signal?.aborted === true) wake()
    })
  }

  /** Tells the operators of the cluster a last time (KIP-714), for a second at most; returns at once where they want to know nothing. */
  async pushLastMetrics({ timeoutMs, signal }: CallLimits): Promise<void> {
    await this.#telemetry.terminate(timeoutMs, signal)
  }

  /** Ends connections and timers. Idempotent. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#statisticsTimer?.cancel()
    this.#tokens?.close()
    this.#telemetry.close()
    this.metadata.close()
    this.pool.close()
    this.events.close()
    for (const wake of [...this.#closeListeners]) wake()
    // Closing links still need a turn of their own.
    this.runtime.reactor.post(() => this.#ownRuntime?.close?.())
  }

  #throttled(broker: Broker, throttleMs: number): void {
    const callback = this.config.get('throttle_cb')
    if (callback === undefined && !this.notifier.has('throttle')) return
    const event = new ThrottleEvent(broker.name, broker.nodeId, throttleMs / 1000)
    if (callback !== undefined) this.events.push(new OnceEvent(() => callback(event)))
    this.notifier.tell('throttle', event)
  }
}

/** The same world, but for the way to brokers. */
function withStreams(runtime: Runtime, open: OpenDuplex): Runtime {
  const { clock, scheduler, random, files, reactor, trace } = runtime
  return { clock, scheduler, random, files, reactor, trace, transport: new DuplexTransport(open, runtime) }
}
