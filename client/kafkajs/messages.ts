/** Messages as kafkajs writes them, from and to the client's own. */
import type { SendOptions } from '../producer/send-arguments.ts'
import type { HeaderValue } from '../values/headers.ts'
import type { Message } from '../values/message.ts'
import { KafkaJSNonRetriableError } from './errors.ts'

export interface IHeaders {
  [name: string]: Buffer | string | (Buffer | string)[] | undefined
}

export interface ProducedMessage {
  readonly key?: Buffer | string | null
  readonly value: Buffer | string | null
  readonly partition?: number
  readonly headers?: IHeaders
  /** Milliseconds since 1970. */
  readonly timestamp?: string
}

export interface KafkaMessage {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly timestamp: string
  readonly attributes: number
  readonly offset: string
  readonly headers: IHeaders
}

export function toSendOptions(message: ProducedMessage): SendOptions {
  if (typeof message !== 'object' || message === null) {
    throw new KafkaJSNonRetriableError('a message must be an object')
  }
  const { key, value, partition, headers, timestamp } = message
  if (value === undefined) {
    throw new KafkaJSNonRetriableError('Invalid message without value; null is a tombstone')
  }
  return {
    key: key ?? null,
    value,
    ...(partition === undefined ? {} : { partition }),
    ...(headers === undefined ? {} : { headers: headerPairs(headers) }),
    ...(timestamp === undefined ? {} : { timestamp: Number(timestamp) }),
  }
}

function headerPairs(headers: IHeaders): [string, HeaderValue][] {
  const pairs: [string, HeaderValue][] = []
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue
    for (const one of Array.isArray(value) ? value : [value]) pairs.push([name, one])
  }
  return pairs
}

export function toKafkaMessage(message: Message): KafkaMessage {
  const [, timestampMs] = message.timestamp()
  const headers: IHeaders = {}
  for (const [name, value] of message.headers() ?? []) {
    const known = headers[name]
    const one = value ?? undefined
    if (known === undefined) headers[name] = one
    else if (one !== undefined) headers[name] = Array.isArray(known) ? [...known, one] : [known, one]
  }
  return {
    key: message.key(),
    value: message.value(),
    timestamp: `${timestampMs}`,
    attributes: 0,
    offset: `${message.offset() ?? -1}`,
    headers,
  }
}
