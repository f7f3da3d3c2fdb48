import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createNodeRuntime } from '../../../../common/runtime/node/runtime.ts'
import { createSimRuntime } from '../../../../common/runtime/sim/runtime.ts'

function world(seededTimerOrder = false) {
  const sim = createSimRuntime({ seed: 1, seededTimerOrder })
  const fired: string[] = []
  const fire = (label: string) => () => fired.push(`${label}@${sim.clock.monotonicMs()}`)
  return { sim, fired, fire }
}

describe('virtual time', () => {
  it('fires timers at their own time and in order', () => {
    const { sim, fired, fire } = world()
    sim.scheduler.schedule('b', 20, fire('b'))
    sim.scheduler.schedule('a', 10, fire('a'))
    sim.scheduler.schedule('c', 20, fire('c'))
    sim.advance(19)
    expect(fired).toEqual(['a@10'])
    sim.advance(100)
    expect(fired).toEqual(['a@10', 'b@20', 'c@20'])
    expect(sim.clock.monotonicMs()).toBe(119)
  })

  it('fires timers that timers make when they fall into the span', () => {
    const { sim, fired, fire } = world()
    sim.scheduler.schedule('outer', 10, () => {
      sim.scheduler.schedule('inner', 5, fire('inner'))
      sim.scheduler.schedule('late', 50, fire('late'))
    })
    sim.advance(20)
    expect(fired).toEqual(['inner@15'])
  })

  it('finishes all that a timer caused before the next one of the same time', () => {
    const { sim, fired, fire } = world()
    sim.scheduler.schedule('first', 10, () => {
      expect(sim.reactor.isRunning).toBe(true)
      sim.reactor.post(() => sim.reactor.post(fire('caused')))
    })
    sim.scheduler.schedule('second', 10, fire('second'))
    sim.advance(10)
    expect(fired).toEqual(['caused@10', 'second@10'])
  })

  it('tells the next timer and moves to it', () => {
    const { sim, fired, fire } = world()
    expect(sim.time.nextTimer()).toBeUndefined()
    expect(sim.time.advanceToNextTimer()).toBe(false)
    sim.scheduler.schedule('session timeout of member m-1 in group g', 45_000, fire('session'))
    expect(sim.time.nextTimer()).toMatchObject({
      label: 'session timeout of member m-1 in group g',
      dueMs: 45_000,
    })
    expect(sim.time.advanceToNextTimer()).toBe(true)
    expect(fired).toEqual(['session@45000'])
  })

  it('fires a timer without delay when the reactor runs, without time passing', () => {
    const { sim, fired, fire } = world()
    sim.scheduler.schedule('now', 0, fire('now'))
    expect(fired).toEqual([])
    sim.runUntilIdle()
    expect(fired).toEqual(['now@0'])
  })

  it('lets the wall clock step without touching timers', () => {
    const { sim, fired, fire } = world()
    sim.scheduler.schedule('a', 10, fire('a'))
    const before = sim.clock.wallMs()
    sim.clock.stepWall(-3_600_000)
    sim.advance(10)
    expect(fired).toEqual(['a@10'])
    expect(sim.clock.wallMs()).toBe(before - 3_600_000 + 10)
  })

  it('drives timers on a runtime with real sockets and files as well', async () => {
    const runtime = createNodeRuntime({ clock: 'virtual' })
    const fired: string[] = []
    runtime.scheduler.schedule('far', 1_000_000, () => fired.push('far'))
    runtime.time?.advance(999_999)
    runtime.scheduler.schedule('now', 0, () => fired.push('now'))
    await setImmediate()
    await setImmediate()
    expect(fired).toEqual(['now'])
    runtime.time?.advance(1)
    runtime.scheduler.schedule('now again', 0, () => fired.push('now again'))
    await setImmediate()
    await setImmediate()
    expect(fired).toEqual(['now', 'far', 'now again'])
    runtime.close()
  })
})

describe('timers of equal time in a simulation', () => {
  const order = (seed: number): string => {
    const sim = createSimRuntime({ seed })
    let fired = ''
    for (const label of 'abcdefgh')
      sim.scheduler.schedule(label, 5, () => {
        fired += label
      })
    sim.advance(5)
    return fired
  }

  it('fire in an order that the seed chooses', () => {
    expect(order(1)).toBe(order(1))
    expect(new Set([1, 2, 3, 4].map(order)).size).toBeGreaterThan(1)
    expect([...order(1)].sort().join('')).toBe('abcdefgh')
  })
})

