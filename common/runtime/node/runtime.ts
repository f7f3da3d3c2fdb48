/** The real world as one parameter. */
import { totalmem } from 'node:os'
import type { Clock } from '../clock.ts'
import { HeapScheduler, virtualAlarm } from '../heap-scheduler.ts'
import type { Random } from '../random.ts'
import type { Runtime } from '../runtime.ts'
import type { SchedulerScope } from '../scheduler.ts'
import { SeededRandom } from '../seeded-random.ts'
import { TraceBus } from '../trace-bus.ts'
import { type TurnPhase, TurnReactor } from '../turn-reactor.ts'
import { VirtualClock, VirtualTime } from '../virtual-clock.ts'
import { ServingClock, systemClock } from './clock.ts'
import { SystemRandom } from './entropy.ts'
import { createNodeFiles } from './files.ts'
import { ProcessHold } from './process-hold.ts'
import { RealTimers } from './real-timers.ts'
import { TcpTransport } from './transport-tcp.ts'
import { immediateDriver, nodeAlarm, promptDriver } from './turn-driver.ts'

export interface NodeRuntimeOptions {
  /** Makes ids and jitter repeatable; the system's entropy when absent. */
  readonly seed?: number | string
  /** `virtual`: real sockets and files, but time passes only when `time.advance` is called. */
  readonly clock?: 'real' | 'virtual'
  /** Whether a waiting timer keeps the process alive, until `processHold` lets go; false, because a server's listeners do. */
  readonly timersKeepProcessAlive?: boolean
  /** Time in which the process did not run counts for no timer, see `ServingClock`: for brokers. */
  readonly forgetsStalls?: boolean
  /** Turns begin at once, see `promptDriver`: for clients. A broker gains from what many sockets bring in one turn. */
  readonly areTurnsPrompt?: boolean
  /** Told of every exception that escaped a task; see `TurnReactorOptions.onBug`. */
  readonly onBug?: (error: unknown, phase: TurnPhase) => void
  /** Takes the place of the system's resolver. */
  readonly lookup?: (
    host: string,
    done: (error: Error | undefined, addresses: readonly string[]) => void,
  ) => void
}

export interface NodeRuntime extends Runtime {
  readonly reactor: TurnReactor
  readonly scheduler: HeapScheduler
  /** What moves time when the clock is virtual. */
  readonly time: VirtualTime | undefined
  /** Memory of the machine, or of the container where that has less. */
  readonly memoryBytes: number
  /** Identities for links of transports that share this process. */
  readonly nextLinkId: () => number
  /** Timers of real time whatever the clock is: for sockets, and for limits that people wait for. */
  readonly realTimers: SchedulerScope
  /** Of timers and opened connections; undefined where timers never keep the process alive. */
  readonly processHold: ProcessHold | undefined
  /** Cancels every timer. Links, listeners and files belong to those who opened them. */
  close(): void
}

export function createNodeRuntime(options: NodeRuntimeOptions = {}): NodeRuntime {
  const virtualClock = options.clock === 'virtual' ? new VirtualClock() : undefined
  const servingClock =
    virtualClock === undefined && options.forgetsStalls === true ? new ServingClock() : undefined
  const clock: Clock = virtualClock ?? servingClock ?? systemClock
  const trace = new TraceBus()
  const random: Random = options.seed === undefined ? new SystemRandom() : new SeededRandom(options.seed)
  const reactor = new TurnReactor({
    clock,
    trace,
    driver: options.areTurnsPrompt === true ? promptDriver() : immediateDriver,
    ...(options.onBug === undefined ? {} : { onBug: options.onBug }),
  })
  const processHold = options.timersKeepProcessAlive === true ? new ProcessHold() : undefined
  const alarm = virtualClock === undefined ? nodeAlarm(processHold) : virtualAlarm
  const scheduler = new HeapScheduler({
    clock,
    reactor,
    alarm,
    ...(servingClock === undefined
      ? {}
      : { onStall: (durationMs: number) => servingClock.forget(durationMs) }),
  })
  const realTimers = new RealTimers(reactor)
  let lastLinkId = 0
  const nextLinkId = (): number => ++lastLinkId
  const { lookup } = options
  return {
    clock,
    scheduler,
    random,
    files: createNodeFiles({ post: (task) => reactor.post(task) }),
    transport: new TcpTransport({
      reactor,
      // Sockets live in real time: one that hangs must end although nobody moves the virtual clock.
      scheduler: virtualClock === undefined ? scheduler : realTimers,
      trace,
      nextLinkId,
      ...(processHold === undefined ? {} : { processHold }),
      ...(lookup === undefined ? {} : { lookup }),
    }),
    reactor,
    trace,
    time:
      virtualClock === undefined ? undefined : new VirtualTime({ clock: virtualClock, scheduler, reactor }),
    memoryBytes: Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY),
    nextLinkId,
    realTimers,
    processHold,
    close: () => {
      scheduler.close()
      realTimers.close()
    },
  }
}
