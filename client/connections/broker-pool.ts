/**
 * The brokers of one client: the bootstrap list, those that metadata told of, and separate connections for coordinators
 * (whose answers must not queue behind a long fetch). Owned by the client core.
 *
 * Rebootstrap (KIP-899, KIP-1102): when every known broker has failed, what was learned is forgotten and the bootstrap
 * list is asked again. What is remembered of addresses stays (`AddressHistories`).
 */
import type { Address } from '../../common/runtime/transport.ts'
import { KafkaError } from '../errors.ts'
import { Broker, type BrokerListener, type BrokerSettings, patienceMs } from './broker.ts'
import type { BrokerVersions } from './versions.ts'

export interface KnownBroker {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

export interface BrokerPoolOptions {
  readonly settings: BrokerSettings
  readonly bootstrap: readonly Address[]
  /** `metadata.recovery.strategy=rebootstrap` */
  readonly mayRebootstrap: boolean
  readonly onRoom: (broker: Broker) => void
  readonly onUp: (broker: Broker) => void
  readonly onDown: (broker: Broker, error: KafkaError) => void
  readonly onThrottled: (broker: Broker, throttleMs: number) => void
  /** Informational errors for the application. */
  readonly onError: (error: KafkaError) => void
}

export class BrokerPool implements BrokerListener {
  readonly #options: BrokerPoolOptions
  #bootstrap: Broker[]
  readonly #known = new Map<number, Broker>()
  readonly #coordinators = new Map<number, Broker>()
  #isAllDownTold = false
  /** Of the best informed broker since the last rebootstrap, or before it until there is one. It may be away by now. */
  #features: BrokerVersions | undefined
  #areFeaturesOld = false
  #outage: string | undefined
  #isClosed = false

  constructor(options: BrokerPoolOptions) {
    this.#options = options
    this.#bootstrap = this.#makeBootstrap()
  }

  byId(nodeId: number): Broker | undefined {
    return this.#known.get(nodeId)
  }

  /** A connection of its own to the broker, for group and transaction coordinators. */
  coordinator(nodeId: number): Broker | undefined {
    const existing = this.#coordinators.get(nodeId)
    if (existing !== undefined) return existing
    const known = this.#known.get(nodeId)
    if (known === undefined) return undefined
    const broker = new Broker(this.#options.settings, this, {
      nodeId,
      address: known.address,
      source: 'logical',
    })
    this.#coordinators.set(nodeId, broker)
    return broker
  }

  /** Everything there is, for statistics. */
  *all(): IterableIterator<Broker> {
    yield* this.#bootstrap
    yield* this.#known.values()
    yield* this.#coordinators.values()
  }

  /** Level of a finalized feature of the cluster, as the best informed of the brokers told; 0 before any was connected. */
  featureLevel(name: string): number {
    return this.#features?.featureLevel(name) ?? 0
  }

  /** What the last broker failed with, while none is reachable. */
  get outage(): string | undefined {
    return this.#outage
  }

  get hasServers(): boolean {
    return this.#bootstrap.length > 0 || this.#known.size > 0
  }

  /**
   * A broker for a request that anyone can answer (`isForAny`): the least busy connected one, else one that began to connect just
   * now, else one that may be tried now, else the one whose back-off ends first. undefined without any address.
   */
  any(): Broker | undefined {
    const candidates = this.#candidates()
    let best: Broker | undefined
    for (const broker of candidates) {
      if (broker.isUp && (best === undefined || load(broker) < load(best))) best = broker
    }
    if (best !== undefined) return best
    const connecting = candidates.find((broker) => broker.isConnecting && broker.stateAgeMs < patienceMs)
    if (connecting !== undefined) return connecting
    const { random } = this.#options.settings.runtime
    const shuffled = random.shuffle(candidates)
    const isFresh = (broker: Broker): boolean =>
      !broker.isConnecting && !broker.hasFailed && broker.backoffLeftMs <= 0
    const fresh = shuffled.find(isFresh)
    if (fresh !== undefined) return fresh
    return shuffled.sort((one, other) => one.backoffLeftMs - other.backoffLeftMs)[0]
  }

