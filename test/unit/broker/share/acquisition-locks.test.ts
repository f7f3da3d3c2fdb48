import { expect, it } from 'vitest'
import { AcquisitionLocks } from '../../../../broker/share/acquisition-locks.ts'
import { type AcquisitionLock, NEW_RUN, type RecordRun } from '../../../../broker/share/record-run.ts'
import { createSimRuntime } from '../../../../common/runtime/sim/runtime.ts'

const LOCK_MS = 30

function locks() {
  const sim = createSimRuntime({ seed: 1 })
  const expired: AcquisitionLock[] = []
  const taken = new AcquisitionLocks({
    scheduler: sim.scheduler.scope('share partition'),
    label: 'acquisition lock',
    durationMs: () => LOCK_MS,
    onExpired: (lock) => expired.push(lock),
  })
  return { sim, taken, expired }
}

const runWith = (lock: AcquisitionLock | undefined, before?: RecordRun): RecordRun => ({
  ...NEW_RUN,
  lock,
  before,
})

it('an acquisition lock expires once, at its time', () => {
  const { sim, taken, expired } = locks()
  const lock = taken.take()
  sim.advance(LOCK_MS - 1)
  expect(expired).toEqual([])
  sim.advance(2 * LOCK_MS)
  expect(expired).toEqual([lock])
  expect(lock.isExpired).toBe(true)
})

it('an acquisition lock ends early when nobody has any of its records', () => {
  const { sim, taken, expired } = locks()
  const kept = taken.take()
  taken.take()
  taken.cancelUnused([runWith(kept)])
  sim.advance(LOCK_MS)
  expect(expired).toEqual([kept])
})

it('an acquisition lock runs on while an acknowledgement of its records is not persisted', () => {
  const { sim, taken, expired } = locks()
  const lock = taken.take()
  taken.cancelUnused([runWith(undefined, runWith(lock))])
  sim.advance(LOCK_MS)
  expect(expired).toEqual([lock])
})
