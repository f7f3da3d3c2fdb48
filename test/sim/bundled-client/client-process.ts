/**
 * One process that uses the bundled client in the simulated world: its timers, its end of the network and its turns can stand still, or be gone
 * from one moment to the next. A process that is dead never hears of anything again, so its promises stay open. Owner: the simulation.
 */
import type { ClientConfig, ClientHooks, LogEvent } from '../../../client/index.ts'
import { Freezer, freezableTransport } from '../../../common/runtime/freezable-transport.ts'
import type { Random } from '../../../common/runtime/random.ts'
import type { Reactor } from '../../../common/runtime/reactor.ts'
import type { Runtime } from '../../../common/runtime/runtime.ts'
import type { Machine } from '../../../common/runtime/sim/runtime.ts'
import type { SimCluster } from '../cluster/sim-cluster.ts'
import { Violation } from '../cluster/violation.ts'

export class ClientProcess {
  readonly name: string
  readonly cluster: SimCluster
  /** Chance of the application; the client has its own. */
  readonly random: Random
  readonly hooks: ClientHooks
  readonly #machine: Machine
  readonly #freezer = new Freezer()
  #isAlive = true
  #thawedMs = -1

  constructor(name: string, cluster: SimCluster) {
    this.name = name
    this.cluster = cluster
    const { world } = cluster
    this.#machine = world.machine(name)
    this.random = world.random.fork(`application ${name}`)
    const runtime: Runtime = {
      ...this.#machine,
      transport: freezableTransport(this.#machine.transport, this.#freezer),
      reactor: this.#mortal(world.reactor),
    }
    this.hooks = { runtime }
  }

  get isAlive(): boolean {
    return this.#isAlive
  }

  get isFrozen(): boolean {
    return this.#freezer.isFrozen
  }

  wasFrozenSince(ms: number): boolean {
    return this.isFrozen || this.#thawedMs >= ms
  }

  get nowMs(): number {
    return this.cluster.nowMs
  }

  /** Settings that every client of the simulation has: short times, so that much happens in few simulated seconds. */
  get settings(): ClientConfig {
    const servers = this.cluster.nodes.map(({ address }) => `${address?.host}:${address?.port}`)
    return {
      'bootstrap.servers': this.random.shuffle(servers).join(','),
      'client.id': this.name,
      'socket.timeout.ms': 1_000 + this.random.int(3_000),
      'socket.connection.setup.timeout.ms': 1_000,
      'api.version.request.timeout.ms': 1_000,
      'reconnect.backoff.ms': 50,
      'reconnect.backoff.max.ms': 500,
      'topic.metadata.refresh.interval.ms': 2_000,
      log_level: this.cluster.events.isPrinted ? 7 : 0,
      ...(this.cluster.events.isPrinted ? { debug: 'broker,metadata,cgrp,msg,eos,fetch' } : {}),
    }
  }

  event(text: string): void {
    this.cluster.events.add(`${this.name} ${text}`)
  }

  /** What the client says of itself, for those who read the history. */
  readonly log = ({ message }: LogEvent): void =>
    this.cluster.events.remark(`${this.cluster.nowMs.toFixed(3)}     ${this.name}: ${message}`)

  /** A whole number from `low` to `high`. */
  between(low: number, high: number): number {
    return low + this.random.int(high - low + 1)
  }

  /** Whether something happens that happens once in so many times. */
  onceIn(times: number): boolean {
    return this.random.int(times) === 0
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.#machine.scheduler.schedule('the application sleeps', ms, resolve))
  }

  /** Ends the run: something happened that must never happen. */
  violation(invariant: string, message: string): void {
    this.cluster.fail(new Violation(invariant, `${this.name}: ${message}`))
  }

  /** The process ends without a word. */
  kill(): void {
    if (!this.#isAlive) return
    this.event('is killed')
    this.#isAlive = false
    this.#machine.scheduler.close()
    this.#freezer.freeze()
    this.cluster.world.network.kill(this.name)
  }

  /** Stops as by a signal: no timer fires, nothing is heard, while what others send is taken. */
  freeze(ms: number): void {
    if (!this.#isAlive || this.isFrozen) return
    this.event(`stands still for ${ms} ms`)
    this.#freezer.freeze()
    this.#machine.scheduler.freeze()
    const { world } = this.cluster
    world.scheduler.schedule('a client goes on', ms, () => this.thaw())
  }

  thaw(): void {
    if (!this.#isAlive || !this.isFrozen) return
    this.event('goes on')
    this.#thawedMs = this.nowMs
    this.#freezer.thaw()
    this.#machine.scheduler.thaw()
    const { world } = this.cluster
    // What had come due and what had arrived: either may be seen first.
    if (this.onceIn(2)) world.reactor.post(() => this.#freezer.deliver())
    else world.scheduler.schedule('a client hears what it missed', 0, () => this.#freezer.deliver())
  }

  /** Sets its time of day, as an operator would. */
  stepClock(ms: number): void {
    this.event(`has its clock off by ${ms} ms`)
    this.#machine.skewMs = ms
  }

  /** To be called when every handle of the process has been closed, and a little later. */
  checkNothingIsLeft(): void {
    const [timer] = this.#machine.scheduler.pending()
    if (timer !== undefined) this.violation('a closed client has no timers', timer.label)
  }

  checkNoLinkIsLeft(): void {
    const links = this.cluster.world.network.openLinks(this.name)
    if (links > 0) this.violation('a closed client has no connections', `${links} are open`)
  }

  #mortal(reactor: Reactor): Reactor {
    const whileAlive = (task: () => void) => () => {
      if (this.#isAlive) task()
    }
    return {
      post: (task) => reactor.post(whileAlive(task)),
      postAfterInput: (task) => reactor.postAfterInput(whileAlive(task)),
      touch: (target) => reactor.touch(target),
      flushLater: (target) => reactor.flushLater(target),
      sendLater: (target) => reactor.sendLater(target),
      get turn() {
        return reactor.turn
      },
    }
  }
}
