/**
 * The signals that end a server: the first asks it to stop cleanly, a second one ends the process at once.
 */
const SIGNAL_NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const

export type StopSignal = keyof typeof SIGNAL_NUMBERS

/** Resolves with the first signal. @param onSecond called with the exit code that shells expect of a signal */
export function firstStopSignal(onSecond: (exitCode: number) => void): Promise<StopSignal> {
  return new Promise((resolve) => {
    let isFirst = true
    for (const [signal, number] of Object.entries(SIGNAL_NUMBERS)) {
      process.on(signal, () => {
        if (!isFirst) onSecond(128 + number)
        isFirst = false
        resolve(signal as StopSignal)
      })
    }
  })
}
