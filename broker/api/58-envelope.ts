/**
 * Behaviour: runs the request that a broker passed on, as if its client had asked here, and answers with the whole answer (KIP-590).
 * Versions: v0.
 * Errors: NOT_CONTROLLER unless this node is the active controller, and still is when it answers; PRINCIPAL_DESERIALIZATION_FAILURE; INVALID_REQUEST when the data is no
 *   request for a controller.
 * Deviations: none.
 */
import { Envelope } from '../../common/protocol/apis/58-envelope.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { frameOf, joinFrame } from '../../common/protocol/frame.ts'
import { MalformedFrame } from '../../common/protocol/malformed-frame.ts'
import { decodeRecordValue } from '../../common/protocol/record-codec.ts'
import { DefaultPrincipalData } from '../../common/protocol/records/default-principal-data.ts'
import type { Principal } from '../network/connection-info.ts'
import { addressText } from '../peer/request-forwarder.ts'
import { defineHandler } from './handler.ts'

export const envelope = defineHandler(Envelope, {
  versions: '0',
  runsOn: 'any',
  handle: (context, request) => {
    const { broker, connection } = context
    if (broker.controller === undefined) return { errorCode: ErrorCode.NOT_CONTROLLER }
    const principal = principalOf(request.requestPrincipal)
    if (principal === undefined) return { errorCode: ErrorCode.PRINCIPAL_DESERIALIZATION_FAILURE }
    const onBehalf = {
      id: `${connection.id} for a client`,
      listener: connection.listener,
      clientAddress: addressText(request.clientHostAddress),
      clientPort: 0,
      principal,
      clientSoftwareName: '',
      clientSoftwareVersion: '',
      onClosed: (callback: () => void) => connection.onClosed(callback),
    }
    return broker
      .dispatchForwarded(onBehalf, frameOf(request.requestData))
      .map((result) =>
        typeof result === 'number'
          ? { errorCode: result }
          : { errorCode: ErrorCode.NONE, responseData: joinFrame(result) },
      )
  },
  refuse: (_request, error) => ({ errorCode: error }),
})

function principalOf(bytes: Buffer | null): Principal | undefined {
  if (bytes === null) return undefined
  try {
    const { type, name, tokenAuthenticated } = decodeRecordValue(DefaultPrincipalData, bytes)
    return { type, name, isTokenAuthenticated: tokenAuthenticated }
  } catch (error) {
    if (error instanceof MalformedFrame) return undefined
    throw error
  }
}
