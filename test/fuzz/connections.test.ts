import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Produce } from '../../common/protocol/apis/00-produce.ts'
import { Fetch } from '../../common/protocol/apis/01-fetch.ts'
import { Metadata } from '../../common/protocol/apis/03-metadata.ts'
import { ApiVersions } from '../../common/protocol/apis/18-api-versions.ts'
import { decodeResponse } from '../../common/protocol/codec.ts'
import { decodeResponseHeader } from '../../common/protocol/header.ts'
import { BatchCursor } from '../../common/record/batch.ts'
import { BatchBuilder } from '../../common/record/batch-builder.ts'
import type { RawConnection } from '../differential/raw-client.ts'
import { batch, produceRequest } from '../differential/support.ts'
import { createTopic, eventually, frameOf, prefixed, startWorld, type World } from './world.ts'

const IDLE_CONNECTIONS = 2_000

describe('connections that behave badly', () => {
  let world: World

  beforeAll(async () => {
    world = await startWorld()
    await createTopic(world, 'data')
    const connection = await world.connect()
    // 20 MB in batches of 500 kB, to have something that does not fit into the buffers of a socket.
    for (let index = 0; index < 40; index++) {
      connection.send(frameOf(Produce, 9, produceRequest('data', batch({ valueBytes: 500_000 }))))
      expect(await connection.next()).toBeInstanceOf(Buffer)
    }
    connection.close()
  })

  afterAll(() => world.cluster.stop())

  const count = (): number =>
    [...(world.cluster.brokers[0]?.listeners.connections() ?? [])].filter(
      ({ clientAddress }) => clientAddress === '127.0.0.1',
    ).length

  async function isAnswering(): Promise<boolean> {
    const connection = await world.connect()
    connection.send(frameOf(ApiVersions, 3, { clientSoftwareName: 'test', clientSoftwareVersion: '1' }))
    const answer = await connection.next(5_000)
    connection.close()
    return Buffer.isBuffer(answer)
  }

  /** A socket of which nothing is read until it is resumed. */
  async function deafSocket(): Promise<Socket> {
    const { port } = portOf(world)
    const socket = await new Promise<Socket>((resolve) => {
      const made = connect(port, '127.0.0.1', () => resolve(made))
    })
    socket.on('error', () => {})
    socket.pause()
    return socket
  }

  /** Asks for what follows an offset, all of `maxBytes`. */
  const fetchFrame = (topic: string, offset: number, maxBytes: number, correlationId: number): Buffer =>
    prefixed(
      frameOf(
        Fetch,
        11,
        {
          maxWaitMs: 0,
          minBytes: 1,
          maxBytes,
          topics: [
            { topic, partitions: [{ partition: 0, fetchOffset: offset, partitionMaxBytes: maxBytes }] },
          ],
        },
        correlationId,
      ),
    )

  const bigFetch = (offset: number, correlationId: number): Buffer =>
    fetchFrame('data', offset, 50_000_000, correlationId)

  it('a reader that does not read costs no more than its share of memory and holds up nobody', async () => {
    const before = process.memoryUsage().arrayBuffers
    const socket = await deafSocket()
    // Asked for two gigabytes of answers in all.
    for (let index = 0; index < 100; index++) socket.write(bigFetch(0, index))
    await eventually('the first answer begins', () => socket.readableLength > 0 || socket.bytesRead > 0)
    for (let index = 0; index < 10; index++) expect(await isAnswering()).toBe(true)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200_000_000)
    socket.destroy()
    await eventually('the connection is gone', () => count() === 0)
  })

  it('a slow reader gets every answer in order', async () => {
    const connection = await world.connect()
    for (let index = 0; index < 20; index++) connection.write(bigFetch(index, index))
    for (let index = 0; index < 20; index++) {
      const answer = (await connection.next()) as Buffer
      expect(answer.readInt32BE(0)).toBe(index)
      await new Promise((resolve) => setImmediate(resolve))
    }
    connection.close()
  })

  it('a reader that is slow is sent the records that it asked for, whatever others read meanwhile', async () => {
    const batches = 60
    const oneBatch = (offset: number): Buffer => fetchFrame('marked', offset, 1, offset)
    /** Every batch has one record, whose bytes are its offset. */
    const check = (answer: Buffer): void => {
      const offset = answer.readInt32BE(0)
      const { reader } = decodeResponseHeader(Fetch, 11, answer)
      const { records } = decodeResponse(Fetch, 11, reader).responses[0]?.partitions[0] ?? {}
      const cursor = new BatchCursor(records ?? Buffer.alloc(0))
      expect(cursor.next()).toBe(true)
      expect([cursor.batch.baseOffset, cursor.batch.isValid]).toEqual([offset, true])
      expect(records?.subarray(-1000, -10).every((byte) => byte === offset)).toBe(true)
    }
    await createTopic(world, 'marked')
    const busy = await world.connect()
    for (let offset = 0; offset < batches; offset++) {
      const builder = new BatchBuilder()
      builder.append(Date.now(), null, Buffer.alloc(300_000, offset))
      busy.send(frameOf(Produce, 9, produceRequest('marked', builder.build())))
      expect(await busy.next()).toBeInstanceOf(Buffer)
    }
    const slow = await deafSocket()
    const chunks: Buffer[] = []
    slow.on('data', (chunk) => chunks.push(chunk))
    slow.pause()
    for (let offset = 0; offset < batches; offset++) slow.write(oneBatch(offset))
    for (let round = 0; round < 3; round++) {
      for (let offset = batches - 1; offset >= 0; offset--) busy.write(oneBatch(offset))
      for (let offset = 0; offset < batches; offset++) check((await busy.next()) as Buffer)
    }
    busy.close()
    // They are of one length, which the first one begins with.
    const received = (): number => chunks.reduce((sum, { length }) => sum + length, 0)
    slow.resume()
    await eventually('the first answer', () => received() > 4)
    const wanted = batches * (4 + Buffer.concat(chunks).readInt32BE(0))
    await eventually('all that was asked for', () => received() >= wanted)
    slow.destroy()
    const bytes = Buffer.concat(chunks)
    for (let position = 0, offset = 0; offset < batches; offset++) {
      const end = position + 4 + bytes.readInt32BE(position)
      check(bytes.subarray(position + 4, end))
      position = end
    }
  })

  it('requests that come all at once are answered in order, however many', async () => {
    const connection = await world.connect()
    const total = 5_000
    const frames = Array.from({ length: total }, (_, index) =>
      prefixed(frameOf(Metadata, 9, { topics: [{ name: 'data' }], allowAutoTopicCreation: false }, index)),
    )
    connection.write(Buffer.concat(frames))
    for (let index = 0; index < total; index++) {
      const answer = (await connection.next()) as Buffer
      expect(answer.readInt32BE(0)).toBe(index)
    }
    connection.close()
  })

  it('a request that waits holds back those behind it on its connection, and only those', async () => {
    const waiting = await world.connect()
    waiting.send(
      frameOf(
        Fetch,
        11,
        {
          maxWaitMs: 300,
          minBytes: 1,
          topics: [
            { topic: 'data', partitions: [{ partition: 0, fetchOffset: 40, partitionMaxBytes: 1000 }] },
          ],
        },
        1,
      ),
    )
    waiting.send(frameOf(ApiVersions, 0, {}, 2))
    expect(await isAnswering()).toBe(true)
    expect(((await waiting.next()) as Buffer).readInt32BE(0)).toBe(1)
    expect(((await waiting.next()) as Buffer).readInt32BE(0)).toBe(2)
    waiting.close()
  })

  it('a client that has sent its last byte still gets its answers', async () => {
    const { port } = portOf(world)
    const answer = await new Promise<Buffer>((resolve, reject) => {
      const chunks: Buffer[] = []
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => {
        socket.end(prefixed(frameOf(ApiVersions, 0, {}, 77)))
      })
      socket.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        socket.destroy()
        resolve(Buffer.concat(chunks))
      })
      socket.on('error', reject)
      socket.on('end', () => reject(new Error('closed without an answer')))
    })
    expect(answer.readInt32BE(4)).toBe(77)
    await eventually('the connection is gone', () => count() === 0)
  })

  it('a client that leaves while its request waits leaves nothing behind', async () => {
    const timers = world.cluster.runtime.scheduler.pending().length
    for (let index = 0; index < 50; index++) {
      const connection = await world.connect()
      connection.send(
        frameOf(Fetch, 11, {
          maxWaitMs: 600_000,
          minBytes: 1,
          topics: [
            { topic: 'data', partitions: [{ partition: 0, fetchOffset: 40, partitionMaxBytes: 1000 }] },
          ],
        }),
      )
      connection.send(frameOf(ApiVersions, 0, {}))
      if (index % 2 === 0) await new Promise((resolve) => setImmediate(resolve))
      connection.close()
    }
    await eventually('all connections gone', () => count() === 0)
    await eventually('all timers gone', () => world.cluster.runtime.scheduler.pending().length <= timers + 1)
  })

  it('half a frame waits for its other half', async () => {
    const connection = await world.connect()
    const frame = prefixed(frameOf(ApiVersions, 0, {}, 5))
    for (const byte of frame) {
      connection.write(Buffer.from([byte]))
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(((await connection.next()) as Buffer).readInt32BE(0)).toBe(5)
    connection.close()
  })

  it(`${IDLE_CONNECTIONS} idle connections leave room for work`, async () => {
    const idle: RawConnection[] = []
    for (let index = 0; index < IDLE_CONNECTIONS; index += 100) {
      idle.push(...(await Promise.all(Array.from({ length: 100 }, () => world.connect()))))
    }
    await eventually('all are accepted', () => count() === IDLE_CONNECTIONS)
    const connection = await world.connect()
    connection.send(frameOf(Produce, 9, produceRequest('data', batch())))
    const answer = (await connection.next()) as Buffer
    const { reader } = decodeResponseHeader(Produce, 9, answer)
    expect(decodeResponse(Produce, 9, reader).responses[0]?.partitionResponses[0]?.errorCode).toBe(0)
    connection.close()
    for (const one of idle) one.close()
    await eventually('all are gone', () => count() === 0)
  })
})

function portOf(world: World): { port: number } {
  return { port: Number(world.cluster.bootstrapServers.split(':')[1]) }
}
