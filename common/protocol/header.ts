/**
 * Headers of requests and responses, chosen by API and version, and whole frames made of header and body.
 */
import { codecOf, decodeMessage, writeFrame } from './codec.ts'
import type { Frame } from './frame.ts'
import { MalformedFrame } from './malformed-frame.ts'
import { Reader } from './reader.ts'
import { RequestHeader } from './records/request-header.ts'
import { ResponseHeader } from './records/response-header.ts'
import { apiByKey } from './registry.ts'
import type { ApiSchema, RequestInputOf, ResponseInputOf } from './schema.ts'
import { hasVersion } from './versions.ts'

const API_VERSIONS_KEY = 18

/** Version 2 goes with flexible requests. Its client id stays a string with an int16 length. */
export function requestHeaderVersion(api: ApiSchema, version: number): 1 | 2 {
  return hasVersion(api.flexible, version) ? 2 : 1
}

/**
 * Version 1 goes with flexible responses, except that of ApiVersions: a client that does not know yet which versions
 * the broker has must be able to read it (KIP-511).
 */
export function responseHeaderVersion(api: ApiSchema, version: number): 0 | 1 {
  return hasVersion(api.flexible, version) && api.key !== API_VERSIONS_KEY ? 1 : 0
}

export interface RequestEnvelope {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  /** Empty when the client sent null, as in Kafka. */
  readonly clientId: string
}

/**
 * Reads the header and leaves the reader at the body. The version may be one that `api` lacks: Kafka reads the header
 * of an ApiVersions request of any version, to answer with what it has. A key that Kafka lacks is malformed, as is one
 * of its removed APIs.
 */
export function decodeRequestHeader(source: Reader | Frame | Buffer): {
  readonly header: RequestEnvelope
  readonly api: ApiSchema
  readonly reader: Reader
} {
  const reader = source instanceof Reader ? source : new Reader(source)
  const start = reader.position
  const apiKey = reader.int16()
  const apiVersion = reader.int16()
  const api = apiByKey(apiKey)
  if (api === undefined) throw new MalformedFrame(`no API has the key ${apiKey}`)
  reader.position = start
  const { correlationId, clientId } = decodeMessage(
    RequestHeader,
    requestHeaderVersion(api, apiVersion),
    reader,
  )
  return { header: { apiKey, apiVersion, correlationId, clientId: clientId ?? '' }, api, reader }
}

export interface RequestFrameOptions {
  readonly version: number
  readonly correlationId: number
  readonly clientId: string | null
}

/** Header and body of a request. */
export function encodeRequestFrame<A extends ApiSchema>(
  api: A,
  { version, correlationId, clientId }: RequestFrameOptions,
  request: RequestInputOf<A>,
): Frame {
  const headerCodec = codecOf(RequestHeader, requestHeaderVersion(api, version))
  const header = { requestApiKey: api.key, requestApiVersion: version, correlationId, clientId }
  const codec = codecOf(api.request, version)
  return writeFrame(
    (writer) => headerCodec.encode(writer, header),
    (writer) => codec.encode(writer, request),
  )
}

export interface ResponseFrameOptions {
  readonly version: number
  readonly correlationId: number
}

/** Header and body of a response. */
export function encodeResponseFrame<A extends ApiSchema>(
  api: A,
  { version, correlationId }: ResponseFrameOptions,
  response: ResponseInputOf<A>,
): Frame {
  const headerCodec = codecOf(ResponseHeader, responseHeaderVersion(api, version))
  const codec = codecOf(api.response, version)
  return writeFrame(
    (writer) => headerCodec.encode(writer, { correlationId }),
    (writer) => codec.encode(writer, response),
  )
}

/** Reads the header of the response to a request of this API and version, and leaves the reader at the body. */
export function decodeResponseHeader(
  api: ApiSchema,
  version: number,
  source: Reader | Frame | Buffer,
): { readonly correlationId: number; readonly reader: Reader } {
  const reader = source instanceof Reader ? source : new Reader(source)
  const { correlationId } = decodeMessage(ResponseHeader, responseHeaderVersion(api, version), reader)
  return { correlationId, reader }
}
