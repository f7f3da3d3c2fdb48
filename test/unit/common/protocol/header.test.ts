import { describe, expect, it } from 'vitest'
import { Metadata } from '../../../../common/protocol/apis/03-metadata.ts'
import { ApiVersions } from '../../../../common/protocol/apis/18-api-versions.ts'
import { decodeRequest, decodeResponse } from '../../../../common/protocol/codec.ts'
import { joinFrame } from '../../../../common/protocol/frame.ts'
import {
  decodeRequestHeader,
  decodeResponseHeader,
  encodeRequestFrame,
  encodeResponseFrame,
} from '../../../../common/protocol/header.ts'
import { MalformedFrame } from '../../../../common/protocol/malformed-frame.ts'

describe('the header of a request', () => {
  it('has tagged fields with flexible versions, but its client id keeps an int16 length', () => {
    const frame = encodeRequestFrame(
      ApiVersions,
      { version: 3, correlationId: 7, clientId: 'me' },
      { clientSoftwareName: 'a', clientSoftwareVersion: 'b' },
    )
    expect(joinFrame(frame).toString('hex')).toBe(
      '0012' + '0003' + '00000007' + '00026d65' + '00' + '0261026200',
    )
    const { header, api, reader } = decodeRequestHeader(frame)
    expect(header).toEqual({ apiKey: 18, apiVersion: 3, correlationId: 7, clientId: 'me' })
    expect(api).toBe(ApiVersions)
    expect(decodeRequest(ApiVersions, 3, reader).clientSoftwareName).toBe('a')
    expect(reader.remainingBytes).toBe(0)
  })

  it('gives an empty client id for null, as Kafka does', () => {
    const frame = encodeRequestFrame(
      Metadata,
      { version: 4, correlationId: 1, clientId: null },
      { topics: null },
    )
    expect(decodeRequestHeader(frame).header.clientId).toBe('')
  })

  it('can be read for versions that nobody knows yet', () => {
    const { header } = decodeRequestHeader(Buffer.from('00127fff0000000900000000', 'hex'))
    expect(header).toEqual({ apiKey: 18, apiVersion: 32767, correlationId: 9, clientId: '' })
  })

  it.each(['03e8000000000001ffff', '0004000000000001ffff', '0003', ''])('%s is malformed', (hex) => {
    expect(() => decodeRequestHeader(Buffer.from(hex, 'hex'))).toThrow(MalformedFrame)
  })
})

describe('the header of a response', () => {
  it('has tagged fields with flexible versions', () => {
    const response = { brokers: [], topics: [] }
    const frame = encodeResponseFrame(Metadata, { version: 9, correlationId: 5 }, response)
    expect(joinFrame(frame).toString('hex').slice(0, 10)).toBe('0000000500')
    const { correlationId, reader } = decodeResponseHeader(Metadata, 9, frame)
    expect(correlationId).toBe(5)
    expect(decodeResponse(Metadata, 9, reader).brokers).toEqual([])
    expect(reader.remainingBytes).toBe(0)
  })

  it('is the oldest one for ApiVersions, so that every client can read it', () => {
    const frame = encodeResponseFrame(
      ApiVersions,
      { version: 3, correlationId: 5 },
      { errorCode: 35, apiKeys: [] },
    )
    expect(joinFrame(frame).toString('hex').slice(0, 12)).toBe('000000050023')
  })
})
