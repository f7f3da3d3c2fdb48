/** OAUTHBEARER (RFC 7628, KIP-255): one message with a bearer token and extensions (KIP-342); the broker's answer is empty or why not. */
import type { SaslExchange, SaslMechanism } from './mechanism.ts'
import type { BearerToken } from './oauth-tokens.ts'

const separator = '\u0001'

export function oauthbearerMechanism(token: () => Promise<BearerToken>): SaslMechanism {
  return {
    name: 'OAUTHBEARER',
    begin: (): SaslExchange => ({
      first: async () => {
        const { value, extensions } = await token()
        const pairs = [`auth=Bearer ${value}`, ...[...extensions].map(([key, text]) => `${key}=${text}`)]
        return Buffer.from(`n,,${separator}${pairs.join(separator)}${separator}${separator}`)
      },
      // A refusal comes as a text; the broker ends the conversation once that is acknowledged, with an error code.
      next: (challenge) => (challenge.length === 0 ? undefined : Buffer.from(separator)),
    }),
  }
}
