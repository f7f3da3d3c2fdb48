/** What one SASL mechanism does: a conversation of tokens. Throws KafkaException `_AUTHENTICATION` for what it will not accept. */
import { KafkaError, type KafkaException, kafkaException } from '../../errors.ts'

export interface SaslExchange {
  /** The first token. */
  first(): Buffer | Promise<Buffer>
  /** The answer to the broker's token; undefined when there is nothing more to say. */
  next(challenge: Buffer): Buffer | undefined
}

export interface SaslMechanism {
  readonly name: string
  /** One conversation, on one connection. */
  begin(): SaslExchange
}

export interface Credentials {
  readonly username: string
  readonly password: string
}

/** The failure of an authentication, `_AUTHENTICATION`. */
export function refused(text: string): KafkaException {
  return kafkaException(KafkaError._AUTHENTICATION, text)
}

/** Throws as `refused` without credentials. */
export function needed(credentials: Credentials | undefined): Credentials {
  if (credentials === undefined) throw refused('"sasl.username" and "sasl.password" are not set')
  return credentials
}