describe('a cancelled timer', () => {
  it('never fires, also when a timer of the same moment cancels it', () => {
    const { sim, fired, fire } = world()
    const early = sim.scheduler.schedule('early', 5, fire('early'))
    sim.scheduler.schedule('killer', 10, () => victim.cancel())
    const victim = sim.scheduler.schedule('victim', 10, fire('victim'))
    early.cancel()
    early.cancel()
    sim.advance(100)
    expect(fired).toEqual([])
    expect(sim.scheduler.pending()).toEqual([])
    victim.cancel()
  })
})

describe('a scope of timers', () => {
  it('loses its timers and refuses new ones when it is closed', () => {
    const { sim, fired, fire } = world()
    const broker = sim.scheduler.scope('broker 1')
    broker.schedule('a', 10, fire('a'))
    broker.scope('group g').schedule('b', 10, fire('b'))
    sim.scheduler.schedule('other', 10, fire('other'))
    expect(broker.pending().map(({ label }) => label)).toEqual(['a', 'b'])
    broker.close()
    broker.schedule('late', 1, fire('late')).cancel()
    broker.schedule('later', 1, fire('later'))
    expect(sim.scheduler.pending().map(({ label }) => label)).toEqual(['other'])
    sim.advance(100)
    expect(fired).toEqual(['other@10'])
  })

  it('keeps what comes due while it is frozen and fires it in order when it thaws', () => {
    const { sim, fired, fire } = world()
    const broker = sim.scheduler.scope('broker 1')
    broker.schedule('b', 20, fire('b'))
    broker.schedule('a', 10, fire('a'))
    const cancelled = broker.schedule('cancelled', 15, fire('cancelled'))
    broker.schedule('later', 500, fire('later'))
    sim.scheduler.schedule('other', 30, fire('other'))
    broker.freeze()
    expect(sim.time.nextTimer()?.label).toBe('other')
    sim.advance(100)
    expect(fired).toEqual(['other@30'])
    expect(broker.pending().map(({ label }) => label)).toEqual(['a', 'cancelled', 'b', 'later'])
    cancelled.cancel()
    broker.thaw()
    sim.runUntilIdle()
    expect(fired).toEqual(['other@30', 'a@100', 'b@100'])
    sim.advance(400)
    expect(fired.at(-1)).toBe('later@500')
  })

  it('loses held timers when it is closed while frozen', () => {
    const { sim, fired, fire } = world()
    const broker = sim.scheduler.scope('broker 1')
    broker.schedule('a', 10, fire('a'))
    broker.freeze()
    sim.advance(20)
    broker.close()
    broker.thaw()
    sim.advance(20)
    expect(fired).toEqual([])
    expect(sim.scheduler.pending()).toEqual([])
  })
})

describe('real time', () => {
  it('fires timers in order inside turns and never early', async () => {
    const runtime = createNodeRuntime({ timersKeepProcessAlive: true })
    const started = runtime.clock.monotonicMs()
    const fired: string[] = []
    await new Promise<void>((resolve) => {
      for (const delay of [3, 1, 2]) {
        runtime.scheduler.schedule(`${delay}`, delay, () => {
          expect(runtime.reactor.isRunning).toBe(true)
          expect(runtime.clock.monotonicMs() - started).toBeGreaterThanOrEqual(delay)
          fired.push(`${delay}`)
          if (fired.length === 3) resolve()
        })
      }
      runtime.scheduler.schedule('cancelled', 1, () => fired.push('cancelled')).cancel()
    })
    expect(fired).toEqual(['1', '2', '3'])
    runtime.close()
  })

  it('arms anew when an earlier timer comes, and clears the alarm when none is left', async () => {
    const runtime = createNodeRuntime({ timersKeepProcessAlive: true })
    const far = runtime.scheduler.schedule('far', 3_000_000_000, () => {})
    await new Promise<void>((resolve) => void runtime.scheduler.schedule('near', 2, resolve))
    expect(runtime.scheduler.pending()).toEqual([far])
    far.cancel()
    expect(runtime.scheduler.pending()).toEqual([])
  })
})
