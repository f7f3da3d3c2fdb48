/** What starts turns in a real process: `setImmediate` after the first post, and one Node timer for the earliest timer. */
import type { Alarm } from '../heap-scheduler.ts'
import { maxAlarmDelayMs } from '../limits.ts'
import type { TurnDriver } from '../turn-reactor.ts'

export const immediateDriver: TurnDriver = {
  request: (runTurn) => {
    setImmediate(runTurn)
  },
}

/**
 * @param keepsProcessAlive false for servers, whose listeners keep the process alive: a session time-out must not
 * delay its end. true for programs that live by their timers, such as a client that waits to connect again.
 */
export function nodeAlarm(keepsProcessAlive: boolean): Alarm {
  let timeout: NodeJS.Timeout | undefined
  return {
    set: (delayMs, ring) => {
      clearTimeout(timeout)
      timeout = setTimeout(ring, Math.min(Math.max(1, Math.ceil(delayMs)), maxAlarmDelayMs))
      if (!keepsProcessAlive) timeout.unref()
    },
    clear: () => {
      clearTimeout(timeout)
      timeout = undefined
    },
  }
}
