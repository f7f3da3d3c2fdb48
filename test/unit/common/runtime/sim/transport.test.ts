import { describe, expect, it } from 'vitest'
import { frameOf, joinFrame } from '../../../../../common/protocol/frame.ts'
import {
  createSimRuntime,
  type SimRuntime,
  type SimRuntimeOptions,
} from '../../../../../common/runtime/sim/runtime.ts'
import type { Link, LinkCloseReason } from '../../../../../common/runtime/transport.ts'
import { describeTransport } from '../transport.conformance.ts'

describeTransport('memory', () => {
  const sim = createSimRuntime({ seed: 1 })
  return {
    reactor: sim.reactor,
    server: sim.network.endpoint('one'),
    client: sim.network.endpoint('two'),
    until: async (condition) => {
      sim.runUntilIdle()
      if (!condition()) throw new Error(`never came true: ${condition}`)
    },
    stop: () => {},
  }
})

describeTransport('memory with delay and jitter', () => {
  const sim = createSimRuntime({ seed: 2, conditions: { delayMs: 3, jitterMs: 20 } })
  return {
    reactor: sim.reactor,
    server: sim.network.endpoint('one'),
    client: sim.network.endpoint('two'),
    until: async (condition) => {
      sim.advance(1000)
      if (!condition()) throw new Error(`never came true: ${condition}`)
    },
    stop: () => {},
  }
})

interface Pair {
  readonly sim: SimRuntime
  readonly near: Link
  readonly far: Link
  readonly nearFrames: string[]
  readonly farFrames: string[]
  readonly closes: string[]
}

async function pair(options: Partial<SimRuntimeOptions> = {}): Promise<Pair> {
  const sim = createSimRuntime({ seed: 1, ...options })
  const links: Link[] = []
  const listener = await sim.network
    .endpoint('b')
    .listen({ host: 'b', port: 0, maxFrameBytes: 1000 }, (link) => {
      links.push(link)
    })
  const near = sim.network
    .endpoint('a')
    .connect({ ...listener.address, maxFrameBytes: 1000, connectTimeoutMs: 30_000 })
  sim.advance(1000)
  const far = links[0] as Link
  const closes: string[] = []
  const frames = (link: Link, name: string): string[] => {
    const texts: string[] = []
    link.onFrame = (frame) => texts.push(joinFrame(frame).toString())
    link.onClose = (reason) => closes.push(`${name} ${reason}`)
    return texts
  }
  return { sim, near, far, nearFrames: frames(near, 'near'), farFrames: frames(far, 'far'), closes }
}
const text = (value: string | number) => frameOf(Buffer.from(String(value)))

