/** The same bytes in memory of their own. */
export function copyBytes(bytes: Buffer | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes)
}

/** Strings become UTF-8; any Uint8Array becomes a Buffer over the same bytes. */
export function toBytes(value: unknown, name: string): Buffer | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'string') return Buffer.from(value)
  if (Buffer.isBuffer(value)) return value
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  throw new TypeError(`${name} must be a string, bytes or null`)
}

/** As `toBytes`, in memory of their own: what the application does with its buffer later does not show. */
export function ownBytes(value: unknown, name: string): Buffer | null {
  return typeof value === 'string' ? Buffer.from(value) : copyBytes(toBytes(value, name))
}
