/**
 * One machine of a simulated cluster through its lives: a clock that may be wrong, a disk that a power cut takes its toll of, and the real
 * broker on top. Owner: the simulated cluster.
 */
import type { Broker } from '../../../broker/broker.ts'
import { type ClusterEnvironment, ClusterNode } from '../../../broker/cluster-node.ts'
import type { BrokerConfig } from '../../../broker/config/broker-config.ts'
import { advertisedListenersOf, listenersOf } from '../../../broker/config/cross-checks.ts'
import type { EndPoint } from '../../../broker/config/listeners.ts'
import type { FileErrorCode } from '../../../common/runtime/files.ts'
import type { Random } from '../../../common/runtime/random.ts'
import type { FileCall } from '../../../common/runtime/sim/disk-failures.ts'
import type { MemoryDisk } from '../../../common/runtime/sim/files.ts'
import type { Machine, SimRuntime } from '../../../common/runtime/sim/runtime.ts'
import type { Transport } from '../../../common/runtime/transport.ts'

const DIRECTORIES = ['/data']

export interface SimNodeOptions {
  readonly nodeId: number
  readonly world: SimRuntime
  readonly config: BrokerConfig
  readonly environment: Omit<ClusterEnvironment, 'world' | 'controllerAddressOf'>
  readonly controllerAddressOf: ClusterEnvironment['controllerAddressOf']
}

export class SimNode {
  readonly nodeId: number
  readonly machine: Machine
  /** Counts the lives: 1 is the first. */
  life = 0
  /** Frozen: no timer fires and nothing is heard. */
  readonly #node: ClusterNode
  readonly #world: SimRuntime
  /** What the next disk operations suffer. */
  #onDiskCall: ((call: FileCall) => FileErrorCode | undefined) | undefined
  #isObserved = false

  constructor(options: SimNodeOptions) {
    const { nodeId, world, config, environment, controllerAddressOf } = options
    this.nodeId = nodeId
    this.#world = world
    this.machine = world.machine(`broker-${nodeId}`)
    this.disk.onCall = (call) => (this.#isObserved ? undefined : this.#onDiskCall?.(call))
    const nodeWorld = { ...this.machine, transport: outsideOf(this.machine.transport) }
    this.#node = new ClusterNode(
      { ...environment, world: nodeWorld, controllerAddressOf },
      { nodeId, directories: DIRECTORIES, config, files: this.disk, ...endPointsOf(config) },
    )
  }

  get name(): string {
    return `broker-${this.nodeId}`
  }

  get disk(): MemoryDisk {
    return this.machine.files
  }

  get state(): ClusterNode['state'] {
    return this.#node.state
  }

  get broker(): Broker | undefined {
    return this.#node.broker
  }

  get address(): { readonly host: string; readonly port: number } | undefined {
    return this.#node.advertisedAddresses.get('PLAINTEXT')
  }

  open(): Promise<void> {
    this.life += 1
    return this.#node.open()
  }

  join(): Promise<void> {
    return this.#node.join()
  }

  stop(): Promise<void> {
    return this.#node.stop()
  }

  /** Ends the process; with `losesTail` the power as well. */
  kill(losesTail?: Random): void {
    this.#node.kill()
    this.#onDiskCall = undefined
    this.disk.crash(losesTail === undefined ? {} : { loseUnsynced: losesTail })
  }

  /** The process dies in the middle of its n-th disk operation from now: it does and says nothing more. */
  dieAtDiskCall(nth: number, onDeath: () => void): void {
    let left = nth
    this.#onDiskCall = () => {
      left -= 1
      if (left > 0) return undefined
      if (left === 0) {
        this.#world.network.kill(this.name)
        onDeath()
      }
      return 'EIO'
    }
  }

  /** The n-th disk operation from now fails, and all after it when the disk is broken for good. */
  failDiskCall(nth: number, isForever: boolean): void {
    let left = nth
    this.#onDiskCall = ({ operation }) => {
      if (operation === 'lock') return undefined
      left -= 1
      return left === 0 || (left < 0 && isForever) ? 'EIO' : undefined
    }
  }

  repairDisk(): void {
    this.#onDiskCall = undefined
  }

  /** Looks at files without disturbing what is to happen to them. */
  observe<T>(look: () => T): T {
    this.#isObserved = true
    try {
      return look()
    } finally {
      this.#isObserved = false
    }
  }
}

/** Brokers and clients are in one simulated network: there is nothing outside of it. */
function outsideOf(inside: Transport): Transport {
  return {
    listen: async ({ host, port }) => ({ address: { host, port }, close: () => {} }),
    connect: (options) => inside.connect(options),
  }
}

function endPointsOf(config: BrokerConfig): {
  listeners: readonly EndPoint[]
  advertisedListeners: readonly EndPoint[]
} {
  const listeners = listenersOf(config.levels)
  const advertised = advertisedListenersOf(config.levels)
  if (listeners.error !== null) throw new Error(listeners.error)
  if (advertised.error !== null) throw new Error(advertised.error)
  return { listeners: listeners.value, advertisedListeners: advertised.value }
}