describe('a network in memory', () => {
  it('hands frames over by reference', async () => {
    const { sim, near, far } = await pair()
    const sent = text('batch')
    let arrived: unknown
    far.onFrame = (frame) => {
      arrived = frame
    }
    near.send(sent)
    sim.runUntilIdle()
    expect(arrived).toBe(sent)
  })

  it('delivers what is sent in one turn in the next', async () => {
    const { sim, near, far } = await pair()
    let sentIn = 0
    let arrivedIn = 0
    far.onFrame = () => {
      arrivedIn = sim.reactor.turn
    }
    sim.reactor.post(() => {
      sentIn = sim.reactor.turn
      near.send(text('x'))
    })
    sim.runUntilIdle()
    expect(arrivedIn).toBe(sentIn + 1)
  })

  it('holds frames across a cut in one direction and lets them arrive in order when it heals', async () => {
    const { sim, near, far, nearFrames, farFrames } = await pair()
    sim.network.cut('a', 'b')
    near.send(text(1))
    near.send(text(2))
    far.send(text('other way'))
    sim.advance(60_000)
    expect(farFrames).toEqual([])
    expect(nearFrames).toEqual(['other way'])
    sim.network.heal()
    near.send(text(3))
    sim.runUntilIdle()
    expect(farFrames).toEqual(['1', '2', '3'])
  })

  it('isolates groups of machines and leaves those in no group alone', async () => {
    const sim = createSimRuntime({ seed: 1 })
    const reached: string[] = []
    for (const host of ['1', '2', '3']) {
      await sim.network.endpoint(host).listen({ host, port: 9092, maxFrameBytes: 100 }, (link) => {
        link.onFrame = (frame) => reached.push(joinFrame(frame).toString())
      })
    }
    sim.network.isolate(['1'], ['2', '3'])
    const closes: string[] = []
    for (const [from, to] of ['12', '13', '21', '23', '32', 'c1', 'c2']) {
      const link = sim.network
        .endpoint(String(from))
        .connect({ host: String(to), port: 9092, maxFrameBytes: 100, connectTimeoutMs: 500 })
      link.send(text(`${from}${to}`))
      link.onClose = (reason) => closes.push(`${from}${to} ${reason}`)
    }
    sim.advance(1000)
    expect(reached.sort()).toEqual(['23', '32', 'c1', 'c2'])
    expect(closes.sort()).toEqual(['12 timeout', '13 timeout', '21 timeout'])
  })

  it('opens a link late when the cut heals in time', async () => {
    const sim = createSimRuntime({ seed: 1 })
    await sim.network.endpoint('b').listen({ host: 'b', port: 1, maxFrameBytes: 100 }, () => {})
    sim.network.cut('b', 'a')
    const link = sim.network
      .endpoint('a')
      .connect({ host: 'b', port: 1, maxFrameBytes: 100, connectTimeoutMs: 500 })
    let opens = 0
    link.onOpen = () => opens++
    sim.advance(400)
    expect(opens).toBe(0)
    sim.network.heal()
    sim.advance(400)
    expect(opens).toBe(1)
    expect(sim.scheduler.pending()).toEqual([])
  })

  it('delays each direction by its own conditions', async () => {
    const { sim, near, far, nearFrames, farFrames } = await pair()
    sim.network.setConditions({ delayMs: 100 }, { from: 'a', to: 'b' })
    near.send(text('slow'))
    far.send(text('fast'))
    sim.advance(99)
    expect([nearFrames, farFrames]).toEqual([['fast'], []])
    sim.advance(1)
    expect(farFrames).toEqual(['slow'])
  })

  it('keeps the order of a link under jitter', async () => {
    const { sim, near, farFrames } = await pair({ conditions: { jitterMs: 50 } })
    const sent = Array.from({ length: 100 }, (_, index) => String(index))
    for (const value of sent) {
      near.send(text(value))
      sim.advance(1)
    }
    sim.advance(100)
    expect(farFrames).toEqual(sent)
  })

  it('loses and reorders frames only when told to, and the same ones for the same seed', async () => {
    const run = async (seed: number): Promise<string[]> => {
      const { sim, near, farFrames } = await pair({ seed })
      sim.network.setConditions({ dropProbability: 0.2, reorderProbability: 0.3, delayMs: 5, jitterMs: 5 })
      for (let index = 0; index < 50; index++) near.send(text(index))
      sim.advance(100)
      expect(near.queuedBytes).toBe(0)
      return farFrames
    }
    const first = await run(7)
    expect(first.length).toBeLessThan(50)
    expect(first).not.toEqual([...first].sort((a, b) => Number(a) - Number(b)))
    expect(await run(7)).toEqual(first)
    expect(await run(8)).not.toEqual(first)
  })

  it('resets the links between two machines', async () => {
    const { sim, near, farFrames, closes } = await pair()
    near.send(text('lost'))
    sim.network.reset('a', 'b')
    sim.runUntilIdle()
    expect(closes.sort()).toEqual(['far reset', 'near reset'])
    expect(farFrames).toEqual([])
    expect(sim.network.openLinks('a') + sim.network.openLinks('b')).toBe(0)
  })

  it('lets a killed machine hear nothing while its peers hear a reset', async () => {
    const { sim, near, far, farFrames, closes } = await pair()
    near.send(text('on its way'))
    const { host, port } = far.local
    sim.network.kill('b')
    sim.runUntilIdle()
    expect(closes).toEqual(['near reset'])
    expect(farFrames).toEqual([])
    const again = sim.network.endpoint('a').connect({ host, port, maxFrameBytes: 10, connectTimeoutMs: 10 })
    const reasons: LinkCloseReason[] = []
    again.onClose = (reason) => reasons.push(reason)
    sim.runUntilIdle()
    expect(reasons).toEqual(['refused'])
  })

  it('delivers to a paused side what came before the close', async () => {
    const { sim, near, far, farFrames, closes } = await pair()
    far.pause()
    near.send(text(1))
    near.close()
    sim.runUntilIdle()
    expect(farFrames).toEqual([])
    far.resume()
    sim.runUntilIdle()
    expect(farFrames).toEqual(['1'])
    expect(closes).toEqual(['near local', 'far remote'])
  })
})
