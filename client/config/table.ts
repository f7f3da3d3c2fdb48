/** All properties in one table, and the types that follow from it. */
import { connectionProperties, securityProperties } from './connection-properties.ts'
import { consumerProperties } from './consumer-properties.ts'
import { idleProperties } from './idle-properties.ts'
import { producerProperties } from './producer-properties.ts'
import type { InputOf, Property, ValueOf } from './property.ts'

const table = {
  ...connectionProperties,
  ...securityProperties,
  ...consumerProperties,
  ...producerProperties,
  ...idleProperties,
} as const

type Table = typeof table
export type PropertyName = keyof Table
export type Values = { readonly [N in PropertyName]: ValueOf<Table[N]> }

type AliasName =
  | 'metadata.broker.list'
  | 'max.in.flight'
  | 'sasl.mechanism'
  | 'sasl.oauthbearer.client.credentials.client.id'
  | 'sasl.oauthbearer.client.credentials.client.secret'
  | 'max.partition.fetch.bytes'
  | 'request.required.acks'
  | 'message.timeout.ms'
  | 'message.send.max.retries'
  | 'queue.buffering.max.ms'
  | 'compression.type'

/** What the constructors take: a misspelt name fails in the editor. */
export type ClientConfig = {
  readonly [N in PropertyName]?: InputOf<Table[N]> | null | undefined
} & { readonly [N in AliasName]?: string | number | null | undefined }

export const properties: Readonly<Record<string, Property>> = table

const canonicalNames = new Map<string, PropertyName>()
for (const [name, { aliases }] of Object.entries(properties)) {
  canonicalNames.set(name, name as PropertyName)
  for (const alias of aliases) canonicalNames.set(alias, name as PropertyName)
}

/** The name of the slot that this name or alias writes. */
export function canonicalName(name: string): PropertyName | undefined {
  return canonicalNames.get(name)
}

export function knownNames(): Iterable<string> {
  return canonicalNames.keys()
}
