/**
 * What is remembered of the addresses of brokers: how often they failed in a row, when they may be tried again, what the application
 * was told, and where their names led. It outlives the brokers of a pool. A rebootstrap forgets what was learned of the cluster, not
 * that an address led nowhere: a cluster that advertises such addresses would else be asked for them, and they would be tried, again
 * and again without a pause.
 */
import type { Address, AddressOrder } from '../../common/runtime/transport.ts'
import { Backoff, type BackoffOptions } from './backoff.ts'

/** Clusters have fewer addresses; beyond this the oldest are forgotten. */
const maxAddresses = 1000

export class AddressHistory {
  /** The last error of connections to it that was told; undefined once it has been up again. */
  toldError: string | undefined
  readonly resolved = new ResolvedAddresses()
  readonly #backoff: Backoff
  #retryAtMs = 0

  constructor(backoff: BackoffOptions) {
    this.#backoff = new Backoff(backoff)
  }

  /** Milliseconds until another attempt is allowed. */
  pauseLeftMs(nowMs: number): number {
    return Math.max(0, this.#retryAtMs - nowMs)
  }

  failed(nowMs: number): void {
    this.#retryAtMs = nowMs + this.#backoff.nextMs()
  }

  /** A connection is up. */
  succeeded(): void {
    this.toldError = undefined
    this.#backoff.reset()
    this.#retryAtMs = 0
  }
}

/**
 * The order in which the addresses of a host name are tried (`client.dns.lookup=use_all_dns_ips`): those that led nowhere last time
 * come last, as does one that took the connection and then did not answer as a broker does.
 */
export class ResolvedAddresses implements AddressOrder {
  readonly #failed = new Set<string>()
  #current: string | undefined

  inOrder(addresses: readonly string[]): readonly string[] {
    const fresh = addresses.filter((address) => !this.#failed.has(address))
    const failed = addresses.filter((address) => this.#failed.has(address))
    this.#failed.clear()
    // Where all have failed, the resolver's order is as good as any.
    if (fresh.length === 0) return addresses
    for (const address of failed) this.#failed.add(address)
    return [...fresh, ...failed]
  }

  missed(address: string): void {
    this.#failed.add(address)
  }

  reached(address: string): void {
    this.#current = address
    this.#failed.delete(address)
  }

  /** The connection to where the name led last ended before it was of use. */
  ledNowhere(): void {
    if (this.#current !== undefined) this.#failed.add(this.#current)
    this.#current = undefined
  }
}

export class AddressHistories {
  readonly #backoff: BackoffOptions
  readonly #histories = new Map<string, AddressHistory>()

  constructor(backoff: BackoffOptions) {
    this.#backoff = backoff
  }

  /** @param purpose connections of different purposes to one address fail each for itself */
  of({ host, port }: Address, purpose: string): AddressHistory {
    const key = `${purpose} ${host}:${port}`
    let history = this.#histories.get(key)
    if (history === undefined) {
      history = new AddressHistory(this.#backoff)
      this.#histories.set(key, history)
      const oldest = this.#histories.keys().next()
      if (this.#histories.size > maxAddresses && !oldest.done) this.#histories.delete(oldest.value)
    }
    return history
  }
}
