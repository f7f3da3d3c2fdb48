import { describe, expect, it } from 'vitest'
import { frameOf, joinFrame } from '../../../../../common/protocol/frame.ts'
import { createSimRuntime } from '../../../../../common/runtime/sim/runtime.ts'

/** Two machines that talk with jitter, write to disks and use chance: everything a seed must decide. */
async function story(seed: number): Promise<string[]> {
  const sim = createSimRuntime({ seed, conditions: { jitterMs: 10 } })
  const events: string[] = []
  const server = sim.machine('server')
  const client = sim.machine('client')
  const { address } = await server.transport.listen(
    { host: 'server', port: 0, maxFrameBytes: 1000 },
    (link) => {
      link.onFrame = (frame) => {
        events.push(`${sim.clock.monotonicMs()} ${joinFrame(frame).toString()}`)
        link.send(frame)
      }
    },
  )
  for (const id of [1, 2, 3]) {
    const link = client.transport.connect({ ...address, maxFrameBytes: 1000, connectTimeoutMs: 1000 })
    const ask = (): void => {
      link.send(frameOf(Buffer.from(`${id} ${client.random.int(100)}`)))
      client.scheduler.schedule(`ask ${id}`, 5, ask)
    }
    link.onOpen = ask
  }
  sim.advance(200)
  return events
}

describe('a simulated world', () => {
  it('is the same for the same seed and another for another', async () => {
    const first = await story(1)
    expect(first.length).toBeGreaterThan(50)
    expect(await story(1)).toEqual(first)
    expect(await story(2)).not.toEqual(first)
  })

  it('lets exceptions of tasks out of the call that ran them', () => {
    const sim = createSimRuntime({ seed: 1 })
    sim.scheduler.schedule('bug', 10, () => {
      throw new Error('a bug')
    })
    expect(() => sim.advance(20)).toThrow('a bug')
  })

  it('gives each machine its own disk, timers and time of day', () => {
    const sim = createSimRuntime({ seed: 1 })
    const one = sim.machine('one')
    const two = sim.machine('two')
    one.files.makeDirectory('/data')
    expect(two.files.stat('/data')).toBeUndefined()
    two.skewMs = 5000
    expect(two.clock.wallMs() - one.clock.wallMs()).toBe(5000)
    let fired = 0
    one.scheduler.schedule('a', 1, () => fired++)
    two.scheduler.schedule('b', 1, () => fired++)
    one.scheduler.close()
    sim.advance(1)
    expect(fired).toBe(1)
    expect(sim.machine('one', one.files).files.stat('/data')).toBeDefined()
  })
})
