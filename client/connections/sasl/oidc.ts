/**
 * Tokens from an OpenID Connect provider (`sasl.oauthbearer.method=oidc`, KIP-768): the client credentials grant of OAuth 2.0
 * (RFC 6749 part 4.4) at the token end point.
 */

import type { FileSystem } from '../../../common/runtime/files.ts'
import { type HttpAnswer, type HttpPost, postOverHttp } from '../../../common/runtime/node/http-post.ts'
import type { Config } from '../../config/config.ts'
import type { OauthToken } from '../../config/connection-properties.ts'
import { invalid } from '../../config/parse.ts'
import { trusted } from '../tls-options.ts'
import { refused } from './mechanism.ts'
import type { TokenSource } from './oauth-tokens.ts'

const timeoutMs = 20_000
/** A token has a few kilobytes; whatever is longer is no answer of a token end point. */
const maxAnswerBytes = 1024 * 1024

/** Throws KafkaException `_INVALID_ARG` for an address, extensions or trusted certificates that cannot be used. */
export function oidcTokens(config: Config, files: FileSystem, wallMs: () => number): TokenSource {
  const post = requestOf(config, files)
  const extensions = extensionsOf(config.get('sasl.oauthbearer.extensions') ?? '')
  const subClaimName = config.get('sasl.oauthbearer.sub.claim.name')
  return async () => {
    const answer = await new Promise<HttpAnswer>((resolve, reject) => {
      postOverHttp(post, (error, found) => (found === undefined ? reject(error) : resolve(found)))
    })
    return tokenOf(answer, subClaimName, extensions, wallMs())
  }
}

function requestOf(config: Config, files: FileSystem): HttpPost {
  const name = 'sasl.oauthbearer.token.endpoint.url'
  const url = config.get(name) ?? ''
  if (!/^https?:\/\/[^/]/i.test(url) || !URL.canParse(url)) {
    throw invalid(`Property "${name}" must be an http or https address, not "${url}"`)
  }
  const id = config.get('sasl.oauthbearer.client.id') ?? ''
  const secret = config.get('sasl.oauthbearer.client.secret') ?? ''
  const scope = config.get('sasl.oauthbearer.scope')
  const form = new URLSearchParams({ grant_type: 'client_credentials' })
  if (scope !== undefined) form.set('scope', scope)
  const ca = trusted(files, 'https.ca', config.get('https.ca.location'), config.get('https.ca.pem'))
  return {
    url,
    headers: {
      Accept: 'application/json',
      Authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
      'Content-Type': 'application/x-www-form-urlencoded',
    },
    body: form.toString(),
    timeoutMs,
    maxAnswerBytes,
    ...(ca === undefined ? {} : { ca }),
  }
}

function extensionsOf(text: string): Readonly<Record<string, string>> {
  const extensions: Record<string, string> = {}
  for (const pair of text.split(',')) {
    if (pair.trim() === '') continue
    const at = pair.indexOf('=')
    if (at <= 0) throw invalid(`Property "sasl.oauthbearer.extensions": "${pair}" is not name=value`)
    extensions[pair.slice(0, at).trim()] = pair.slice(at + 1).trim()
  }
  return extensions
}

function tokenOf(
  { status, body }: HttpAnswer,
  subClaimName: string,
  extensions: Readonly<Record<string, string>>,
  nowWallMs: number,
): OauthToken {
  const answer = jsonObject(body)
  if (status !== 200 || typeof answer?.access_token !== 'string') {
    const why = [answer?.error, answer?.error_description].filter((text) => typeof text === 'string')
    throw refused(
      `The token end point answered ${status}${why.length > 0 ? `: ${why.join(', ')}` : ' without a token'}`,
    )
  }
  const token = answer.access_token
  const claims = jsonObject(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  // A token that is no JWT is opaque to clients; the answer tells its life then (RFC 6749 part 5.1).
  const expirySeconds =
    claims?.exp ?? (typeof answer.expires_in === 'number' ? nowWallMs / 1000 + answer.expires_in : undefined)
  if (typeof expirySeconds !== 'number') throw refused('The token end point gave a token without expiry')
  const subject = claims?.[subClaimName]
  if (claims !== undefined && typeof subject !== 'string') {
    throw refused(`The token has no claim "${subClaimName}"`)
  }
  return [token, expirySeconds, typeof subject === 'string' ? subject : '', extensions]
}

function jsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
