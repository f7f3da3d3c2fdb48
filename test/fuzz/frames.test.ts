import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Produce } from '../../common/protocol/apis/00-produce.ts'
import { Fetch } from '../../common/protocol/apis/01-fetch.ts'
import { ApiVersions } from '../../common/protocol/apis/18-api-versions.ts'
import { UnregisterBroker } from '../../common/protocol/apis/64-unregister-broker.ts'
import { decodeResponse } from '../../common/protocol/codec.ts'
import { decodeResponseHeader, requestHeaderVersion } from '../../common/protocol/header.ts'
import { apiByKey } from '../../common/protocol/registry.ts'
import type { RawConnection } from '../differential/raw-client.ts'
import { batch, produceRequest } from '../differential/support.ts'
import { goldenCases, goldenFiles } from '../wire/golden-cases.ts'
import { mutated, seeded } from './mutate.ts'
import { createTopic, eventually, frameOf, prefixed, startWorld, type World } from './world.ts'

const FRAMES = Number(process.env.FUZZ_FRAMES ?? 200_000)
const SEED = Number(process.env.SEED ?? 20_260_913)
const CONNECTIONS = 24
const BURST = 12
/** A request may rightly wait for long; then the connection is given up, as by a client that loses patience. */
const PATIENCE_MS = 40
const PROBE_ID = 0x0f0f0f0f
const MEMORY_BOUND_BYTES = 600 * 1024 * 1024

const probe = prefixed(frameOf(ApiVersions, 0, {}, PROBE_ID))

/** Valid requests of every API and version, as Kafka's own serialiser wrote them, and some that fit this broker. */
function seedFrames(): Buffer[] {
  const seeds: Buffer[] = []
  for (const file of goldenFiles()) {
    const api = apiByKey(Number.parseInt(file, 10))
    if (api === undefined || file.includes('/')) continue
    for (const { message, version, bytes } of goldenCases(file)) {
      if (message !== api.request) continue
      const header = Buffer.alloc(requestHeaderVersion(api, version) === 2 ? 11 : 10)
      header.writeInt16BE(api.key, 0)
      header.writeInt16BE(version, 2)
      header.writeInt32BE(1, 4)
      header.writeInt16BE(-1, 8)
      seeds.push(Buffer.concat([header, bytes]))
    }
  }
  for (const version of [3, 7, 9, 12]) {
    for (const acks of [-1, 0, 1]) {
      seeds.push(frameOf(Produce, version, produceRequest('fuzzed', batch({ count: 5 }), { acks })))
    }
  }
  for (const version of [4, 7, 11, 12]) {
    seeds.push(
      frameOf(Fetch, version, {
        maxWaitMs: 5,
        minBytes: 1,
        maxBytes: 100_000,
        topics: [
          { topic: 'fuzzed', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 10_000 }] },
        ],
      }),
    )
  }
  return seeds
}

/** An administrator may rightly unregister the broker; then nobody's work goes on. */
function harmless(seeds: readonly Buffer[], random: () => number): Buffer {
  for (;;) {
    const frame = mutated(seeds, random)
    if (frame.length < 2 || frame.readInt16BE(0) !== UnregisterBroker.key) return frame
  }
}

/** Sends bursts until enough frames were taken; a burst ends with its probe's answer, the broker's close or our patience. */
async function attack(
  world: World,
  seeds: readonly Buffer[],
  random: () => number,
  tally: { frames: number; closed: number; given: number },
): Promise<void> {
  let connection: RawConnection | undefined
  while (tally.frames < FRAMES) {
    connection ??= await world.connect()
    const burst = Array.from({ length: BURST }, () => prefixed(harmless(seeds, random)))
    connection.write(Buffer.concat([...burst, probe]))
    let taken = 0
    let end: 'probe' | 'closed' | 'timeout' | undefined
    while (end === undefined) {
      const answer = await connection.next(PATIENCE_MS)
      if (typeof answer === 'string') end = answer
      else if (answer.length >= 4 && answer.readInt32BE(0) === PROBE_ID) end = 'probe'
      else taken++
    }
    // What follows the frame that ended it was never looked at.
    tally.frames += end === 'probe' ? BURST : taken + 1
    if (end === 'probe') continue
    if (end === 'closed') tally.closed++
    else tally.given++
    connection.close()
    connection = undefined
  }
  connection?.close()
}

/** A client of its own that must never notice anything. */
async function workSteadily(world: World, isOver: () => boolean): Promise<number> {
  const connection = await world.connect()
  let rounds = 0
  for (; !isOver(); rounds++) {
    connection.send(frameOf(Produce, 9, produceRequest('steady', batch({ count: 1 }))))
    const produced = await connection.next(10_000)
    if (typeof produced === 'string') throw new Error(`the steady client was ${produced} in round ${rounds}`)
    const { reader } = decodeResponseHeader(Produce, 9, produced)
    const partition = decodeResponse(Produce, 9, reader).responses[0]?.partitionResponses[0]
    expect(partition?.errorCode).toBe(0)
    expect(partition?.baseOffset).toBe(rounds)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  connection.close()
  return rounds
}

describe('frames that no client would send', () => {
  let world: World
  const escaped: unknown[] = []
  const onEscape = (error: unknown): void => {
    escaped.push(error)
  }

  beforeAll(async () => {
    process.on('uncaughtException', onEscape)
    process.on('unhandledRejection', onEscape)
    world = await startWorld({ 'num.partitions': 1 })
    await createTopic(world, 'fuzzed')
    await createTopic(world, 'steady')
  })

  afterAll(async () => {
    process.off('uncaughtException', onEscape)
    process.off('unhandledRejection', onEscape)
    await world.cluster.stop()
  })

  it(`${FRAMES} of them break, hold up or leak nothing (SEED=${SEED})`, async () => {
    const broker = world.cluster.brokers[0]
    const before = process.memoryUsage()
    const tally = { frames: 0, closed: 0, given: 0 }
    const seeds = seedFrames()
    let isOver = false
    const steady = workSteadily(world, () => isOver)
    const attackers = Array.from({ length: CONNECTIONS }, (_, index) =>
      attack(world, seeds, seeded(SEED + index), tally),
    )
    await Promise.all(attackers)
    isOver = true
    const rounds = await steady
    expect(escaped).toEqual([])
    expect(rounds).toBeGreaterThan(10)
    expect(tally.frames).toBeGreaterThanOrEqual(FRAMES)
    // The broker itself may be connected to its listener: coordinators ask the leaders of partitions.
    const fromOutside = () =>
      [...(broker?.listeners.connections() ?? [])].filter(
        ({ clientAddress }) => clientAddress === '127.0.0.1',
      )
    await eventually('all connections gone', () => fromOutside().length === 0)
    const after = process.memoryUsage()
    const grown = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers
    expect(grown).toBeLessThan(MEMORY_BOUND_BYTES)
    if (process.env.FUZZ_REPORT) {
      const labels = new Map<string, number>()
      for (const { label } of world.cluster.runtime.scheduler.pending()) {
        const kind = label.replace(/[^a-z ].*/i, '')
        labels.set(kind, (labels.get(kind) ?? 0) + 1)
      }
      console.log(tally, { rounds, grown }, [...labels])
    }
  }, 900_000)
})
