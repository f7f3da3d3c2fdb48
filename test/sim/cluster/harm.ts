/**
 * Who does the cluster harm: at random times something breaks, and is repaired some time later. What a seed breaks stays within what Kafka
 * promises to survive: with `min.insync.replicas` 2, one broker at a time loses its unsynced tail, and while it has not caught up again
 * no other dies without handing over. All other faults come as they like.
 */
import type { Random } from '../../../common/runtime/random.ts'
import { LateProposals } from './late-proposals.ts'
import type { SimCluster } from './sim-cluster.ts'
import type { SimNode } from './sim-node.ts'

export const HARM_KINDS = [
  'kill',
  'power-loss',
  'clean-stop',
  'die-at-disk-call',
  'disk-error',
  'isolate',
  'one-way-cut',
  'reset',
  'delay',
  'slow-broker',
  'freeze',
  'clock-step',
  'restart-quickly',
] as const
export type HarmKind = (typeof HARM_KINDS)[number] | 'late-proposal'

export class Harm {
  readonly counts: Partial<Record<HarmKind, number>> = {}
  readonly #cluster: SimCluster
  readonly #random: Random
  /** Brokers that went down without handing over, and have not caught up since. Of one of them the tail may be lost. */
  readonly #unclean = new Map<SimNode, { life: number; isLossy: boolean }>()
  readonly #lateProposals: LateProposals
  #isOver = false