  /** Takes over what metadata says. Brokers that are gone lose their connections. */
  update(brokers: readonly KnownBroker[]): void {
    if (this.#isClosed) return
    for (const { nodeId, host, port, rack } of brokers) {
      const address = { host, port }
      let broker = this.#known.get(nodeId)
      if (broker === undefined) {
        broker = this.#adoptBootstrap(address) ?? this.#newBroker(nodeId, address)
        this.#known.set(nodeId, broker)
      }
      broker.update(nodeId, address, rack)
      this.#coordinators.get(nodeId)?.update(nodeId, address, rack)
    }
    const ids = new Set(brokers.map(({ nodeId }) => nodeId))
    for (const byId of [this.#known, this.#coordinators]) {
      for (const [nodeId, broker] of byId) {
        if (ids.has(nodeId)) continue
        byId.delete(nodeId)
        broker.close()
      }
    }
    if (this.#known.size > 0) for (const broker of this.#bootstrap) broker.closeIfIdle()
  }

  /** Takes over one broker that a leader hint told of (KIP-951). */
  learn({ nodeId, host, port, rack }: KnownBroker): void {
    const broker = this.#known.get(nodeId)
    if (broker !== undefined) broker.update(nodeId, { host, port }, rack)
    else if (!this.#isClosed) this.#known.set(nodeId, this.#newBroker(nodeId, { host, port }))
  }

  /** Forgets what was learned and starts from the bootstrap list. */
  rebootstrap(): void {
    if (this.#known.size === 0) return
    for (const broker of [...this.#known.values(), ...this.#coordinators.values(), ...this.#bootstrap]) {
      broker.close()
    }
    this.#known.clear()
    this.#coordinators.clear()
    this.#bootstrap = this.#makeBootstrap()
    this.#areFeaturesOld = true
  }

  close(): void {
    this.#isClosed = true
    for (const broker of this.all()) broker.close()
  }

  brokerUp(broker: Broker): void {
    this.#isAllDownTold = false
    this.#outage = undefined
    this.#learnFeatures(broker.versions)
    this.#options.onUp(broker)
  }

  brokerDown(broker: Broker, error: KafkaError): void {
    if (this.#isClosed) return
    const text = `${broker.name}: ${error.str()}`
    // Repeated identical errors of one broker are told once, until it has been up.
    if (broker.history.toldError !== text) {
      broker.history.toldError = text
      this.#options.onError(new KafkaError(error.code(), text))
    }
    const candidates = this.#candidates()
    if (!candidates.every((candidate) => candidate.hasFailed)) {
      this.#options.onDown(broker, error)
      return
    }
    this.#outage = text
    if (!this.#isAllDownTold) {
      this.#isAllDownTold = true
      const count = candidates.length
      this.#options.onError(
        new KafkaError(KafkaError._ALL_BROKERS_DOWN, `${count}/${count} brokers are down`),
      )
    }
    if (this.#options.mayRebootstrap) this.rebootstrap()
    this.#options.onDown(broker, error)
  }

  brokerRoom(broker: Broker): void {
    this.#options.onRoom(broker)
  }

  brokerThrottled(broker: Broker, throttleMs: number): void {
    this.#options.onThrottled(broker, throttleMs)
  }

  #learnFeatures(versions: BrokerVersions | undefined): void {
    if (versions === undefined) return
    const isBehind = this.#features !== undefined && versions.featuresEpoch < this.#features.featuresEpoch
    if (isBehind && !this.#areFeaturesOld) return
    this.#features = versions
    this.#areFeaturesOld = false
  }

  hasOther(broker: Broker): boolean {
    return this.#candidates().some((candidate) => candidate !== broker)
  }

  #candidates(): Broker[] {
    return this.#known.size > 0 ? [...this.#known.values()] : [...this.#bootstrap]
  }

  #makeBootstrap(): Broker[] {
    return this.#options.bootstrap.map(
      (address) => new Broker(this.#options.settings, this, { nodeId: -1, address, source: 'configured' }),
    )
  }

  #newBroker(nodeId: number, address: Address): Broker {
    return new Broker(this.#options.settings, this, { nodeId, address, source: 'learned' })
  }

  /** The bootstrap entry of the same address keeps its connection and becomes the broker. */
  #adoptBootstrap(address: Address): Broker | undefined {
    const index = this.#bootstrap.findIndex(
      (broker) => broker.address.host === address.host && broker.address.port === address.port,
    )
    if (index < 0) return undefined
    return this.#bootstrap.splice(index, 1)[0]
  }
}

function load(broker: Broker): number {
  return broker.inFlightCount + broker.waitingCount
}
