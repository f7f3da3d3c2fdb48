/** What every `Transport` does. Run over TCP, memory and both together. */
import { afterEach, describe, expect, it } from 'vitest'
import { type Frame, frameOf, joinFrame } from '../../../../common/protocol/frame.ts'
import { linkQueueHighBytes } from '../../../../common/runtime/limits.ts'
import type { Reactor } from '../../../../common/runtime/reactor.ts'
import type { Link, LinkCloseReason, Listener, Transport } from '../../../../common/runtime/transport.ts'

export interface TransportUnderTest {
  readonly reactor: Reactor & { readonly isRunning: boolean }
  readonly server: Transport
  readonly client: Transport
  /** Lets the world go on until the condition holds. */
  until(condition: () => boolean): Promise<void>
  stop(): Promise<void> | void
}

interface Watched {
  readonly link: Link
  readonly frames: string[]
  readonly closes: LinkCloseReason[]
  opens: number
  drains: number
}

export function describeTransport(name: string, start: () => TransportUnderTest): void {
  describe(`every transport does the same (${name})`, () => {
    const cleanups: Array<() => Promise<void> | void> = []
    afterEach(async () => {
      for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
    })

    const world = (): TransportUnderTest => {
      const under = start()
      cleanups.push(() => under.stop())
      return under
    }

    const watch = ({ reactor }: TransportUnderTest, link: Link): Watched => {
      const watched: Watched = { link, frames: [], closes: [], opens: 0, drains: 0 }
      link.onOpen = () => {
        expect(reactor.isRunning).toBe(true)
        watched.opens++
      }
      link.onFrame = (frame) => {
        expect(reactor.isRunning).toBe(true)
        expect(watched.opens).toBe(1)
        expect(watched.closes).toEqual([])
        watched.frames.push(joinFrame(frame).toString('latin1'))
      }
      link.onClose = (reason) => {
        expect(reactor.isRunning).toBe(true)
        watched.closes.push(reason)
      }
      link.onDrain = () => {
        watched.drains++
      }
      return watched
    }

    const listen = async (
      under: TransportUnderTest,
      onLink: (watched: Watched) => void = () => {},
      maxFrameBytes = 64 * 1024 * 1024,
    ): Promise<{ listener: Listener; accepted: Watched[] }> => {
      const accepted: Watched[] = []
      const listener = await under.server.listen({ host: '127.0.0.1', port: 0, maxFrameBytes }, (link) => {
        const watched = watch(under, link)
        accepted.push(watched)
        onLink(watched)
      })
      cleanups.push(() => {
        listener.close()
        for (const { link } of accepted) link.destroy()
      })
      return { listener, accepted }
    }

    const connect = (
      under: TransportUnderTest,
      { address }: Listener,
      maxFrameBytes = 64 * 1024 * 1024,
    ): Watched => {
      const link = under.client.connect({ ...address, maxFrameBytes, connectTimeoutMs: 5000 })
      cleanups.push(() => link.destroy())
      return watch(under, link)
    }

    const pair = async (
      under: TransportUnderTest,
    ): Promise<{ near: Watched; far: Watched; listener: Listener }> => {
      const { listener, accepted } = await listen(under)
      const near = connect(under, listener)
      await under.until(() => near.opens === 1 && accepted[0]?.opens === 1)
      return { near, far: accepted[0] as Watched, listener }
    }

    it('takes a free port for port 0 and tells it', async () => {
      const under = world()
      const { listener } = await listen(under)
      expect(listener.address.port).toBeGreaterThan(0)
      expect(listener.address.host).toBe('127.0.0.1')
    })

    it('refuses an address that is taken', async () => {
      const under = world()
      const { listener } = await listen(under)
      const again = under.server.listen({ ...listener.address, maxFrameBytes: 100 }, () => {})
      await expect(again).rejects.toMatchObject({ code: 'EADDRINUSE' })
    })

    it('carries whole frames both ways in the order they were sent', async () => {
      const under = world()
      const { near, far } = await pair(under)
      const texts = Array.from({ length: 300 }, (_, index) => `${index}:${'x'.repeat((index * 211) % 5000)}`)
      for (const text of texts) near.link.send(frameOf(Buffer.from(text)))
      far.link.send(frameOf(Buffer.from('answer')))
      await under.until(() => far.frames.length === texts.length && near.frames.length === 1)
      expect(far.frames).toEqual(texts)
      expect(near.frames).toEqual(['answer'])
      await under.until(() => near.link.queuedBytes === 0 && far.link.queuedBytes === 0)
    })

    it('carries empty frames, large fragments and many fragments', async () => {
      const under = world()
      const { near, far } = await pair(under)
      const large = Buffer.alloc(700_000, 'L')
      const fragments = [
        Buffer.from('head'),
        large,
        Buffer.alloc(0),
        Buffer.from('between'),
        large,
        Buffer.from('tail'),
      ]
      const frame: Frame = { fragments, sizeBytes: fragments.reduce((sum, { length }) => sum + length, 0) }
      near.link.send(frameOf(Buffer.alloc(0)))
      near.link.send(frame)
      await under.until(() => far.frames.length === 2)
      expect(far.frames[0]).toBe('')
      expect(far.frames[1]).toBe(Buffer.concat(fragments).toString('latin1'))
    })

    it('keeps frames that are sent before the link is open', async () => {
      const under = world()
      const { listener, accepted } = await listen(under)
      const near = connect(under, listener)
      near.link.send(frameOf(Buffer.from('early')))
      expect(near.link.queuedBytes).toBe(9)
      await under.until(() => accepted[0]?.frames.length === 1)
      expect(accepted[0]?.frames).toEqual(['early'])
    })

    it('lets queued frames leave before it closes, and tells both sides once', async () => {
      const under = world()
      const { near, far } = await pair(under)
      near.link.send(frameOf(Buffer.alloc(1_000_000, 'x')))
      near.link.send(frameOf(Buffer.from('last')))
      near.link.close()
      near.link.close()
      near.link.send(frameOf(Buffer.from('too late')))
      await under.until(() => near.closes.length > 0 && far.closes.length > 0)
      expect(far.frames.map((text) => text.length)).toEqual([1_000_000, 4])
      expect(near.closes).toEqual(['local'])
      expect(far.closes).toEqual(['remote'])
      near.link.destroy()
      far.link.close()
      await under.until(() => true)
      expect(near.closes).toEqual(['local'])
      expect(far.closes).toEqual(['remote'])
    })

    it('delivers what was sent before a close that came before the link was open', async () => {
      const under = world()
      const { listener, accepted } = await listen(under)
      const near = connect(under, listener)
      near.link.send(frameOf(Buffer.from('question')))
      near.link.close()
      await under.until(() => near.closes.length > 0 && (accepted[0]?.closes.length ?? 0) > 0)
      expect(accepted[0]?.frames).toEqual(['question'])
    })

    it('closes at once when it is destroyed', async () => {
      const under = world()
      const { near, far } = await pair(under)
      near.link.destroy()
      near.link.destroy()
      await under.until(() => near.closes.length > 0 && far.closes.length > 0)
      expect(near.closes).toEqual(['local'])
      expect(['remote', 'reset']).toContain(far.closes[0])
    })

    it('delivers nothing to a side that destroyed its link, not even what was on its way', async () => {
      const under = world()
      const { near, far } = await pair(under)
      far.link.onFrame = (frame) => {
        far.frames.push(joinFrame(frame).toString())
        far.link.destroy()
      }
      for (const text of ['1', '2', '3']) near.link.send(frameOf(Buffer.from(text)))
      await under.until(() => near.closes.length > 0 && far.closes.length > 0)
      expect(far.frames).toEqual(['1'])
    })

    it('says that nobody listens', async () => {
      const under = world()
      const { listener } = await listen(under)
      listener.close()
      await under.until(() => true)
      const near = connect(under, listener)
      await under.until(() => near.closes.length > 0)
      expect(near.closes).toEqual(['refused'])
      expect(near.opens).toBe(0)
    })

    it('keeps open links when the listener closes', async () => {
      const under = world()
      const { near, far, listener } = await pair(under)
      listener.close()
      listener.close()
      near.link.send(frameOf(Buffer.from('still here')))
      await under.until(() => far.frames.length === 1)
    })

    it('closes a link that carries a frame above the limit', async () => {
      const under = world()
      const { listener, accepted } = await listen(under, () => {}, 1000)
      const near = connect(under, listener)
      near.link.send(frameOf(Buffer.alloc(1000)))
      near.link.send(frameOf(Buffer.alloc(1001)))
      await under.until(() => near.closes.length > 0 && (accepted[0]?.closes.length ?? 0) > 0)
      expect(accepted[0]?.frames.length).toBe(1)
      expect(accepted[0]?.closes).toEqual(['frame-too-large'])
    })

    it('stops reading while paused, holds the sender back, and loses nothing', async () => {
      const under = world()
      const { near, far } = await pair(under)
      far.link.pause()
      const count = 40
      for (let index = 0; index < count; index++)
        near.link.send(frameOf(Buffer.alloc(linkQueueHighBytes / 16, 65 + index)))
      expect(near.link.isWritable).toBe(false)
      await under.until(() => true)
      expect(far.frames.length).toBe(0)
      expect(near.link.isWritable).toBe(false)
      far.link.resume()
      await under.until(() => far.frames.length === count && near.drains > 0)
      expect(near.link.isWritable).toBe(true)
      expect(near.drains).toBe(1)
      expect(far.frames.map((text) => text.charCodeAt(0))).toEqual(
        Array.from({ length: count }, (_, index) => 65 + index),
      )
    })

    it('gives every link an identity and both addresses', async () => {
      const under = world()
      const { near, far, listener } = await pair(under)
      expect(near.link.id).not.toBe(far.link.id)
      expect(near.link.remote.port).toBe(listener.address.port)
      expect(far.link.local.port).toBe(listener.address.port)
      expect(far.link.remote.port).toBe(near.link.local.port)
    })
  })
}
