/**
 * A place where one application runs after the other: when one has ended, or its process was killed, the next life begins a while later, as under
 * a supervisor. Owner: the simulation.
 */
import type { SimCluster } from '../cluster/sim-cluster.ts'
import type { Application } from './application.ts'
import { ClientProcess } from './client-process.ts'

/** A closed client may still have a turn to run. */
const LEAK_CHECK_MS = 10

export class ApplicationSlot {
  readonly name: string
  readonly #cluster: SimCluster
  readonly #make: (process: ClientProcess) => Application
  readonly #ended: ClientProcess[] = []
  #application: Application | undefined
  /** Those that run on although another has taken their place. */
  readonly #displaced = new Set<Application>()
  #lives = 0
  #isLast = false
  /** A life is to begin. */
  #isDue = false

  constructor(name: string, cluster: SimCluster, make: (process: ClientProcess) => Application) {
    this.name = name
    this.#cluster = cluster
    this.#make = make
  }

  /** Of all lives that are not over. */
  get processes(): readonly ClientProcess[] {
    const present = this.#application === undefined ? [] : [this.#application]
    return [...this.#displaced, ...present].map(({ process }) => process)
  }

  /** Of the present life. */
  get process(): ClientProcess | undefined {
    return this.#application?.process
  }

  get application(): Application | undefined {
    return this.#application
  }

  /** Nothing runs here any more, after `finish`. */
  get isOver(): boolean {
    return this.#isLast && this.#application === undefined && this.#displaced.size === 0 && !this.#isDue
  }

  start(): void {
    this.#isDue = false
    this.#lives += 1
    const process = new ClientProcess(`${this.name}-${this.#lives}`, this.#cluster)
    process.event('starts')
    const application = this.#make(process)
    this.#application = application
    application.run().then(
      () => this.#hasEnded(application),
      (error: unknown) => this.#cluster.fail(error),
    )
    if (this.#isLast) application.stop(true)
  }

  /** The process dies at once; the next starts after a while. */
  kill(pauseMs: number): void {
    this.process?.kill()
    this.#application = undefined
    this.#startLater(pauseMs)
  }

  /** The application ends in order; the next starts after a while. */
  end(pauseMs: number): void {
    const { process } = this
    process?.event('is to end')
    this.#pauseMs = pauseMs
    this.#application?.stop(false)
  }

  /** An operator starts another although this one runs. */
  startSecond(): void {
    const application = this.#application
    if (application === undefined || this.#isLast) return
    application.process.event('is to be displaced')
    this.#displaced.add(application)
    this.start()
  }

  #pauseMs = 0

  /** All is well again: what was begun comes to its end, and no other life follows. */
  finish(): void {
    this.#isLast = true
    for (const application of this.#displaced) application.stop(true)
    this.#application?.stop(true)
  }

  checkNoLinkIsLeft(): void {
    for (const process of this.#ended) process.checkNoLinkIsLeft()
  }

  #hasEnded(application: Application): void {
    const { process } = application
    const wasDisplaced = this.#displaced.delete(application)
    if (this.#application !== application && !wasDisplaced) return
    if (!wasDisplaced) this.#application = undefined
    this.#ended.push(process)
    this.#cluster.world.scheduler.schedule('what is left of a client', LEAK_CHECK_MS, () => {
      if (!process.isFrozen) process.checkNothingIsLeft()
    })
    if (!this.#isLast && !wasDisplaced) this.#startLater(this.#pauseMs)
  }

  #startLater(pauseMs: number): void {
    this.#isDue = true
    this.#cluster.world.scheduler.schedule('the next life of an application', pauseMs, () => this.start())
  }
}
