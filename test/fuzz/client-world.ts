/**
 * A cluster and the clients of one test in a simulated world, with a network between them on which answers are mangled while the
 * test says so. Time is virtual: what takes longer than it may is seen at once.
 */
import { expect } from 'vitest'
import { type Cluster, startCluster } from '../../broker/cluster.ts'
import { type ClientHooks, KafkaException } from '../../client/index.ts'
import type { Random } from '../../common/runtime/random.ts'
import { SeededRandom } from '../../common/runtime/seeded-random.ts'
import { createSimRuntime, type SimRuntime } from '../../common/runtime/sim/runtime.ts'
import type { Link } from '../../common/runtime/transport.ts'
import { type Answer, hostileTransport } from './hostile-transport.ts'
import { mangled } from './mangle-answers.ts'

/** Rounds of microtasks after which a promise that can go on has done so. */
const MICROTASK_ROUNDS = 25

export class ClientWorld {
  readonly sim: SimRuntime
  readonly random: Random
  /** Exceptions that escaped a task: there must be none. */
  readonly bugs: unknown[] = []
  /** Share of the answers that are lies. */
  hostility = 0
  /** Which answers may be lies. */
  mayLie: (answer: Answer) => boolean = () => true
  /** What was done last to answers, for a test that fails. */
  readonly lies: string[] = []
  #cluster: Cluster | undefined
  #bootstrap = ''
  #links: Link[] = []
  readonly #seed: number

  private constructor(seed: number) {
    this.#seed = seed
    this.random = new SeededRandom(`lies of ${seed}`)
    this.sim = createSimRuntime({ seed, onBug: (error) => this.bugs.push(error) })
  }

  static async start(seed: number, brokers = 1): Promise<ClientWorld> {
    const world = new ClientWorld(seed)
    const runtime = world.sim.machine('cluster')
    const config = { 'group.initial.rebalance.delay.ms': 0, 'offsets.topic.num.partitions': 1 }
    world.#cluster = await world.settle(
      'the start',
      startCluster({ runtime, brokers, port: 9092, dataDir: '/data', config }),
      120_000,
    )
    world.#bootstrap = world.#cluster.bootstrapServers
    return world
  }

  get bootstrap(): string {
    return this.#bootstrap
  }

  get nowMs(): number {
    return this.sim.clock.monotonicMs()
  }

  /** What a client of this world is made with that hears the truth always. */
  honestHooks(name: string): ClientHooks {
    return { runtime: this.sim.machine(name) }
  }

  /** What a client of this world is made with. */
  hooks(name: string): ClientHooks {
    const machine = this.sim.machine(name)
    const transport = hostileTransport(
      machine.transport,
      (answer) => {
        const { random } = this
        if (random.float() >= this.hostility || !this.mayLie(answer)) return [answer.bytes]
        const result = mangled(random, answer)
        const text = result === 'disconnect' ? result : result.map((bytes) => bytes.toString('hex')).join(' ')
        const told = `${answer.api.name} v${answer.version}: ${text.slice(0, 300)}`
        this.lies.push(`${Math.round(this.nowMs)} ${name} ${told}`)
        return result
      },
      (link) => this.#links.push(link),
    )
    return { runtime: { ...machine, transport } }
  }

  /** The value, or the exception that the call ended with. Fails when it takes longer than it may, or ends with anything else. */
  async outcome<T>(what: string, promise: Promise<T>, limitMs: number): Promise<T | KafkaException> {
    try {
      return await this.settle(what, promise, limitMs)
    } catch (error) {
      if (!(error instanceof KafkaException)) throw this.#failure(what, error)
      expect(error.message, what).not.toBe('')
      return error
    }
  }

  /** Lets the world go on until the promise is settled. */
  async settle<T>(what: string, promise: Promise<T>, limitMs: number): Promise<T> {
    let isSettled = false
    const settled = (): void => {
      isSettled = true
    }
    promise.then(settled, settled)
    const deadlineMs = this.nowMs + limitMs
    for (;;) {
      for (let round = 0; round < MICROTASK_ROUNDS && !isSettled; round++) await undefined
      if (isSettled) break
      this.sim.runUntilIdle()
      for (let round = 0; round < MICROTASK_ROUNDS && !isSettled; round++) await undefined
      if (isSettled) break
      if (this.nowMs > deadlineMs) throw this.#failure(what, new Error(`took more than ${limitMs} ms`))
      if (!this.sim.time.advanceToNextTimer())
        throw this.#failure(what, new Error('nothing will ever settle it'))
    }
    this.checkBugs(what)
    return await promise
  }

  /** The brokers come back and tell the truth. What was told of the versions of a connection ends with it. */
  becomeHonest(): void {
    this.hostility = 0
    for (const link of this.#links) link.destroy()
    this.#links = []
  }

  /** Lets so much time pass. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.sim.scheduler.schedule('the test waits', ms, resolve))
  }

  checkBugs(what: string): void {
    if (this.bugs.length > 0) throw this.#failure(what, this.bugs[0])
  }

  async stop(): Promise<void> {
    if (this.#cluster !== undefined) await this.settle('the end', this.#cluster.stop(), 120_000)
  }

  #failure(what: string, cause: unknown): Error {
    const last = this.lies.slice(-12).join('\n  ')
    const text = cause instanceof Error ? cause.stack : String(cause)
    return new Error(`SEED=${this.#seed} ${what}: ${text}\nthe last lies were\n  ${last}`, { cause })
  }
}
