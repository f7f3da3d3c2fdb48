/** What the brokers say to each other, broken by a test; clients reach all of them in any case. */
import type { Cluster } from '../cluster.ts'
import { type Duration, durationMs } from './cluster-clock.ts'

export class NetworkControl {
  readonly #cluster: () => Cluster

  /** @param cluster asked each time: `restore` makes another */
  constructor(cluster: () => Cluster) {
    this.#cluster = cluster
  }

  /** Brokers of different groups do not reach each other. */
  isolate(...groups: readonly (readonly number[])[]): void {
    this.#cluster().network.isolate(...groups.map((group) => group.map((nodeId) => this.#endpointOf(nodeId))))
  }

  /** One way: nothing passes from the one to the other, answers included. */
  cut(from: number, to: number): void {
    this.#cluster().network.cut(this.#endpointOf(from), this.#endpointOf(to))
  }

  heal(): void {
    this.#cluster().network.heal()
  }

  /** Everything from the one to the other takes this long; 0: no longer. */
  delay(from: number, to: number, duration: Duration): void {
    const delayMs = durationMs(duration)
    this.#cluster().network.setConditions(delayMs === 0 ? undefined : { delayMs }, {
      from: this.#endpointOf(from),
      to: this.#endpointOf(to),
    })
  }

  /** @throws RangeError when there is no such broker */
  #endpointOf(nodeId: number): string {
    return this.#cluster().node(nodeId).endpoint
  }
}
