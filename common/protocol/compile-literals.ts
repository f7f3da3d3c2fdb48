/** Source text of values and of tests for defaults, shared by both halves of the compiler. */
import type { Field, Fields } from './schema.ts'

/** A fresh default in each place it is evaluated. */
export function defaultLiteral(field: Field): string {
  if (field.default === null) return 'null'
  if (field.type === 'array') return '[]'
  if (field.type === 'bytes' || field.type === 'records') return 'EMPTY_BYTES'
  if (field.type === 'struct') return structureLiteral(field.fields as Fields, defaultLiteral)
  return typeof field.default === 'bigint' ? `${field.default}n` : JSON.stringify(field.default)
}

export function structureLiteral<V>(
  fields: { readonly [name: string]: V },
  literal: (value: V, name: string) => string,
): string {
  const parts = Object.entries(fields).map(
    ([name, value]) => `${JSON.stringify(name)}: ${literal(value, name)}`,
  )
  return `{ ${parts.join(', ')} }`
}

export function property(object: string, name: string): string {
  return `${object}[${JSON.stringify(name)}]`
}
