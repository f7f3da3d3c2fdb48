/**
 * Passes a client's request on to the active controller in an Envelope (KIP-590), with the client's principal and address, and brings the
 * answer back.
 */
import { Envelope } from '../../common/protocol/apis/58-envelope.ts'
import { decodeResponse } from '../../common/protocol/codec.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { type Frame, joinFrame } from '../../common/protocol/frame.ts'
import { decodeResponseHeader } from '../../common/protocol/header.ts'
import { encodeRecordValue } from '../../common/protocol/record-codec.ts'
import { DefaultPrincipalData } from '../../common/protocol/records/default-principal-data.ts'
import type { ApiSchema } from '../../common/protocol/schema.ts'
import type { Deferred } from '../../common/runtime/deferred.ts'
import type { RequestContext } from '../network/request-context.ts'
import type { ControllerForwarder } from '../network/router.ts'
import type { ControllerClient } from './controller-client.ts'

/** Kafka gives the controller as long as any request. */
const FORWARD_TIMEOUT_MS = 60_000

export class RequestForwarder implements ControllerForwarder {
  readonly #controller: ControllerClient

  constructor(controller: ControllerClient) {
    this.#controller = controller
  }

  forward(
    api: ApiSchema,
    context: RequestContext,
    frame: Frame,
  ): Deferred<{ readonly answer: unknown } | undefined> | undefined {
    const { broker, connection, principal, apiVersion } = context
    if (broker.controller !== undefined || connection.listener.kind === 'controller') return undefined
    const request = {
      requestData: joinFrame(frame),
      requestPrincipal: encodeRecordValue(DefaultPrincipalData, 0, {
        type: principal.type,
        name: principal.name,
        tokenAuthenticated: principal.isTokenAuthenticated,
      }),
      clientHostAddress: addressBytes(connection.clientAddress),
    }
    return this.#controller.call(Envelope, request, FORWARD_TIMEOUT_MS).map((result) => {
      if (!result.ok || result.response.errorCode !== ErrorCode.NONE) return undefined
      const { responseData } = result.response
      if (responseData === null) return undefined
      const { reader } = decodeResponseHeader(api, apiVersion, responseData)
      return { answer: decodeResponse(api, apiVersion, reader) as unknown }
    })
  }
}

/** 4 bytes of an IPv4 address, 16 of an IPv6 one; loopback for what is neither. */
export function addressBytes(address: string): Buffer {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address
  const parts = plain.split('.').map(Number)
  if (parts.length === 4 && parts.every((part) => part >= 0 && part <= 255)) return Buffer.from(parts)
  const groups = ipv6Groups(plain)
  if (groups === undefined) return Buffer.from([127, 0, 0, 1])
  const bytes = Buffer.alloc(16)
  groups.forEach((group, index) => {
    bytes.writeUInt16BE(group, index * 2)
  })
  return bytes
}

function ipv6Groups(address: string): number[] | undefined {
  if (!address.includes(':')) return undefined
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? []
  const parse = (part: string) =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16))
  const left = parse(head)
  const right = tail === undefined ? [] : parse(tail)
  const zeros = new Array<number>(Math.max(0, 8 - left.length - right.length)).fill(0)
  const groups = tail === undefined ? left : [...left, ...zeros, ...right]
  return groups.length === 8 && groups.every((group) => group >= 0 && group <= 0xffff) ? groups : undefined
}

export function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return [...bytes].join('.')
  if (bytes.length !== 16) return ''
  return Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16)).join(':')
}
