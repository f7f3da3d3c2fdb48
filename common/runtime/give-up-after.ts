/** Work that nobody waits for without end. */
import type { Scheduler } from './scheduler.ts'

export interface Patience {
  /** Of the timer. */
  readonly label: string
  readonly limitMs: number
  /** Asked once, at the limit: why it is given up; undefined to wait on. */
  readonly reason: () => Error | undefined
}

/** The end of `work`, or the reason why it is not waited for any longer; the work itself goes on. */
export function giveUpAfter<T>(
  scheduler: Pick<Scheduler, 'schedule'>,
  work: Promise<T>,
  { label, limitMs, reason }: Patience,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = scheduler.schedule(label, limitMs, () => {
      const error = reason()
      if (error !== undefined) reject(error)
    })
    work.then(resolve, reject).finally(() => timer.cancel())
  })
}
