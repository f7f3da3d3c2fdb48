/** Bytes from outside that are not the message they should be. The router closes the connection, as Kafka does. */
export class MalformedFrame extends Error {
  override readonly name = 'MalformedFrame'
}
