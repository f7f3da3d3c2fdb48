/** How long the HTTP interface waits for a broker that starts. */
import type { ControlledCluster } from './cluster-control.ts'

/** After that long nobody hopes for a majority that is not there. */
const WITHOUT_QUORUM_MS = 5_000
/** For all else, such as the recovery of large logs; below the limit of `kafkito broker`. */
const LIMIT_MS = 25_000

export class NotReadyYet extends Error {
  override readonly name = 'NotReadyYet'
}

/** The end of the start, or the reason why it is not waited for any longer; the broker goes on with it. @throws NotReadyYet */
export function startWithinLimit<T>(cluster: ControlledCluster, work: Promise<T>): Promise<T> {
  const { scheduler } = cluster.runtime
  return new Promise((resolve, reject) => {
    const giveUp = (reason: string): void =>
      reject(new NotReadyYet(`The broker is up but serves nobody yet: ${reason}. It goes on by itself.`))
    let timer = scheduler.schedule('start without quorum', WITHOUT_QUORUM_MS, () => {
      const lack = cluster.lackOfQuorum
      if (lack !== undefined) return giveUp(lack)
      timer = scheduler.schedule('start of a broker', LIMIT_MS - WITHOUT_QUORUM_MS, () =>
        giveUp(cluster.lackOfQuorum ?? `it was waited for ${LIMIT_MS / 1000} s`),
      )
    })
    work.then(resolve, reject).finally(() => timer.cancel())
  })
}
