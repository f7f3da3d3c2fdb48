/** What the client says of itself. */
export const CLIENT_NAME = 'kafkito'
export const CLIENT_VERSION = '0.1.0'

/** Version of the client package. */
export function version(): string {
  return CLIENT_VERSION
}

/** Version of the protocol engine, as text and packed as 0xMMmmrrpp (ff: final). */
export function libversion(): [string, number] {
  const [major = 0, minor = 0, revision = 0] = CLIENT_VERSION.split('.').map(Number)
  return [CLIENT_VERSION, major * 0x1000000 + ((minor << 16) | (revision << 8) | 0xff)]
}
