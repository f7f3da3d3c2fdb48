import { describe, expect, it } from 'vitest'
import { AcknowledgeType } from '../../../../client/constants.ts'
import {
  type AcquiredRange,
  AcquiredRecords,
  arePlausible,
} from '../../../../client/share-consumer/acquired-records.ts'
import { acknowledgementBatches, InFlightBatch } from '../../../../client/share-consumer/in-flight-batch.ts'
import { ShareSession } from '../../../../client/share-consumer/share-session.ts'
import { BatchBuilder, type BatchBuilderOptions } from '../../../../common/record/batch-builder.ts'
import { CompressionType } from '../../../../common/record/codecs.ts'
import { buildEndTransactionMarkerBatch } from '../../../../common/record/control-record.ts'

const from = { topic: 't', topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partition: 0, nodeId: 1 }

function batch(baseOffset: number, values: readonly string[], options: BatchBuilderOptions = {}): Buffer {
  const builder = new BatchBuilder({ baseOffset, partitionLeaderEpoch: 3, ...options })
  for (const value of values) builder.append(1000, null, Buffer.from(value))
  return builder.build()
}

const marker = (baseOffset: number): Buffer =>
  buildEndTransactionMarkerBatch({
    ...{ producerEpoch: 0, coordinatorEpoch: 0, timestamp: 1, partitionLeaderEpoch: 3 },
    ...{ baseOffset, producerId: 9, isCommit: true },
  })

function acquired(
  records: Buffer,
  ranges: readonly (readonly [number, number, number?])[],
  checksCrcs = true,
) {
  const all: AcquiredRange[] = ranges.map(([firstOffset, lastOffset, deliveryCount = 1]) => ({
    firstOffset,
    lastOffset,
    deliveryCount,
  }))
  return new AcquiredRecords(from, records, all, checksCrcs)
}

const seen = ({ messages }: AcquiredRecords): string[] =>
  messages.map((message) => `${message.error()?.name() ?? message.value()}@${message.offset()}`)

describe('acquired ranges', () => {
  const plausible = (...ranges: readonly (readonly [number, number])[]): boolean =>
    arePlausible(ranges.map(([firstOffset, lastOffset]) => ({ firstOffset, lastOffset, deliveryCount: 1 })))

  it('ascend, over offsets that there can be', () => {
    expect(plausible()).toBe(true)
    expect(plausible([0, 9], [10, 10], [20, 499_999])).toBe(true)
    expect(plausible([5, 9], [9, 10])).toBe(false)
    expect(plausible([9, 5])).toBe(false)
    expect(plausible([-1, 5])).toBe(false)
    expect(plausible([2 ** 53, 2 ** 53])).toBe(false)
  })

  it('of more records than a broker ever locks are not gone through one by one', () => {
    expect(plausible([0, 2 ** 53 - 2])).toBe(false)
  })
})

describe('acquired records', () => {
  it('are those of the acquired ranges only, with the count of their deliveries', () => {
    const records = acquired(batch(0, ['a', 'b', 'c', 'd']), [
      [1, 1, 3],
      [3, 3],
    ])
    expect(seen(records)).toEqual(['b@1', 'd@3'])
    expect(records.messages.map((message) => message.deliveryCount())).toEqual([3, 1])
    expect([...records.verdicts]).toEqual([
      [1, undefined],
      [3, undefined],
    ])
  })

  it('leave gaps where markers stand and where compaction took records', () => {
    const bytes = Buffer.concat([batch(0, ['a']), marker(1), batch(4, ['b'])])
    const records = acquired(bytes, [[0, 4]])
    expect(seen(records)).toEqual(['a@0', 'b@4'])
    expect([...records.verdicts.values()]).toEqual([undefined, 0, 0, 0, undefined])
  })

  it('are rejected when their batch is damaged', () => {
    const damaged = batch(1, ['b', 'c'])
    damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1
    const records = acquired(Buffer.concat([batch(0, ['a']), damaged, batch(3, ['d'])]), [[0, 3]])
    expect(seen(records)).toEqual(['a@0', '_BAD_MSG@1', '_BAD_MSG@2', 'd@3'])
    expect([...records.verdicts.values()]).toEqual([
      undefined,
      AcknowledgeType.REJECT,
      AcknowledgeType.REJECT,
      undefined,
    ])
  })

  it('are released when they cannot be decompressed here', () => {
    const packed = batch(0, ['a', 'b'], { compressionType: CompressionType.gzip })
    packed.fill(0x55, packed.length - 20)
    const records = acquired(packed, [[0, 1]], false)
    expect(seen(records)).toEqual(['_BAD_COMPRESSION@0', '_BAD_COMPRESSION@1'])
    expect([...records.verdicts.values()]).toEqual([AcknowledgeType.RELEASE, AcknowledgeType.RELEASE])
  })

  it('are rejected where the bytes end too early', () => {
    const bytes = Buffer.concat([batch(0, ['a']), batch(1, ['b'])])
    const records = acquired(bytes.subarray(0, bytes.length - 3), [[0, 1]])
    expect(seen(records)).toEqual(['a@0', '_BAD_MSG@1'])
  })
})

