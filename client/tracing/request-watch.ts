/**
 * Watches connections and requests for those who listen: tracing channels and the events `connect`, `disconnect`,
 * `request`, `request-timeout` and `fetch`. One per handle, asked by its brokers before each request; answers undefined while nobody is interested.
 */
import type { FetchResponse } from '../../common/protocol/apis/01-fetch.ts'
import type { ApiSchema } from '../../common/protocol/schema.ts'
import type { Clock } from '../../common/runtime/clock.ts'
import type { Address } from '../../common/runtime/transport.ts'
import type { RequestHooks, RequestStart } from '../client-hooks.ts'
import type { RequestResult } from '../connections/request.ts'
import { KafkaError, KafkaException } from '../errors.ts'
import type { FetchEvent, RequestEvent } from '../events/event-maps.ts'
import type { EventNotifier } from '../events/event-notifier.ts'
import { channels, type RequestContext, Trace } from './channels.ts'

export type RequestEnd = (result: RequestResult<ApiSchema>) => void

/** What is told of a broker. */
export interface WatchedBroker {
  readonly nodeId: number
  readonly address: Address
}

export interface RequestWatchOptions {
  readonly notifier: EventNotifier
  readonly clock: Clock
  readonly clientId: string
  readonly isAdmin: boolean
  readonly hooks?: RequestHooks
}

const groupApis: ReadonlySet<string> = new Set([
  'JoinGroup',
  'SyncGroup',
  'Heartbeat',
  'LeaveGroup',
  'ConsumerGroupHeartbeat',
  'ShareGroupHeartbeat',
])
const commitApis: ReadonlySet<string> = new Set(['OffsetCommit', 'TxnOffsetCommit', 'ShareAcknowledge'])
const fetchApis: ReadonlySet<string> = new Set(['Fetch', 'ShareFetch'])
/** What every handle asks for its own purposes. */
const commonApis: ReadonlySet<string> = new Set(['ApiVersions', 'Metadata', 'FindCoordinator'])

export class RequestWatch {
  readonly #options: RequestWatchOptions

  constructor(options: RequestWatchOptions) {
    this.#options = options
  }

  /** @returns what to call with the result; undefined when nobody wants to know */
  begin(broker: WatchedBroker, api: ApiSchema): RequestEnd | undefined {
    const { notifier, clock, hooks = {} } = this.#options
    const { beforeRequest, afterRequest } = hooks
    const ownChannel = this.#channelOf(api.name)
    const isTold = notifier.has('request') || notifier.has('request-timeout')
    const isFetch = api.name === 'Fetch' && notifier.has('fetch')
    const isTraced = channels.request.hasSubscribers || ownChannel?.hasSubscribers === true
    const isHooked = beforeRequest !== undefined || afterRequest !== undefined
    if (!isTold && !isFetch && !isTraced && !isHooked) return undefined
    if (beforeRequest !== undefined) this.#guard(() => beforeRequest(this.#start(broker, api)))
    const startedMs = clock.monotonicMs()
    const context = (): RequestContext => this.#context(broker, api)
    const traces = [
      Trace.begin(channels.request, context),
      ownChannel === undefined ? undefined : Trace.begin(ownChannel, context),
    ]
    return (result) => {
      const durationMs = clock.monotonicMs() - startedMs
      const error = result.ok ? null : result.error
      for (const trace of traces) {
        if (error === null) trace?.succeeded(result.ok ? result.response : undefined)
        else trace?.failed(new KafkaException(error))
      }
      if (afterRequest !== undefined) {
        this.#guard(() => afterRequest({ ...this.#start(broker, api), durationMs, error }))
      }
      if (isTold) this.#tell({ ...this.#start(broker, api), durationMs, error })
      if (isFetch && result.ok) {
        notifier.tell('fetch', fetchEvent(broker, result.response as unknown as FetchResponse, durationMs))
      }
    }
  }

  /** @returns undefined when nobody traces */
  connecting(broker: WatchedBroker): Trace | undefined {
    return Trace.begin(channels.connection, () => {
      const { host, port } = broker.address
      const { clientId } = this.#options
      const attributes = {
        'messaging.system': 'kafka',
        'messaging.client.id': clientId,
        'server.address': host,
        'server.port': port,
      }
      return { operation: 'connect', clientId, host, port, attributes }
    })
  }

  connected(broker: WatchedBroker): void {
    const { host, port } = broker.address
    this.#options.notifier.tell('connect', { nodeId: broker.nodeId, host, port })
  }

  disconnected(broker: WatchedBroker, error: KafkaError): void {
    const { host, port } = broker.address
    this.#options.notifier.tell('disconnect', { nodeId: broker.nodeId, host, port }, error)
  }

  #channelOf(apiName: string): (typeof channels)['fetch'] | undefined {
    if (fetchApis.has(apiName)) return channels.fetch
    if (groupApis.has(apiName)) return channels.group
    if (commitApis.has(apiName)) return channels.commit
    return this.#options.isAdmin && !commonApis.has(apiName) ? channels.admin : undefined
  }

  #context(broker: WatchedBroker, api: ApiSchema): RequestContext {
    const { host, port } = broker.address
    const { clientId } = this.#options
    return {
      operation: api.name,
      clientId,
      apiKey: api.key,
      nodeId: broker.nodeId,
      host,
      port,
      attributes: {
        'messaging.system': 'kafka',
        'messaging.client.id': clientId,
        'messaging.operation.name': api.name,
        'server.address': host,
        'server.port': port,
      },
    }
  }

  #start(broker: WatchedBroker, api: ApiSchema): RequestStart {
    const { host, port } = broker.address
    const { clientId } = this.#options
    return { nodeId: broker.nodeId, host, port, apiName: api.name, apiKey: api.key, clientId }
  }

  /** Hooks never reach the machinery. */
  #guard(hook: () => void): void {
    try {
      hook()
    } catch (error) {
      this.#options.notifier.error(error)
    }
  }

  #tell(event: RequestEvent): void {
    const { notifier } = this.#options
    const { error } = event
    notifier.tell('request', event)
    const code = error?.code()
    if (code === KafkaError._TIMED_OUT || code === KafkaError._TIMED_OUT_QUEUE) {
      notifier.tell('request-timeout', event)
    }
  }
}

function fetchEvent(broker: WatchedBroker, response: FetchResponse, durationMs: number): FetchEvent {
  let partitionCount = 0
  let recordBytes = 0
  for (const { partitions } of response.responses) {
    partitionCount += partitions.length
    for (const { records } of partitions) recordBytes += records?.length ?? 0
  }
  const { host, port } = broker.address
  return { nodeId: broker.nodeId, host, port, durationMs, partitionCount, recordBytes }
}
