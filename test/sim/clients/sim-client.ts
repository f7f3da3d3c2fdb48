/**
 * What every simulated client is made of: its own end of the network, timers, chance, and a picture of the cluster that grows old. It speaks
 * frames; callbacks instead of promises, so that nothing happens outside of the simulated turns. Owner: the simulation.
 */
import { Metadata } from '../../../common/protocol/apis/03-metadata.ts'
import { FindCoordinator } from '../../../common/protocol/apis/10-find-coordinator.ts'
import type { ApiSchema, RequestInputOf, ResponseOf } from '../../../common/protocol/schema.ts'
import { type CallResult, Channel } from '../../../common/rpc/channel.ts'
import { Deferred } from '../../../common/runtime/deferred.ts'
import type { Random } from '../../../common/runtime/random.ts'
import type { SchedulerScope } from '../../../common/runtime/scheduler.ts'
import type { Address } from '../../../common/runtime/transport.ts'
import type { Ledger } from '../cluster/ledger.ts'
import type { SimCluster } from '../cluster/sim-cluster.ts'

export interface KnownPartition {
  readonly topic: string
  readonly topicId: string
  readonly index: number
  readonly leaderId: number
  readonly leaderEpoch: number
}

export const REQUEST_TIMEOUT_MS = 2_000
const CONNECT_TIMEOUT_MS = 1_000
const METADATA_AGE_MS = 5_000

export abstract class SimClient {
  readonly name: string
  readonly cluster: SimCluster
  readonly ledger: Ledger
  readonly random: Random
  readonly scheduler: SchedulerScope
  readonly topics: readonly string[]
  readonly #channels = new Map<number, Channel>()
  #partitions: readonly KnownPartition[] = []
  #refreshedMs = -Infinity
  #isRefreshing = false
  #whenRefreshed: (() => void)[] = []
  #isClosed = false

  constructor(options: { name: string; cluster: SimCluster; ledger: Ledger; topics: readonly string[] }) {
    this.name = options.name
    this.cluster = options.cluster
    this.ledger = options.ledger
    this.topics = options.topics
    this.random = options.cluster.world.random.fork(`client ${options.name}`)
    this.scheduler = options.cluster.world.scheduler.scope(options.name)
  }

  abstract start(): void

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** The process ends: nobody hears of it any more. */
  kill(): void {
    this.#isClosed = true
    this.scheduler.close()
    for (const channel of [...this.#channels.values()]) channel.close()
    this.#channels.clear()
    this.cluster.world.network.kill(this.name)
  }

  get partitions(): readonly KnownPartition[] {
    return this.#partitions
  }

  partition(topicId: string, index: number): KnownPartition | undefined {
    return this.#partitions.find((known) => known.topicId === topicId && known.index === index)
  }

  later(ms: number, what: string, task: () => void): void {
    this.scheduler.schedule(`${this.name} ${what}`, ms, task)
  }

  event(text: string): void {
    this.cluster.events.add(`${this.name} ${text}`)
  }

  pick<T>(items: readonly T[]): T | undefined {
    return items.length === 0 ? undefined : items[this.random.int(items.length)]
  }

  /** A call to one broker, over the one connection to it. */
  call<A extends ApiSchema>(
    nodeId: number,
    api: A,
    request: RequestInputOf<A>,
    options: { version?: number; timeoutMs?: number } = {},
  ): Deferred<CallResult<ResponseOf<A>>> {
    const { version = api.versions.highest, timeoutMs = REQUEST_TIMEOUT_MS } = options
    const result = new Deferred<CallResult<ResponseOf<A>>>()
    this.#channel(nodeId)
      .call(api, version, request, timeoutMs)
      .whenDone((answer) => result.complete(answer))
    return result
  }

  /** Some broker, up or not. */
  anyNode(): number {
    return 1 + this.random.int(this.cluster.nodes.length)
  }

  /** Calls back when the picture of the cluster is newer than at the call. */
  refresh(done: () => void): void {
    this.#whenRefreshed.push(done)
    if (this.#isRefreshing) return
    this.#isRefreshing = true
    const request = { topics: this.topics.map((name) => ({ name })), allowAutoTopicCreation: false }
    this.call(this.anyNode(), Metadata, request, { timeoutMs: 1_000 }).whenDone((answer) => {
      if (this.#isClosed) return
      if (!answer.ok) {
        this.later(50 + this.random.int(100), 'metadata again', () => {
          this.#isRefreshing = false
          this.refresh(() => {})
        })
        return
      }
      this.#isRefreshing = false
      this.#refreshedMs = this.cluster.nowMs
      this.#partitions = answer.response.topics.flatMap(({ name, topicId, partitions }) =>
        partitions.map(({ partitionIndex, leaderId, leaderEpoch }) => ({
          topic: name ?? '',
          topicId,
          index: partitionIndex,
          leaderId,
          leaderEpoch,
        })),
      )
      const waiting = this.#whenRefreshed
      this.#whenRefreshed = []
      for (const callback of waiting) callback()
    })
  }

  /** Calls back with a picture that is not too old. */
  withMetadata(done: () => void): void {
    if (this.cluster.nowMs - this.#refreshedMs < METADATA_AGE_MS && this.#partitions.length > 0) done()
    else this.refresh(done)
  }

  /** The next `withMetadata` asks anew. */
  staleMetadata(): void {
    this.#refreshedMs = -Infinity
  }

  findCoordinator(keyType: 0 | 1, key: string, done: (nodeId: number) => void): void {
    this.call(
      this.anyNode(),
      FindCoordinator,
      { keyType, coordinatorKeys: [key] },
      { timeoutMs: 1_000 },
    ).whenDone((answer) => {
      if (this.#isClosed) return
      const found = answer.ok ? answer.response.coordinators[0] : undefined
      if (found !== undefined && found.errorCode === 0) done(found.nodeId)
      else
        this.later(50 + this.random.int(150), 'coordinator again', () =>
          this.findCoordinator(keyType, key, done),
        )
    })
  }

  #channel(nodeId: number): Channel {
    const known = this.#channels.get(nodeId)
    if (known !== undefined && !known.isClosed) return known
    const { world } = this.cluster
    const address: Address = this.cluster.node(nodeId).address ?? { host: '127.0.0.1', port: 1 }
    const channel = new Channel({
      transport: world.network.endpoint(this.name),
      scheduler: this.scheduler,
      address,
      clientId: this.name,
      maxFrameBytes: 1 << 26,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      maxInFlight: 8,
      onClosed: () => {
        if (this.#channels.get(nodeId) === channel) this.#channels.delete(nodeId)
      },
    })
    if (!channel.isClosed) this.#channels.set(nodeId, channel)
    return channel
  }
}
