import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { maxTasksPerTurn } from '../../../../common/runtime/limits.ts'
import { createNodeRuntime } from '../../../../common/runtime/node/runtime.ts'
import { TraceBus } from '../../../../common/runtime/trace-bus.ts'
import { manualDriver, TurnReactor } from '../../../../common/runtime/turn-reactor.ts'

function start() {
  const trace = new TraceBus()
  const events: string[] = []
  trace.listen((event) => events.push(event.kind), 'error')
  const bugs: string[] = []
  const reactor = new TurnReactor({
    clock: { wallMs: () => 0, monotonicMs: () => 0 },
    trace,
    driver: manualDriver,
    onBug: (error, phase) => bugs.push(`${phase}: ${(error as Error).message}`),
  })
  const steps: string[] = []
  return { reactor, steps, bugs, events, step: (name: string) => () => steps.push(name) }
}

describe('a turn', () => {
  it('runs tasks, then wakes, then flushes, then sends', () => {
    const { reactor, steps, step } = start()
    reactor.sendLater({ sendPending: step('send') })
    reactor.flushLater({ flush: step('flush') })
    reactor.touch({ wake: step('wake') })
    reactor.post(step('task'))
    reactor.runUntilIdle()
    expect(steps).toEqual(['task', 'wake', 'flush', 'send'])
    expect(reactor.turn).toBe(1)
  })

  it('runs tasks in the order posted, those posted meanwhile included', () => {
    const { reactor, steps, step } = start()
    reactor.post(() => {
      step('1')()
      reactor.post(step('3'))
    })
    reactor.post(step('2'))
    reactor.runUntilIdle()
    expect(steps).toEqual(['1', '2', '3'])
    expect(reactor.turn).toBe(1)
  })

  it('wakes until nobody touches anybody any more, and each once per touch', () => {
    const { reactor, steps } = start()
    let rounds = 0
    const follower = { wake: () => void steps.push('follower') }
    const leader = {
      wake: () => {
        steps.push('leader')
        reactor.touch(follower)
        reactor.touch(follower)
        if (++rounds < 3) reactor.touch(leader)
      },
    }
    reactor.touch(leader)
    reactor.touch(leader)
    reactor.runUntilIdle()
    expect(steps).toEqual(['leader', 'follower', 'leader', 'follower', 'leader', 'follower'])
    expect(reactor.turn).toBe(1)
  })

  it('flushes everything that waking appended before it sends', () => {
    const { reactor, steps, step } = start()
    const log = { flush: step('flush') }
    reactor.flushLater({
      flush: () => {
        step('failed flush')()
        reactor.touch({
          wake: () => {
            step('wake after')()
            reactor.flushLater(log)
          },
        })
      },
    })
    reactor.sendLater({ sendPending: step('send') })
    reactor.runUntilIdle()
    expect(steps).toEqual(['failed flush', 'wake after', 'flush', 'send'])
  })

  it('leaves tasks above the bound to the next turn, after the answers of the first have left', () => {
    const { reactor, steps } = start()
    let done = 0
    for (let index = 0; index < maxTasksPerTurn * 2; index++) reactor.post(() => done++)
    reactor.sendLater({ sendPending: () => void steps.push(`sent after ${done}`) })
    reactor.runUntilIdle()
    expect(steps).toEqual([`sent after ${maxTasksPerTurn}`])
    expect(done).toBe(maxTasksPerTurn * 2)
    expect(reactor.turn).toBe(2)
  })

  it('leaves tasks to the next turn when its time is over', () => {
    let nowMs = 0
    const reactor = new TurnReactor({
      clock: { wallMs: () => nowMs, monotonicMs: () => nowMs },
      trace: new TraceBus(),
      driver: manualDriver,
    })
    const slow = (): void => {
      nowMs += 6
    }
    for (let index = 0; index < 5; index++) reactor.post(slow)
    reactor.runUntilIdle()
    expect(reactor.turn).toBe(3)
  })

  it('does the rest of its work when a part of it throws, and tells of it', () => {
    const { reactor, steps, bugs, events, step } = start()
    const fail = (name: string) => () => {
      throw new Error(name)
    }
    reactor.post(fail('a'))
    reactor.post(step('task'))
    reactor.touch({ wake: fail('b') })
    reactor.touch({ wake: step('wake') })
    reactor.flushLater({ flush: fail('c') })
    reactor.flushLater({ flush: step('flush') })
    reactor.sendLater({ sendPending: fail('d') })
    reactor.sendLater({ sendPending: step('send') })
    reactor.runUntilIdle()
    expect(steps).toEqual(['task', 'wake', 'flush', 'send'])
    expect(bugs).toEqual(['task: a', 'wake: b', 'flush: c', 'send: d'])
    expect(events).toEqual(['reactor.bug', 'reactor.bug', 'reactor.bug', 'reactor.bug'])
  })

  it('throws what the bug hook throws only when it is complete', () => {
    const steps: string[] = []
    const reactor = new TurnReactor({
      clock: { wallMs: () => 0, monotonicMs: () => 0 },
      trace: new TraceBus(),
      driver: manualDriver,
      onBug: (error) => {
        throw error
      },
    })
    reactor.post(() => {
      throw new Error('first')
    })
    reactor.sendLater({ sendPending: () => void steps.push('send') })
    expect(() => reactor.runUntilIdle()).toThrow('first')
    expect(steps).toEqual(['send'])
    reactor.post(() => void steps.push('next'))
    reactor.runUntilIdle()
    expect(steps).toEqual(['send', 'next'])
  })

  it('ends although two objects touch each other for ever, and says so', () => {
    const { reactor, steps, events, step } = start()
    const ping = { wake: () => reactor.touch(pong) }
    const pong = { wake: () => reactor.touch(ping) }
    reactor.touch(ping)
    reactor.sendLater({ sendPending: step('send') })
    reactor.runTurn()
    expect(steps).toEqual(['send'])
    expect(events).toEqual(['reactor.livelock'])
  })

  it('ends although a flush asks for another for ever, and says so', () => {
    const { reactor, events } = start()
    const log = { flush: () => reactor.flushLater(log) }
    reactor.flushLater(log)
    reactor.runTurn()
    expect(events).toEqual(['reactor.livelock'])
  })

  it('gives up waiting for idleness when work feeds itself', () => {
    const { reactor } = start()
    const again = (): void => reactor.sendLater({ sendPending: again })
    again()
    expect(() => reactor.runUntilIdle(100)).toThrow(/not idle after 100 turns/)
  })

  it('refuses to nest', () => {
    const { reactor, bugs } = start()
    reactor.post(() => reactor.runUntilIdle())
    reactor.post(() => reactor.runTurn())
    reactor.runTurn()
    expect(bugs).toContain('task: a turn was started inside a turn')
  })
})

describe('turns of a real process', () => {
  it('start by themselves after the first post and let the event loop run between them', async () => {
    const { reactor, close } = createNodeRuntime()
    const steps: string[] = []
    reactor.post(() => {
      steps.push('task')
      reactor.sendLater({ sendPending: () => reactor.post(() => void steps.push('second turn')) })
    })
    expect(steps).toEqual([])
    await setImmediate()
    expect(steps).toEqual(['task'])
    await setImmediate()
    expect(steps).toEqual(['task', 'second turn'])
    close()
  })
})
