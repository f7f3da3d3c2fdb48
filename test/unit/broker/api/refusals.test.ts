import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Handler } from '../../../../broker/api/handler.ts'
import { servedHandlers } from '../../../../broker/served-apis.ts'
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../../../common/protocol/codec.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import type { ApiSchema } from '../../../../common/protocol/schema.ts'
import { versionRange } from '../../../../common/protocol/versions.ts'
import { arbitraryMessage } from '../../../wire/arbitrary-message.ts'

const ERRORS = [
  ErrorCode.UNKNOWN_SERVER_ERROR,
  ErrorCode.KAFKA_STORAGE_ERROR,
  ErrorCode.CLUSTER_AUTHORIZATION_FAILED,
  ErrorCode.REQUEST_TIMED_OUT,
]

function refuseInVersion(handler: Handler<ApiSchema>, version: number): void {
  const { api } = handler
  const property = fc.property(arbitraryMessage(api.request, version), (message) => {
    const request = decodeRequest(api, version, encodeRequest(api, version, message as never))
    for (const error of ERRORS) {
      const refused = handler.refuse(request as never, error, undefined, version)
      decodeResponse(api, version, encodeResponse(api, version, refused as never))
    }
  })
  fc.assert(property, { numRuns: 15, seed: 20_26 + version })
}

describe('every handler', () => {
  it.each(servedHandlers.map((handler) => [handler.api.name, handler] as const))(
    'refuses any %s in words that its version has',
    (_name, handler) => {
      const { lowest, highest } = versionRange(handler.versions)
      for (let version = lowest; version <= highest; version++) refuseInVersion(handler, version)
    },
  )

  it('says the error where clients of an old version look for it', () => {
    const codesIn = (key: number, version: number, request: object) => {
      const handler = servedHandlers.find(({ api }) => api.key === key) as Handler<ApiSchema>
      const { api } = handler
      const decoded = decodeRequest(api, version, encodeRequest(api, version, request as never))
      const refused = handler.refuse(decoded as never, ErrorCode.REQUEST_TIMED_OUT, undefined, version)
      const answer = decodeResponse(api, version, encodeResponse(api, version, refused as never))
      const codes: number[] = []
      JSON.stringify(answer, (name, value) => {
        if (name === 'errorCode' && value !== 0) codes.push(value)
        return typeof value === 'bigint' ? String(value) : value
      })
      return codes
    }
    const timedOut = ErrorCode.REQUEST_TIMED_OUT
    const offsets = { groupId: 'g', topics: [{ name: 't', partitionIndexes: [0] }] }
    expect(codesIn(9, 1, offsets)).toEqual([timedOut])
    expect(codesIn(9, 2, offsets)).toEqual([timedOut])
    expect(codesIn(9, 8, { groups: [{ groupId: 'g', topics: null }] })).toEqual([timedOut])
    expect(codesIn(10, 0, { key: 'g' })).toEqual([timedOut])
    expect(codesIn(10, 4, { coordinatorKeys: ['g'] })).toEqual([timedOut])
    expect(codesIn(10, 4, { coordinatorKeys: [] })).toEqual([])
    expect(codesIn(43, 0, { topicPartitions: [{ topic: 't', partitions: [0] }] })).toEqual([timedOut])
    expect(codesIn(43, 1, { topicPartitions: null })).toEqual([timedOut])
  })
})
