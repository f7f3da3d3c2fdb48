/** The clock of the machine. */
import { performance } from 'node:perf_hooks'
import type { Clock } from '../clock.ts'

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
}
