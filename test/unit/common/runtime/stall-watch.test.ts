import { expect, it } from 'vitest'
import type { Clock } from '../../../../common/runtime/clock.ts'
import { type Alarm, HeapScheduler } from '../../../../common/runtime/heap-scheduler.ts'
import { TraceBus } from '../../../../common/runtime/trace-bus.ts'
import { manualDriver, TurnReactor } from '../../../../common/runtime/turn-reactor.ts'

/** A process of which the test says when it runs: `passMs` of the machine's time go by, then it is awake. */
function process() {
  let machineMs = 1000
  let missedMs = 0
  const clock: Clock = { wallMs: () => machineMs, monotonicMs: () => machineMs - missedMs }
  const reactor = new TurnReactor({ clock, trace: new TraceBus(), driver: manualDriver })
  const alarm: Alarm = { set: () => {}, clear: () => {} }
  const scheduler = new HeapScheduler({
    clock,
    reactor,
    alarm,
    onStall: (durationMs) => {
      missedMs += durationMs
    },
  })
  const fired: string[] = []
  return {
    reactor,
    scheduler,
    fired,
    timer: (label: string, delayMs: number) =>
      scheduler.schedule(label, delayMs, () => {
        fired.push(label)
      }),
    passMs: (durationMs: number) => {
      machineMs += durationMs
    },
    wake: () => {
      reactor.requestTurn()
      reactor.runTurn()
    },
    missedMs: () => missedMs,
  }
}

it('a process that stood still finds the timers due that were due when it stopped, and not all later ones', () => {
  const { timer, passMs, wake, fired } = process()
  timer('the answer to a fetch', 500)
  timer('the time-out of the fetch', 2000)
  passMs(10_000)
  wake()
  expect(fired).toEqual(['the answer to a fetch'])
  passMs(1399)
  wake()
  expect(fired).toHaveLength(1)
  passMs(1)
  wake()
  expect(fired).toEqual(['the answer to a fetch', 'the time-out of the fetch'])
})

it('a process that stands still within a turn does not count that time either', () => {
  const { timer, passMs, wake, reactor, fired } = process()
  timer('session', 1000)
  reactor.post(() => passMs(5000))
  wake()
  wake()
  expect(fired).toEqual([])
  passMs(900)
  wake()
  expect(fired).toEqual(['session'])
})

it('resting is no standstill, with a timer far ahead or without any', () => {
  const { timer, passMs, wake, missedMs, fired } = process()
  passMs(60_000)
  timer('later', 60_000)
  passMs(30_000)
  wake()
  passMs(30_050)
  wake()
  expect(fired).toEqual(['later'])
  passMs(60_000)
  timer('cancelled', 1000).cancel()
  passMs(60_000)
  wake()
  expect(missedMs()).toBe(0)
})

it('a timer that was held back in a frozen scope is late, but nothing stood still', () => {
  const { scheduler, passMs, wake, missedMs } = process()
  const scope = scheduler.scope('broker 3')
  scope.schedule('heartbeat', 100, () => {})
  scope.freeze()
  passMs(100)
  wake()
  passMs(60_000)
  scope.thaw()
  wake()
  expect(missedMs()).toBe(0)
})
