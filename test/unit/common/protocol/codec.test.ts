import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { Fetch } from '../../../../common/protocol/apis/01-fetch.ts'
import { ListGroups } from '../../../../common/protocol/apis/16-list-groups.ts'
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../../../common/protocol/codec.ts'
import { joinFrame } from '../../../../common/protocol/frame.ts'
import { MalformedFrame } from '../../../../common/protocol/malformed-frame.ts'
import { array, defineApi, int32, string } from '../../../../common/protocol/schema.ts'
import { BY_REFERENCE_BYTES, EncodeError } from '../../../../common/protocol/writer.ts'

function fetchResponse(records: Buffer) {
  const partition = { partitionIndex: 0, errorCode: 0, highWatermark: 5, abortedTransactions: null } as const
  return {
    responses: [
      {
        topic: 'orders',
        partitions: [
          { ...partition, records },
          { ...partition, records },
        ],
      },
    ],
  }
}

describe('a decoded message', () => {
  it('has every field: those its version lacks hold the default', () => {
    const request = decodeRequest(ListGroups, 0, Buffer.alloc(0))
    expect(request).toStrictEqual({ statesFilter: [], typesFilter: [] })
  })

  it('shares no default with another message', () => {
    const [first, second] = [1, 2].map(() => decodeRequest(ListGroups, 0, Buffer.alloc(0)))
    first?.statesFilter.push('Stable')
    expect(second?.statesFilter).toEqual([])
  })

  it('leaves bytes that follow it, as Kafka does', () => {
    expect(decodeRequest(ListGroups, 3, Buffer.from('00ff', 'hex'))).toStrictEqual({
      statesFilter: [],
      typesFilter: [],
    })
  })

  it('keeps tagged fields that the schema does not know, and they are written back', () => {
    const bytes = Buffer.from('02' + '05' + '02aabb' + 'e807' + '00', 'hex')
    const request = decodeRequest(ListGroups, 3, bytes)
    expect(request.unknownTaggedFields).toEqual([
      { tag: 5, data: Buffer.from('aabb', 'hex') },
      { tag: 1000, data: Buffer.alloc(0) },
    ])
    expect(joinFrame(encodeRequest(ListGroups, 3, request)).equals(bytes)).toBe(true)
  })

  it('raises MalformedFrame when an array claims more than is there', () => {
    expect(() => decodeRequest(ListGroups, 4, Buffer.from('ffffffff07', 'hex'))).toThrow(MalformedFrame)
  })
})

describe('encoding', () => {
  it('refuses a field that the version lacks unless it holds its default', () => {
    expect(() => encodeRequest(ListGroups, 3, { statesFilter: ['Stable'] })).toThrow(EncodeError)
    expect(joinFrame(encodeRequest(ListGroups, 3, { statesFilter: [] })).toString('hex')).toBe('00')
  })

  it('drops an ignorable field silently', () => {
    const request = { maxWaitMs: 1, minBytes: 1, topics: [], rackId: 'a' }
    expect(decodeRequest(Fetch, 10, encodeRequest(Fetch, 10, request)).rackId).toBe('')
  })

  it('refuses tagged fields in a version that has no place for them', () => {
    const unknownTaggedFields = [{ tag: 5, data: Buffer.alloc(0) }]
    expect(() => encodeRequest(ListGroups, 2, { unknownTaggedFields })).toThrow(EncodeError)
  })

  it('counts more than 127 tagged fields', () => {
    const unknownTaggedFields = Array.from({ length: 300 }, (_, tag) => ({
      tag,
      data: Buffer.from([tag % 7]),
    }))
    const frame = encodeRequest(ListGroups, 3, { unknownTaggedFields })
    expect(decodeRequest(ListGroups, 3, frame).unknownTaggedFields).toEqual(unknownTaggedFields)
  })

  it('refuses a version that the message does not have', () => {
    expect(() => encodeRequest(Fetch, 3, { maxWaitMs: 1, minBytes: 1, topics: [] })).toThrow(RangeError)
  })

  it('moves large records by reference, and reading them gives the same memory', () => {
    const records = Buffer.alloc(BY_REFERENCE_BYTES, 3)
    const frame = encodeResponse(Fetch, 12, fetchResponse(records))
    expect(frame.fragments.filter((fragment) => fragment === records)).toHaveLength(2)
    const partitions = decodeResponse(Fetch, 12, frame).responses[0]?.partitions
    expect(partitions?.map((partition) => partition.records?.buffer === records.buffer)).toEqual([true, true])
    expect(decodeResponse(Fetch, 12, joinFrame(frame)).responses[0]?.partitions).toStrictEqual(partitions)
  })

  it('works where the process may not generate code', () => {
    const script = `
      import { ListGroups } from './common/protocol/apis/16-list-groups.ts'
      import { encodeRequest } from './common/protocol/codec.ts'
      import { joinFrame } from './common/protocol/frame.ts'
      const frame = encodeRequest(ListGroups, 5, { statesFilter: ['Stable'], typesFilter: [] })
      process.stdout.write(joinFrame(frame).toString('hex'))`
    const flags = ['--disallow-code-generation-from-strings', '--import', 'tsx', '--input-type=module']
    const output = execFileSync(process.execPath, [...flags, '--eval', script], { encoding: 'utf8' })
    expect(output).toBe('0207537461626c650100')
  })
})

describe('a schema', () => {
  const parts = { key: 0, name: 'Test', versions: '0-2', flexible: 'none', response: {} } as const

  it('says a default for every field that some version lacks', () => {
    expect(() => defineApi({ ...parts, request: { name: string('1+') } })).toThrow(/needs a default/)
    expect(() => defineApi({ ...parts, request: { a: array('0+', { b: int32('0-1') }) } })).toThrow(TypeError)
  })

  it('uses a tag once', () => {
    const request = { a: string('0+', { tag: 1 }), b: string('0+', { tag: 1 }) }
    expect(() => defineApi({ ...parts, flexible: '0+', request })).toThrow(/used twice/)
  })

  it('defaults to null only what may be null', () => {
    const request = { a: string('0+', { default: null }) }
    expect(() => defineApi({ ...parts, request })).toThrow(/not nullable/)
  })
})
