import { describe, expect, it } from 'vitest'
import { FetchChunk, type FetchChunkOptions } from '../../../../client/consumer/fetch-chunk.ts'
import { BatchBuilder, type BatchBuilderOptions } from '../../../../common/record/batch-builder.ts'
import { buildEndTransactionMarkerBatch } from '../../../../common/record/control-record.ts'

function batch(baseOffset: number, values: readonly string[], options: BatchBuilderOptions = {}): Buffer {
  const builder = new BatchBuilder({ baseOffset, partitionLeaderEpoch: 3, ...options })
  for (const value of values) builder.append(1000, null, Buffer.from(value))
  return builder.build()
}

const transactional = (producerId: number): BatchBuilderOptions => ({
  producerId,
  producerEpoch: 0,
  baseSequence: 0,
  isTransactional: true,
})

function marker(baseOffset: number, producerId: number, isCommit: boolean): Buffer {
  const common = { producerEpoch: 0, coordinatorEpoch: 0, timestamp: 1, partitionLeaderEpoch: 3 }
  return buildEndTransactionMarkerBatch({ ...common, baseOffset, producerId, isCommit })
}

function chunk(records: Buffer, options: Partial<FetchChunkOptions> = {}): FetchChunk {
  const base = { topic: 't', partition: 0, fetchOffset: 0, abortedTransactions: undefined, checksCrcs: false }
  return new FetchChunk({ ...base, records, ...options })
}

function drain(fetched: FetchChunk): (string | undefined)[] {
  const seen: (string | undefined)[] = []
  for (let message = fetched.next(); message !== undefined; message = fetched.next())
    seen.push(message.error()?.name() ?? `${message.value()}@${message.offset()}`)
  return seen
}

describe('fetched records', () => {
  it('begin at the wanted offset, though the batch begins earlier', () => {
    const fetched = chunk(batch(10, ['a', 'b', 'c']), { fetchOffset: 11 })
    expect([fetched.messageCount, fetched.nextOffset, fetched.leaderEpoch]).toEqual([2, 13, 3])
    expect(drain(fetched)).toEqual(['b@11', 'c@12'])
  })

  it('never go back, whatever the offsets of later batches say', () => {
    const fetched = chunk(
      Buffer.concat([batch(5, ['a', 'b']), batch(0, ['old', 'old']), batch(6, ['b', 'c'])]),
    )
    expect([fetched.messageCount, fetched.nextOffset]).toEqual([3, 8])
    expect(drain(fetched)).toEqual(['a@5', 'b@6', 'c@7'])
  })

  it.each([
    ['-1', -1],
    ['2^53', 2 ** 53],
    ['2^63-1', 2 ** 63 - 1024],
  ])('end before a batch at offset %s', (_, baseOffset) => {
    const bad = batch(0, ['x'])
    bad.writeBigInt64BE(BigInt(baseOffset), 0)
    const fetched = chunk(Buffer.concat([batch(0, ['a']), bad]))
    expect([fetched.nextOffset, fetched.isCorrupt]).toEqual([1, true])
    expect(drain(fetched)).toEqual(['a@0'])
  })

  it('end with the last whole batch', () => {
    const bytes = Buffer.concat([batch(0, ['a']), batch(1, ['b'])])
    const fetched = chunk(bytes.subarray(0, bytes.length - 1))
    expect([fetched.nextOffset, fetched.isTruncated]).toEqual([1, false])
    expect(drain(fetched)).toEqual(['a@0'])
    expect(chunk(bytes.subarray(0, 30)).isTruncated).toBe(true)
  })

  it('leave control records out, whatever the isolation', () => {
    const bytes = Buffer.concat([batch(0, ['a'], transactional(9)), marker(1, 9, true), batch(2, ['b'])])
    expect(drain(chunk(bytes))).toEqual(['a@0', 'b@2'])
    expect(chunk(bytes).nextOffset).toBe(3)
  })

  it('leave out what was aborted, and only until its marker', () => {
    const bytes = Buffer.concat([
      batch(0, ['a'], transactional(9)),
      batch(1, ['b'], transactional(8)),
      batch(2, ['c'], { producerId: 9, producerEpoch: 0, baseSequence: 1 }),
      marker(3, 9, false),
      batch(4, ['d'], transactional(9)),
      marker(5, 8, true),
      marker(6, 9, true),
    ])
    const abortedTransactions = [{ producerId: 9, firstOffset: 0 }]
    expect(drain(chunk(bytes, { abortedTransactions }))).toEqual(['b@1', 'c@2', 'd@4'])
    expect(drain(chunk(bytes))).toEqual(['a@0', 'b@1', 'c@2', 'd@4'])
  })

  it('a wrong checksum is told when it is looked at, and the next batch follows', () => {
    const bytes = Buffer.concat([batch(0, ['a']), batch(1, ['b'])])
    const position = batch(0, ['a']).length - 2
    bytes[position] = (bytes[position] ?? 0) ^ 0xff
    expect(drain(chunk(bytes, { checksCrcs: true }))).toEqual(['_BAD_MSG', 'b@1'])
  })

  it('what cannot be expanded is told, and the next batch follows', () => {
    const bad = batch(0, ['a'])
    bad.writeInt16BE(1, 21)
    expect(drain(chunk(Buffer.concat([bad, batch(1, ['b'])])))).toEqual(['_BAD_COMPRESSION', 'b@1'])
    const unknown = batch(0, ['a'])
    unknown.writeInt16BE(7, 21)
    expect(drain(chunk(unknown))).toEqual(['_NOT_IMPLEMENTED'])
  })
})