  constructor(cluster: SimCluster) {
    this.#cluster = cluster
    this.#random = cluster.world.random.fork('harm')
    this.#lateProposals = new LateProposals({
      cluster,
      random: this.#random.fork('late proposals'),
      loseTail: (node) =>
        node.broker !== undefined && this.#mayDie(node, true) && this.#kill(node, true, this.#random.int(30)),
      onHeld: () => this.#count('late-proposal'),
    })
  }

  begin(): void {
    this.#next()
    this.#lateProposals.begin()
  }

  /** Repairs everything. */
  end(): void {
    this.#isOver = true
    const { world, nodes } = this.#cluster
    world.network.heal()
    this.#lateProposals.end()
    for (const node of nodes) {
      this.#restoreSpeed(node)
      node.machine.skewMs = 0
      node.broker?.services.scheduler.thaw()
      node.repairDisk()
    }
    this.#revive()
  }

  #next(): void {
    // Sometimes much happens at once, sometimes nothing for a while.
    const pauseMs = this.#random.int(4) === 0 ? this.#random.int(60) : this.#random.int(1_000)
    this.#after(pauseMs, 'harm', () => {
      if (this.#isOver) return
      const kind = HARM_KINDS[this.#random.int(HARM_KINDS.length)] as (typeof HARM_KINDS)[number]
      const node = this.#cluster.nodes[this.#random.int(this.#cluster.nodes.length)] as SimNode
      if (this.#do(kind, node)) this.#count(kind)
      this.#next()
    })
  }

  #count(kind: HarmKind): void {
    this.counts[kind] = (this.counts[kind] ?? 0) + 1
  }

  #after(ms: number, what: string, task: () => void): void {
    this.#cluster.world.scheduler.schedule(what, ms, task)
  }

  /** @returns whether it was done */
  #do(kind: (typeof HARM_KINDS)[number], node: SimNode): boolean {
    const { world, events, nodes } = this.#cluster
    const random = this.#random
    const isUp = node.broker !== undefined
    const other = nodes[(node.nodeId + random.int(nodes.length - 1)) % nodes.length] as SimNode
    switch (kind) {
      case 'kill':
        return isUp && this.#mayDie(node, false) && this.#kill(node, false)
      case 'power-loss':
        return isUp && this.#mayDie(node, true) && this.#kill(node, true)
      case 'restart-quickly':
        if (!isUp || !this.#mayDie(node, false)) return false
        this.#kill(node, false, random.int(30))
        return true
      case 'clean-stop':
        if (node.state !== 'running') return false
        this.#cluster.stop(node)
        this.#reviveLater(node)
        return true
      case 'die-at-disk-call': {
        const isLossy = random.int(2) === 0
        if (!isUp || !this.#mayDie(node, isLossy)) return false
        const nth = 1 + random.int(60)
        this.#noteDeath(node, isLossy)
        events.add(`broker ${node.nodeId} is to die at disk call ${nth}`)
        const { life } = node
        node.dieAtDiskCall(nth, () => {
          world.reactor.post(() => {
            if (node.life === life && node.broker !== undefined) this.#kill(node, isLossy)
          })
        })
        return true
      }
      case 'disk-error': {
        if (node.state !== 'running' || !this.#mayDie(node, false)) return false
        const nth = 1 + random.int(40)
        const isForever = random.int(2) === 0
        this.#noteDeath(node, false)
        events.add(`disk call ${nth} of broker ${node.nodeId} fails${isForever ? ', and all after it' : ''}`)
        node.failDiskCall(nth, isForever)
        const { life } = node
        // Somebody notices, changes the disk and starts the process again.
        this.#after(1_000 + random.int(3_000), 'repair', () => {
          if (node.life !== life || node.broker === undefined) return
          this.#kill(node, false)
        })
        return true
      }
      case 'isolate': {
        const rest = nodes.filter((each) => each !== node)
        events.add(`isolate broker ${node.nodeId}`)
        world.network.isolate(
          [node.name],
          rest.map(({ name }) => name),
        )
        this.#healLater()
        return true
      }
      case 'one-way-cut':
        events.add(`cut from broker ${node.nodeId} to ${other.nodeId}`)
        world.network.cut(node.name, other.name)
        this.#healLater()
        return true
      case 'reset':
        events.add(`reset between broker ${node.nodeId} and ${other.nodeId}`)
        world.network.reset(node.name, other.name)
        return true
      case 'delay': {
        const delayMs = random.int(400)
        events.add(`delay of ${delayMs} ms from broker ${node.nodeId} to ${other.nodeId}`)
        world.network.setConditions({ delayMs, jitterMs: 20 }, { from: node.name, to: other.name })
        this.#after(random.int(4_000), 'delay ends', () =>
          world.network.setConditions(undefined, { from: node.name, to: other.name }),
        )
        return true
      }
      case 'slow-broker': {
        // All it says comes late, as from a process that waits for its disk.
        const delayMs = 50 + random.int(500)
        events.add(`broker ${node.nodeId} is slow by ${delayMs} ms`)
        for (const each of nodes)
          world.network.setConditions({ delayMs, jitterMs: 10 }, { from: node.name, to: each.name })
        this.#after(random.int(4_000), 'slowness ends', () => this.#restoreSpeed(node))
        return true
      }
      case 'freeze': {
        const { broker } = node
        if (broker === undefined) return false
        events.add(`freeze broker ${node.nodeId}`)
        broker.services.scheduler.freeze()
        this.#after(random.int(5_000), 'thaw', () => broker.services.scheduler.thaw())
        return true
      }
      case 'clock-step':
        node.machine.skewMs = random.int(20_000) - 10_000
        events.add(`clock of broker ${node.nodeId} is off by ${node.machine.skewMs} ms`)
        return true
    }
  }

  /** Whether Kafka promises to survive the death of this broker now. */
  #mayDie(node: SimNode, losesTail: boolean): boolean {
    for (const [dead, { life }] of this.#unclean)
      if (this.#hasCaughtUp(dead, life)) this.#unclean.delete(dead)
    const others = [...this.#unclean].filter(([dead]) => dead !== node)
    const isOwnLossy = this.#unclean.get(node)?.isLossy === true
    if (losesTail || isOwnLossy) {
      if (others.length > 0) return false
      return this.#isElsewhere(node)
    }
    return others.every(([, { isLossy }]) => !isLossy)
  }

  /** Whether every partition has another member of ISR or ELR. */
  #isElsewhere(node: SimNode): boolean {
    for (const { partitions } of this.#cluster.image?.topicsById.values() ?? [])
      for (const { isr, elr, replicas } of partitions)
        if (replicas.includes(node.nodeId) && ![...isr, ...elr].some((member) => member !== node.nodeId))
          return false
    return true
  }

  #hasCaughtUp(node: SimNode, deadLife: number): boolean {
    const { image } = this.#cluster
    if (node.life === deadLife || node.state !== 'running' || image === undefined) return false
    if (image.brokers.get(node.nodeId)?.epoch !== node.broker?.lifecycle.brokerEpoch) return false
    for (const { partitions } of image.topicsById.values())
      for (const { isr, replicas } of partitions)
        if (replicas.includes(node.nodeId) && !isr.includes(node.nodeId)) return false
    return true
  }

  #noteDeath(node: SimNode, isLossy: boolean): void {
    const wasLossy = this.#unclean.get(node)?.isLossy === true
    this.#unclean.set(node, { life: node.life, isLossy: isLossy || wasLossy })
  }

  #kill(node: SimNode, losesTail: boolean, downMs?: number): boolean {
    this.#noteDeath(node, losesTail)
    this.#cluster.events.add(`kill ${node.nodeId}${losesTail ? ' and lose its tail' : ''}`)
    node.kill(losesTail ? this.#random.fork(`power of ${node.nodeId} in life ${node.life}`) : undefined)
    this.#reviveLater(node, downMs)
    return true
  }

  #reviveLater(node: SimNode, downMs = this.#random.int(4_000)): void {
    this.#after(downMs, 'revive', () => this.#revive(node))
  }

  /** Starts what is down: like a supervisor that never gives up. */
  #revive(only?: SimNode): void {
    let isAnyDown = false
    for (const node of only === undefined ? this.#cluster.nodes : [only]) {
      if (node.state === 'running') continue
      if (node.state === 'down') this.#cluster.start(node)
      isAnyDown = true
    }
    if (isAnyDown) this.#after(500, 'revive', () => this.#revive(only))
  }

  #healLater(): void {
    this.#after(this.#random.int(4_000), 'heal', () => {
      this.#cluster.events.add('heal')
      this.#cluster.world.network.heal()
    })
  }

  #restoreSpeed(node: SimNode): void {
    for (const each of this.#cluster.nodes)
      this.#cluster.world.network.setConditions(undefined, { from: node.name, to: each.name })
  }
}
