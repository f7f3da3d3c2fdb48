/** PLAIN (RFC 4616): user and password as they are. For encrypted connections. */
import { type Credentials, needed, type SaslMechanism } from './mechanism.ts'

export function plainMechanism(credentials: () => Credentials | undefined): SaslMechanism {
  return {
    name: 'PLAIN',
    begin: () => ({
      first: () => {
        const { username, password } = needed(credentials())
        return Buffer.from(`\0${username}\0${password}`)
      },
      next: () => undefined,
    }),
  }
}
