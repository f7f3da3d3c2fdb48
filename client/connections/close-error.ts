/** Why a connection ended, in words for the application, with the probable cause where both sides are set up differently. */
import type { LinkCloseReason } from '../../common/runtime/transport.ts'
import { KafkaError } from '../errors.ts'
import type { ConnectionState } from './connection-state.ts'

export interface ConnectionEnd {
  readonly reason: LinkCloseReason
  /** The system's. */
  readonly cause: Error | undefined
  /** When it ended. */
  readonly state: ConnectionState
  /** Whether the client has authenticated, or is about to. */
  readonly hasSasl: boolean
  /** Whether the broker has answered an ordinary request on it. */
  readonly hasServed: boolean
}

const resolverCodes: ReadonlySet<string> = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'ENODATA'])

const untrustedCodes: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** What is no TLS looks like this, or the other side hangs up as soon as it sees that this side wants it. */
const notTlsCodes: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'EPIPE',
  'EPROTO',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_WRONG_VERSION_NUMBER',
])

const otherListener = 'is it a listener with TLS or SASL, or no broker at all? See security.protocol'

export function closeError({ reason, cause, state, hasSasl, hasServed }: ConnectionEnd): KafkaError {
  const systemCode = (cause as NodeJS.ErrnoException | undefined)?.code
  if (systemCode !== undefined && resolverCodes.has(systemCode)) {
    return new KafkaError(KafkaError._RESOLVE, `Failed to resolve the host name: ${cause?.message}`)
  }
  const detail = cause === undefined ? '' : `: ${cause.message}`
  // With TLS 1.3 a broker that will not have our certificate says so after the handshake.
  if (reason === 'tls-failed' || systemCode?.startsWith('ERR_SSL') === true) {
    return new KafkaError(KafkaError._SSL, `SSL handshake failed${detail}${tlsHint(systemCode)}`)
  }
  switch (reason) {
    case 'refused':
      return new KafkaError(KafkaError._TRANSPORT, `Connect failed${detail || ': connection refused'}`)
    case 'timeout':
      return new KafkaError(KafkaError._TRANSPORT, `Connect timed out${detail}`)
    case 'frame-too-large':
    case 'frame-malformed': {
      if (state === 'APIVERSION_QUERY') {
        return new KafkaError(KafkaError._BAD_MSG, `The first answer is none of Kafka's (${otherListener})`)
      }
      const text =
        reason === 'frame-too-large' ? 'exceeds receive.message.max.bytes' : 'has an invalid length'
      return new KafkaError(KafkaError._BAD_MSG, `A response ${text}`)
    }
    default: {
      const hint = disconnectHint(state, hasSasl, hasServed)
      return new KafkaError(KafkaError._TRANSPORT, `Disconnected in state ${state}${detail}${hint}`)
    }
  }
}

function tlsHint(systemCode: string | undefined): string {
  if (systemCode === undefined || notTlsCodes.has(systemCode)) {
    return ' (is it a listener without TLS? See security.protocol)'
  }
  if (untrustedCodes.has(systemCode)) return ' (does ssl.ca.location hold the authority of the brokers?)'
  return ''
}

/** A broker hangs up on what its listener does not expect: TLS wanted, or something else than SASL where that is wanted. */
function disconnectHint(state: ConnectionState, hasSasl: boolean, hasServed: boolean): string {
  if (state === 'APIVERSION_QUERY') return ` (${otherListener})`
  if (state === 'UP' && !hasSasl && !hasServed) return ' (does the listener want SASL? See security.protocol)'
  return ''
}
