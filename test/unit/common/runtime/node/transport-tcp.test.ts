import * as net from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { createCompositeTransport } from '../../../../../common/runtime/composite-transport.ts'
import {
  createNodeRuntime,
  type NodeRuntime,
  type NodeRuntimeOptions,
} from '../../../../../common/runtime/node/runtime.ts'
import { TcpTransport } from '../../../../../common/runtime/node/transport-tcp.ts'
import { MemoryNetwork } from '../../../../../common/runtime/sim/transport.ts'
import type { Link, LinkCloseReason, Listener } from '../../../../../common/runtime/transport.ts'
import { describeTransport } from '../transport.conformance.ts'

const cleanups: Array<() => void> = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup()
})

/** Returns to the event loop until the condition holds; the limit is only reached by a failing test. */
async function until(condition: () => boolean): Promise<void> {
  await setImmediate()
  for (const deadline = Date.now() + 10_000; !condition(); ) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${condition}`)
    await setImmediate()
  }
}

function start(options: NodeRuntimeOptions = {}): NodeRuntime {
  const bug = (error: unknown): void => {
    throw error
  }
  const runtime = createNodeRuntime({ onBug: bug, ...options })
  cleanups.push(() => runtime.close())
  return runtime
}

/** Sockets live in real time even where the clock is virtual; here their time-outs are the test's to bring about. */
function startInVirtualTime(lookup?: NodeRuntimeOptions['lookup']): NodeRuntime {
  const runtime = start({ clock: 'virtual' })
  const { reactor, scheduler, trace } = runtime
  const options = { reactor, scheduler, trace, ...(lookup === undefined ? {} : { lookup }) }
  return { ...runtime, transport: new TcpTransport(options) }
}

describeTransport('TCP', () => {
  const runtime = start()
  const { reactor, transport } = runtime
  return { reactor, server: transport, client: transport, until, stop: () => runtime.close() }
})

for (const inside of [true, false]) {
  describeTransport(`memory and TCP, the client ${inside ? 'inside' : 'outside'} the process`, () => {
    const runtime = start()
    const network = new MemoryNetwork(runtime)
    const outside = runtime.transport
    const server = createCompositeTransport({ outside, network, endpoint: 'broker-1' })
    const client = inside ? createCompositeTransport({ outside, network, endpoint: 'broker-2' }) : outside
    return { reactor: runtime.reactor, server, client, until, stop: () => runtime.close() }
  })
}

async function listen(
  runtime: NodeRuntime,
  maxFrameBytes = 1_000_000,
): Promise<{ listener: Listener; links: Link[]; closes: LinkCloseReason[] }> {
  const links: Link[] = []
  const closes: LinkCloseReason[] = []
  const listener = await runtime.transport.listen({ host: '127.0.0.1', port: 0, maxFrameBytes }, (link) => {
    links.push(link)
    link.onClose = (reason) => closes.push(reason)
  })
  cleanups.push(() => {
    listener.close()
    for (const link of links) link.destroy()
  })
  return { listener, links, closes }
}

describe('a listener on TCP', () => {
  it('closes a connection that sends a negative length', async () => {
    const { listener, closes } = await listen(start())
    const socket = net.connect(listener.address.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 2, 3]))
    await until(() => closes.length > 0)
    expect(closes).toEqual(['frame-malformed'])
  })

  it('survives a peer that resets the connection in the middle of a frame', async () => {
    const { listener, links, closes } = await listen(start())
    const socket = net.connect(listener.address.port, '127.0.0.1')
    socket.write(Buffer.from([0, 0, 1, 0, 1, 2, 3]))
    await until(() => links.length === 1)
    socket.resetAndDestroy()
    await until(() => closes.length > 0)
    expect(['reset', 'remote']).toContain(closes[0])
  })

  it('answers the frames of a peer that has ended its side already', async () => {
    const runtime = start()
    const { listener, links, closes } = await listen(runtime)
    const socket = net.connect({ port: listener.address.port, host: '127.0.0.1', allowHalfOpen: true })
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    await until(() => links.length === 1)
    const link = links[0] as Link
    link.onFrame = (frame) => link.send(frame)
    socket.end(Buffer.from([0, 0, 0, 2, 7, 8]))
    await until(() => closes.length > 0)
    expect(closes).toEqual(['remote'])
    expect([...Buffer.concat(chunks)]).toEqual([0, 0, 0, 2, 7, 8])
  })

  it('sends all answers of a turn in one write', async () => {
    const runtime = start()
    const { listener, links } = await listen(runtime)
    const socket = net.connect(listener.address.port, '127.0.0.1')
    const chunks: number[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk.length))
    await until(() => links.length === 1)
    runtime.reactor.post(() => {
      for (let index = 0; index < 100; index++) {
        links[0]?.send({ fragments: [Buffer.alloc(10), Buffer.alloc(20)], sizeBytes: 30 })
      }
    })
    await until(() => chunks.reduce((sum, size) => sum + size, 0) === 3400)
    expect(chunks).toEqual([3400])
    socket.destroy()
  })

  it('does not wait for ever for a peer that stopped reading when it closes', async () => {
    const runtime = startInVirtualTime()
    const { listener, links, closes } = await listen(runtime)
    const socket = net.connect(listener.address.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.pause()
    await until(() => links.length === 1)
    links[0]?.send({ fragments: [Buffer.alloc(30_000_000)], sizeBytes: 30_000_000 })
    links[0]?.close()
    await until(() => runtime.scheduler.pending().length === 1)
    expect(closes).toEqual([])
    runtime.time?.advance(5_000)
    await until(() => closes.length > 0)
    expect(closes).toEqual(['local'])
    socket.destroy()
  })
})

describe('a connection over TCP', () => {
  it('tries every address of a host', async () => {
    const lookup: NodeRuntimeOptions['lookup'] = (_host, done) =>
      done(undefined, ['127.0.0.9', '127.0.0.8', '127.0.0.1'])
    const runtime = start({ lookup })
    const { listener, links } = await listen(runtime)
    const link = runtime.transport.connect({
      host: 'broker.test',
      port: listener.address.port,
      maxFrameBytes: 100,
      connectTimeoutMs: 5000,
    })
    cleanups.push(() => link.destroy())
    let opens = 0
    link.onOpen = () => opens++
    await until(() => opens === 1 && links.length === 1)
    expect(link.remote).toEqual({ host: 'broker.test', port: listener.address.port })
    expect(runtime.scheduler.pending()).toEqual([])
  })

  it('tries the addresses in the order it is told, and tells where they led', async () => {
    const lookup: NodeRuntimeOptions['lookup'] = (_host, done) =>
      done(undefined, ['127.0.0.1', '127.0.0.9', '::1'])
    const runtime = start({ lookup })
    const { listener, links } = await listen(runtime)
    const told: string[] = []
    const connect = (order: (found: readonly string[]) => readonly string[]): Link => {
      const link = runtime.transport.connect({
        host: 'broker.test',
        port: listener.address.port,
        maxFrameBytes: 100,
        connectTimeoutMs: 5000,
        family: 4,
        addresses: {
          inOrder: (found) => order(found),
          missed: (address) => told.push(`missed ${address}`),
          reached: (address) => told.push(`reached ${address}`),
        },
      })
      cleanups.push(() => link.destroy())
      return link
    }
    connect((found) => [...found].reverse())
    await until(() => links.length === 1 && told.length === 2)
    expect(told).toEqual(['missed 127.0.0.9', 'reached 127.0.0.1'])
  })

  it('is refused with the cause when the host has no address', async () => {
    const runtime = start({ lookup: (_host, done) => done(new Error('ENOTFOUND'), []) })
    const link = runtime.transport.connect({
      host: 'no.test',
      port: 1,
      maxFrameBytes: 100,
      connectTimeoutMs: 5000,
    })
    const closes: unknown[] = []
    link.onClose = (reason, cause) => closes.push([reason, cause?.message])
    await until(() => closes.length > 0)
    expect(closes).toEqual([['refused', 'ENOTFOUND']])
    expect(runtime.scheduler.pending()).toEqual([])
  })

  it('is refused when there is no such port', async () => {
    const runtime = start({})
    const link = runtime.transport.connect({
      host: '127.0.0.1',
      port: 70_000,
      maxFrameBytes: 100,
      connectTimeoutMs: 5000,
    })
    const closes: unknown[] = []
    link.onClose = (reason, cause) => closes.push([reason, (cause as NodeJS.ErrnoException).code])
    await until(() => closes.length > 0)
    expect(closes).toEqual([['refused', 'ERR_SOCKET_BAD_PORT']])
  })

  it('gives up when its time is over', async () => {
    // A resolver that never answers stands for a network that swallows everything.
    const runtime = startInVirtualTime(() => {})
    const link = runtime.transport.connect({
      host: 'slow.test',
      port: 1,
      maxFrameBytes: 100,
      connectTimeoutMs: 3000,
    })
    const closes: LinkCloseReason[] = []
    link.onClose = (reason) => closes.push(reason)
    runtime.time?.advance(2999)
    expect(closes).toEqual([])
    runtime.time?.advance(1)
    expect(closes).toEqual(['timeout'])
  })
})
