/** A broker on a simulated machine whose disk fails and loses power as a test wants it, and clients that speak frames to it. */
import { type Cluster, startCluster } from '../../broker/cluster.ts'
import { Channel } from '../../common/rpc/channel.ts'
import { MemoryDisk, type MemoryDiskOptions } from '../../common/runtime/sim/files.ts'
import { createSimRuntime, type SimRuntime } from '../../common/runtime/sim/runtime.ts'
import type { RawClient } from '../support/raw-client.ts'

/** Rounds of microtasks after which a promise that can go on has done so. */
const MICROTASK_ROUNDS = 25

export class SimBroker {
  readonly disk: MemoryDisk
  readonly #config: Readonly<Record<string, string>>
  #sim: SimRuntime
  #cluster: Cluster | undefined
  #lives = 0
  /** Exceptions that escaped a task: there must be none. */
  readonly bugs: unknown[] = []

  constructor(
    config: Readonly<Record<string, string>>,
    options: { disk?: MemoryDisk; capacityBytes?: number } = {},
  ) {
    this.#config = config
    this.#sim = this.#newSim()
    this.disk =
      options.disk?.fork(this.#diskOptions(options.capacityBytes)) ??
      new MemoryDisk(this.#diskOptions(options.capacityBytes))
  }

  #diskOptions(capacityBytes: number | undefined): MemoryDiskOptions {
    return {
      // Each life has a clock and a reactor of its own.
      post: (task) => this.#sim.reactor.post(task),
      clock: { wallMs: () => this.#sim.clock.wallMs() },
      trackUnsynced: true,
      ...(capacityBytes === undefined ? {} : { capacityBytes }),
    }
  }

  #newSim(): SimRuntime {
    return createSimRuntime({
      seed: ++this.#lives,
      wallMs: Date.UTC(2026, 0, 1) + this.#lives * 3_600_000,
      onBug: (error) => this.bugs.push(error),
    })
  }

  get sim(): SimRuntime {
    return this.#sim
  }

  get cluster(): Cluster {
    if (this.#cluster === undefined) throw new Error('the broker does not run')
    return this.#cluster
  }

  /** Rejects as `startCluster` does. */
  async start(): Promise<void> {
    const runtime = this.#sim.machine('outside', this.disk)
    const dirs = this.#config['log.dirs'] === undefined ? { dataDir: '/data' } : {}
    this.#cluster = await this.run(startCluster({ runtime, port: 9092, ...dirs, config: this.#config }))
  }

  /** Lets the simulated world go on until the promise is settled. */
  async run<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false
    const settle = () => {
      isSettled = true
    }
    promise.then(settle, settle)
    for (let round = 0; ; round++) {
      for (let count = 0; count < MICROTASK_ROUNDS && !isSettled; count++) await undefined
      if (isSettled) return promise
      this.#sim.runUntilIdle()
      for (let count = 0; count < MICROTASK_ROUNDS && !isSettled; count++) await undefined
      if (isSettled) return promise
      if (round > 5_000) throw new Error('nothing more happens')
      this.#sim.advance(round < 50 ? 1 : 100)
    }
  }

  client(name = 'client'): RawClient {
    const [host, port] = this.cluster.bootstrapServers.split(':') as [string, string]
    const channel = new Channel({
      transport: this.#sim.network.endpoint(name),
      scheduler: this.#sim.scheduler.scope(name),
      address: { host, port: Number(port) },
      clientId: name,
      maxFrameBytes: 0x7fffffff,
      connectTimeoutMs: 5_000,
      requestTimeoutMs: 65_000,
      maxInFlight: 100,
    })
    return {
      call: (api, request, version = api.versions.highest) =>
        new Promise((resolve, reject) => {
          channel.call(api, version, request).whenDone((result) => {
            if (result.ok) resolve(result.response)
            else reject(new Error(`${api.name} v${version}: ${result.failure}`))
          })
        }),
      close: () => channel.close(),
    }
  }

  /** The process dies; what the disk is left with is for the caller to say. The next life begins with `start`. */
  kill(): void {
    this.#cluster?.kill()
    this.#cluster = undefined
    this.disk.crash()
    this.#sim = this.#newSim()
  }

  async stop(): Promise<void> {
    await this.run(this.cluster.stop())
    this.#cluster = undefined
    this.#sim = this.#newSim()
  }
}
