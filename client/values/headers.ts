/** Headers as the API takes them and as it gives them: pairs in order, duplicates kept. */
import { NO_HEADERS, type RecordHeader } from '../../common/record/record.ts'
import { copyBytes, toBytes } from './bytes.ts'

export type HeaderValue = string | Uint8Array | null
export type HeadersInput =
  | ReadonlyArray<readonly [string, HeaderValue]>
  | ReadonlyMap<string, HeaderValue>
  | { readonly [name: string]: HeaderValue }

export type Headers = [string, Buffer | null][]

/** TypeError for anything that is not one of the documented forms. */
export function toRecordHeaders(input: HeadersInput | null | undefined): readonly RecordHeader[] {
  if (input === null || input === undefined) return NO_HEADERS
  if (typeof input !== 'object' || input instanceof Uint8Array || input instanceof Date)
    throw new TypeError('headers must be pairs or an object')
  const pairs: Iterable<unknown> = isIterable(input) ? input : Object.entries(input)
  const headers: RecordHeader[] = []
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2)
      throw new TypeError('a header must be a pair of name and value')
    const [key, value] = pair as [unknown, unknown]
    if (typeof key !== 'string') throw new TypeError('the name of a header must be a string')
    headers.push({ key, value: toBytes(value, 'the value of a header') })
  }
  return headers.length === 0 ? NO_HEADERS : headers
}

/** The same headers with bytes in memory of their own. */
export function copyHeaders(headers: readonly RecordHeader[]): readonly RecordHeader[] {
  return headers.length === 0 ? headers : headers.map(({ key, value }) => ({ key, value: copyBytes(value) }))
}

/** null when there are none. */
export function fromRecordHeaders(headers: readonly RecordHeader[]): Headers | null {
  return headers.length === 0 ? null : headers.map(({ key, value }) => [key, value])
}

function isIterable(value: object): value is Iterable<unknown> {
  return Symbol.iterator in value
}
