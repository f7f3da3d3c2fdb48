/**
 * The world as one parameter. A broker is a function of frames, time and a seed; all three enter through here.
 * `node/runtime.ts` builds the real one, `sim/runtime.ts` the simulated one.
 */
import type { Clock } from './clock.ts'
import type { FileSystem } from './files.ts'
import type { Random } from './random.ts'
import type { Reactor } from './reactor.ts'
import type { Scheduler } from './scheduler.ts'
import type { Trace } from './trace.ts'
import type { Transport } from './transport.ts'

export interface Runtime {
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly random: Random
  readonly files: FileSystem
  readonly transport: Transport
  readonly reactor: Reactor
  readonly trace: Trace
}
