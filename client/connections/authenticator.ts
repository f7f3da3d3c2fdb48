/**
 * The place of SASL: what happens on a connection between ApiVersions and its first ordinary request. One implementation
 * per mechanism (PLAIN, SCRAM, OAUTHBEARER) belongs beside this file; `authenticatorOf` chooses.
 */
import type { ApiSchema, RequestInputOf, ResponseOf } from '../../common/protocol/schema.ts'
import type { Config } from '../config/config.ts'
import { KafkaError, kafkaException } from '../errors.ts'
import type { BrokerVersions } from './versions.ts'

/** The connection as an authenticator sees it. */
export interface Authentication {
  readonly versions: BrokerVersions
  /** Sends a request; a failure ends the connection, so only answers come back. */
  readonly call: <A extends ApiSchema>(
    api: A,
    version: number,
    body: RequestInputOf<A>,
    answered: (response: ResponseOf<A>) => void,
  ) => void
  readonly done: () => void
  readonly failed: (error: KafkaError) => void
}

export interface Authenticator {
  authenticate(authentication: Authentication): void
}

/**
 * The authenticator of a configuration; undefined where none is wanted. Throws `_NOT_IMPLEMENTED` for what is not there yet,
 * so that nobody connects in the clear by mistake.
 */
export function authenticatorOf(config: Config): Authenticator | undefined {
  const protocol = config.get('security.protocol')
  if (protocol === 'plaintext') return undefined
  throw kafkaException(KafkaError._NOT_IMPLEMENTED, `"security.protocol=${protocol}" is not implemented yet`)
}
