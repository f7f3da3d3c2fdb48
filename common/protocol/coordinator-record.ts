/**
 * Records of a coordinator's log: a key that names the type, and a value or null, which deletes. The logs and their
 * types are in `records/{group,transaction,share}-records.ts`.
 */
import { codecOf } from './codec.ts'
import { Reader } from './reader.ts'
import { decodeRecord } from './record-codec.ts'
import type { RecordOf, RecordSchema } from './schema.ts'
import { hasVersion } from './versions.ts'

export interface CoordinatorRecordSchema {
  readonly name: string
  readonly key: RecordSchema
  readonly value: RecordSchema
}

/** A union over the types of one log. */
export type CoordinatorRecord<S extends CoordinatorRecordSchema> = {
  readonly [T in S as T['name']]: {
    readonly name: T['name']
    readonly key: RecordOf<T['key']>
    /** null is a tombstone. */
    readonly value: RecordOf<T['value']> | null
  }
}[S['name']]

/** Makes the decoder of one log. It raises MalformedFrame; unknown types and versions are undefined. */
export function coordinatorRecordDecoder<const S extends CoordinatorRecordSchema>(
  schemas: readonly S[],
): (key: Buffer, value: Buffer | null) => CoordinatorRecord<S> | undefined {
  const byType = new Map<number, CoordinatorRecordSchema>(schemas.map((schema) => [schema.key.type, schema]))
  return (keyBytes, valueBytes) => {
    const keyReader = new Reader(keyBytes)
    const schema = byType.get(keyReader.int16())
    if (schema === undefined) return undefined
    const key = decodeRecord(schema.key, schema.key.versions.highest, keyReader)
    let value: unknown = null
    if (valueBytes !== null) {
      const valueReader = new Reader(valueBytes)
      const version = valueReader.int16()
      if (!hasVersion(schema.value.versions, version)) return undefined
      value = codecOf(schema.value, version).decode(valueReader)
    }
    return { name: schema.name, key, value } as unknown as CoordinatorRecord<S>
  }
}
