/** OAUTHBEARER (RFC 7628, KIP-255): one message with a bearer token and extensions (KIP-342); the broker's answer is empty or why not. */
import { refused, type SaslExchange, type SaslMechanism } from './mechanism.ts'
import type { BearerToken } from './oauth-tokens.ts'

const separator = '\u0001'
/** Of what a broker says to a token it will not have, so much is told. */
const longestRefusalBytes = 1000

export function oauthbearerMechanism(token: () => Promise<BearerToken>): SaslMechanism {
  return {
    name: 'OAUTHBEARER',
    begin: (): SaslExchange => {
      let refusal: string | undefined
      return {
        first: async () => {
          const { value, extensions } = await token()
          const pairs = [`auth=Bearer ${value}`, ...[...extensions].map(([key, text]) => `${key}=${text}`)]
          return Buffer.from(`n,,${separator}${pairs.join(separator)}${separator}${separator}`)
        },
        next: (challenge) => {
          // A refusal comes as a text; the broker ends the conversation once that is acknowledged, with an error code.
          if (refusal !== undefined) throw refused(`OAUTHBEARER: the broker refuses the token: ${refusal}`)
          if (challenge.length === 0) return undefined
          refusal = challenge.toString('utf8', 0, longestRefusalBytes)
          return Buffer.from(separator)
        },
      }
    },
  }
}
