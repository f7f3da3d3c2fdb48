/** How long the HTTP interface waits for a broker that starts. */
import { giveUpAfter } from '../../common/runtime/give-up-after.ts'
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
  const notReady = (reason: string): NotReadyYet =>
    new NotReadyYet(`The broker is up but serves nobody yet: ${reason}. It goes on by itself.`)
  const led = giveUpAfter(scheduler, work, {
    label: 'start without quorum',
    limitMs: WITHOUT_QUORUM_MS,
    reason: () => {
      const lack = cluster.lackOfQuorum
      return lack === undefined ? undefined : notReady(lack)
    },
  })
  return giveUpAfter(scheduler, led, {
    label: 'start of a broker',
    limitMs: LIMIT_MS,
    reason: () => notReady(cluster.lackOfQuorum ?? `it was waited for ${LIMIT_MS / 1000} s`),
  })
}
