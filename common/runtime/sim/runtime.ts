/**
 * A simulated world: time, disks, network and chance belong to the test. Nothing in it waits for the real world, so a seed
 * is a run. Every machine of a simulation gets a runtime of its own from `machine`; reactor, time and network are shared.
 */
import { HeapScheduler, virtualAlarm } from '../heap-scheduler.ts'
import type { Runtime } from '../runtime.ts'
import type { SchedulerScope } from '../scheduler.ts'
import { SeededRandom } from '../seeded-random.ts'
import { TraceBus } from '../trace-bus.ts'
import { manualDriver, TurnReactor } from '../turn-reactor.ts'
import { skewedClock, VirtualClock, VirtualTime } from '../virtual-clock.ts'
import { MemoryDisk, type MemoryDiskOptions } from './files.ts'
import type { LinkConditions } from './link-carrier.ts'
import { MemoryNetwork } from './transport.ts'

export interface SimRuntimeOptions {
  readonly seed: number | string
  /** Wall clock at the beginning, in milliseconds since the epoch. */
  readonly wallMs?: number
  /** Timers that are due at the same time fire in an order chosen by the seed; true when absent. */
  readonly seededTimerOrder?: boolean
  /** How the network treats every link; immediate and lossless when absent. */
  readonly conditions?: LinkConditions
  readonly disk?: Pick<MemoryDiskOptions, 'capacityBytes' | 'trackUnsynced'>
  /** Exceptions that escape a task leave `advance` and `runUntilIdle`, unless this takes them. */
  readonly onBug?: (error: unknown) => void
}

export interface Machine extends Runtime {
  readonly files: MemoryDisk
  readonly scheduler: SchedulerScope
  /** Milliseconds by which the wall clock of this machine is ahead. */
  skewMs: number
}

export interface SimRuntime extends Runtime {
  readonly reactor: TurnReactor
  readonly scheduler: HeapScheduler
  readonly files: MemoryDisk
  readonly network: MemoryNetwork
  readonly clock: VirtualClock
  readonly time: VirtualTime
  /** Lets time pass and everything happen on the way. */
  advance(ms: number): void
  /** Lets everything happen that needs no time. */
  runUntilIdle(): void
  /**
   * The world as one machine sees it: a wall clock that may be skewed, timers, chance and a disk of its own.
   * @param disk the disk of an earlier life of the machine
   */
  machine(name: string, disk?: MemoryDisk): Machine
}

export function createSimRuntime(options: SimRuntimeOptions): SimRuntime {
  const random = new SeededRandom(options.seed)
  const clock = new VirtualClock(options.wallMs)
  const trace = new TraceBus()
  const rethrow = (error: unknown): void => {
    throw error
  }
  const reactor = new TurnReactor({ clock, trace, driver: manualDriver, onBug: options.onBug ?? rethrow })
  const scheduler = new HeapScheduler({
    clock,
    reactor,
    alarm: virtualAlarm,
    ...(options.seededTimerOrder === false ? {} : { tieBreaker: random.fork('timers') }),
  })
  const time = new VirtualTime({ clock, scheduler, reactor })
  const conditions = options.conditions === undefined ? {} : { conditions: options.conditions }
  const network = new MemoryNetwork({
    clock,
    reactor,
    scheduler,
    random: random.fork('network'),
    ...conditions,
  })
  const newDisk = (): MemoryDisk =>
    new MemoryDisk({ post: (task) => reactor.post(task), clock, ...options.disk })

  const machine = (name: string, disk: MemoryDisk = newDisk()): Machine => {
    const result: Machine = {
      skewMs: 0,
      clock: skewedClock(clock, () => result.skewMs),
      scheduler: scheduler.scope(name),
      random: random.fork(`machine ${name}`),
      files: disk,
      transport: network.endpoint(name),
      reactor,
      trace,
    }
    return result
  }

  return {
    clock,
    scheduler,
    random: random.fork('world'),
    files: newDisk(),
    transport: network.endpoint('world'),
    reactor,
    trace,
    network,
    time,
    advance: (ms) => time.advance(ms),
    runUntilIdle: () => time.runUntilIdle(),
    machine,
  }
}
