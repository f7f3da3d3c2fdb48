/**
 * Harm between clients and brokers, and to the processes of the clients themselves: beside that of `cluster/harm`, which is among brokers.
 */
import type { Random } from '../../../common/runtime/random.ts'
import type { SimCluster } from '../cluster/sim-cluster.ts'
import type { SimNode } from '../cluster/sim-node.ts'
import type { ApplicationSlot } from './application-slot.ts'

export const CLIENT_HARM_KINDS = [
  'reset',
  'reset',
  'cut',
  'one-way-cut',
  'delay',
  'freeze',
  'clock-step',
  'kill',
  'end',
  'second',
] as const
export type ClientHarmKind = (typeof CLIENT_HARM_KINDS)[number]

const LONGEST_PAUSE_MS = 500

export class ClientHarm {
  readonly counts: Partial<Record<ClientHarmKind, number>> = {}
  readonly #cluster: SimCluster
  readonly #random: Random
  readonly #slots: readonly ApplicationSlot[]
  readonly #mayBeDisplaced: ReadonlySet<ApplicationSlot>
  #isOver = false

  /** @param mayBeDisplaced of the slots those whose applications shut each other out */
  constructor(
    cluster: SimCluster,
    slots: readonly ApplicationSlot[],
    mayBeDisplaced: ReadonlySet<ApplicationSlot>,
  ) {
    this.#cluster = cluster
    this.#slots = slots
    this.#mayBeDisplaced = mayBeDisplaced
    this.#random = cluster.world.random.fork('harm to clients')
  }

  begin(): void {
    this.#after(this.#random.int(LONGEST_PAUSE_MS), 'harm to a client', () => {
      if (this.#isOver) return
      const kind = this.#pick(CLIENT_HARM_KINDS)
      const slot = this.#pick(this.#slots)
      const node = this.#pick(this.#cluster.nodes)
      if (kind !== 'second' || this.#mayBeDisplaced.has(slot)) {
        this.#do(kind, slot, node)
        this.counts[kind] = (this.counts[kind] ?? 0) + 1
      }
      this.begin()
    })
  }

  /** Repairs everything. The network is the brokers' too: who repairs theirs heals it. */
  end(): void {
    this.#isOver = true
    for (const { processes } of this.#slots) for (const process of processes) process.thaw()
  }

  #do(kind: ClientHarmKind, slot: ApplicationSlot, node: SimNode): void {
    const { process } = slot
    if (process === undefined) return
    const { network } = this.#cluster.world
    const random = this.#random
    switch (kind) {
      case 'reset':
        process.event(`loses its connections to broker ${node.nodeId}`)
        network.reset(process.name, node.name)
        return
      case 'cut':
        process.event(`is cut off from broker ${node.nodeId}`)
        this.#cut(process.name, node.name)
        this.#cut(node.name, process.name)
        return
      case 'one-way-cut':
        process.event(`hears nothing of broker ${node.nodeId}`)
        this.#cut(node.name, process.name)
        return
      case 'delay': {
        const direction =
          random.int(2) === 0 ? { from: process.name, to: node.name } : { from: node.name, to: process.name }
        const delayMs = random.int(800)
        process.event(`has a delay of ${delayMs} ms from ${direction.from} to ${direction.to}`)
        network.setConditions({ delayMs, jitterMs: 20 }, direction)
        this.#after(random.int(3_000), 'delay ends', () => network.setConditions(undefined, direction))
        return
      }
      case 'freeze':
        process.freeze(random.int(4) === 0 ? random.int(6_000) : random.int(800))
        return
      case 'clock-step':
        process.stepClock(random.int(20_000) - 10_000)
        return
      case 'kill':
        slot.kill(random.int(1_500))
        return
      case 'end':
        slot.end(random.int(1_500))
        return
      case 'second':
        slot.startSecond()
    }
  }

  #cut(from: string, to: string): void {
    const { network } = this.#cluster.world
    network.cut(from, to)
    this.#after(this.#random.int(3_000), 'a cut ends', () => network.mend(from, to))
  }

  #after(ms: number, what: string, task: () => void): void {
    this.#cluster.world.scheduler.schedule(what, ms, task)
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#random.int(items.length)] as T
  }
}