describe('the batch that the application holds', () => {
  it('gives away what has a verdict and keeps the rest', () => {
    const held = new InFlightBatch()
    held.add(acquired(batch(0, ['a', 'b', 'c']), [[0, 3]]))
    expect(held.decide('t', 0, 1, AcknowledgeType.REJECT)).toBe(true)
    expect(held.decide('t', 0, 3, AcknowledgeType.ACCEPT)).toBe(false)
    expect([...(held.takeDecided()[0]?.verdicts ?? [])]).toEqual([
      [1, AcknowledgeType.REJECT],
      [3, 0],
    ])
    expect(held.decide('t', 0, 1, AcknowledgeType.ACCEPT)).toBe(false)
    expect(held.hasUndecided).toBe(true)
    held.acceptRest()
    expect([...(held.takeDecided()[0]?.verdicts ?? [])]).toEqual([
      [0, AcknowledgeType.ACCEPT],
      [2, AcknowledgeType.ACCEPT],
    ])
    expect(held.takeDecided()).toEqual([])
  })

  it('writes neighbours into one batch, and one type where all agree', () => {
    const verdicts = new Map([
      [1, AcknowledgeType.ACCEPT],
      [2, AcknowledgeType.ACCEPT],
      [5, AcknowledgeType.REJECT],
      [6, AcknowledgeType.RELEASE],
    ] as const)
    expect(acknowledgementBatches(verdicts)).toEqual([
      { firstOffset: 1, lastOffset: 2, acknowledgeTypes: [1] },
      { firstOffset: 5, lastOffset: 6, acknowledgeTypes: [3, 2] },
    ])
  })
})

describe('a share session', () => {
  const one = { topicId: 'A', partition: 0 }
  const two = { topicId: 'A', partition: 1 }

  it('names everything at first, then only what is new and what is gone', () => {
    const session = new ShareSession()
    expect(session.fetch(new Map([['A-0', one]]), [])).toMatchObject({
      shareSessionEpoch: 0,
      topics: [{ topicId: 'A', partitions: [{ partitionIndex: 0, acknowledgementBatches: [] }] }],
    })
    session.succeeded()
    expect(session.fetch(new Map([['A-0', one]]), [])).toMatchObject({ shareSessionEpoch: 1, topics: [] })
    session.succeeded()
    expect(session.fetch(new Map([['A-1', two]]), [])).toMatchObject({
      shareSessionEpoch: 2,
      topics: [{ partitions: [{ partitionIndex: 1 }] }],
      forgottenTopicsData: [{ topicId: 'A', partitions: [0] }],
    })
  })

  it('ends with epoch -1 and begins again with 0', () => {
    const session = new ShareSession()
    session.fetch(new Map(), [])
    session.succeeded()
    expect(session.isOpen).toBe(true)
    const verdicts = new Map([[0, AcknowledgeType.ACCEPT]])
    expect(session.end([{ from, verdicts }])).toMatchObject({
      shareSessionEpoch: -1,
      topics: [{ partitions: [{ acknowledgementBatches: [{ firstOffset: 0, lastOffset: 0 }] }] }],
    })
    expect(session.isOpen).toBe(false)
  })
})
