/**
 * What starts turns in a real process: `setImmediate` after the first post, or the end of the present callback for those who serve one
 * application, and one Node timer for the earliest timer.
 */
import type { Alarm } from '../heap-scheduler.ts'
import { maxAlarmDelayMs, maxPromptTurns } from '../limits.ts'
import type { TurnDriver } from '../turn-reactor.ts'
import type { ProcessHold } from './process-hold.ts'

export const immediateDriver: TurnDriver = {
  request: (runTurn) => {
    setImmediate(runTurn)
  },
}

/**
 * Turns begin when the running callback of the event loop and the promises that it settled are done, without another look at the
 * sockets: an answer's turn settles a promise, what the application then asks for has its own turn, and both happen in the callback
 * that read the answer. Some turns at most between two looks at the sockets; what comes after them waits for one and leaves together.
 */
export function promptDriver(): TurnDriver {
  let count = 0
  const reset = (): void => {
    count = 0
  }
  return {
    request: (runTurn) => {
      if (count >= maxPromptTurns) {
        setImmediate(runTurn)
        return
      }
      count++
      // Without a reference it runs when the loop comes by, and makes nothing come by.
      if (count === 1) setImmediate(reset).unref()
      process.nextTick(runTurn)
    },
    afterInput: (task) => {
      setImmediate(task)
    },
  }
}

/**
 * @param hold undefined for servers, whose listeners keep the process alive: a session time-out must not delay its end. Given by
 * programs that live by their timers, such as a client that waits to connect again.
 */
export function nodeAlarm(hold: ProcessHold | undefined): Alarm {
  let timeout: NodeJS.Timeout | undefined
  hold?.add({ ref: () => timeout?.ref(), unref: () => timeout?.unref() })
  return {
    set: (delayMs, ring) => {
      clearTimeout(timeout)
      timeout = setTimeout(ring, Math.min(Math.max(1, Math.ceil(delayMs)), maxAlarmDelayMs))
      if (hold?.isHeld !== true) timeout.unref()
    },
    clear: () => {
      clearTimeout(timeout)
      timeout = undefined
    },
  }
}
