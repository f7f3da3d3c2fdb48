/**
 * Unsecured JSON web tokens (`enable.sasl.oauthbearer.unsecure.jwt`), for tests: unsigned, with claims from
 * `sasl.oauthbearer.config`, whose `name=value` pairs are separated by spaces.
 */
import type { OauthToken } from '../../config/connection-properties.ts'
import { invalid } from '../../config/parse.ts'

export interface UnsecuredJwt {
  readonly principal: string
  readonly principalClaimName: string
  readonly scope: readonly string[]
  readonly scopeClaimName: string
  readonly lifeSeconds: number
  /** From `extension_NAME=value`. */
  readonly extensions: Readonly<Record<string, string>>
}

const extensionPrefix = 'extension_'

/** Throws KafkaException `_INVALID_ARG` for pairs that are unknown or malformed, and without a principal. */
export function parseUnsecuredJwt(text: string): UnsecuredJwt {
  const extensions: Record<string, string> = {}
  const pairs = new Map<string, string>()
  for (const pair of text.split(/\s+/)) {
    if (pair === '') continue
    const at = pair.indexOf('=')
    const name = pair.slice(0, Math.max(0, at))
    const value = pair.slice(at + 1)
    if (name.startsWith(extensionPrefix)) extensions[name.slice(extensionPrefix.length)] = value
    else if (name in defaults && value !== '' && !pairs.has(name)) pairs.set(name, value)
    else
      throw invalid(
        `Property "sasl.oauthbearer.config": "${pair}" is not one of ${Object.keys(defaults).join(', ')}`,
      )
  }
  const { principal, principalClaimName, scope, scopeClaimName, lifeSeconds } = {
    ...defaults,
    ...Object.fromEntries(pairs),
  }
  if (principal === '') throw invalid('Property "sasl.oauthbearer.config" names no principal')
  if (!/^[1-9]\d{0,9}$/.test(lifeSeconds)) {
    throw invalid(`Property "sasl.oauthbearer.config": "${lifeSeconds}" is no number of seconds`)
  }
  return {
    principal,
    principalClaimName,
    scope: scope === '' ? [] : scope.split(','),
    scopeClaimName,
    lifeSeconds: Number(lifeSeconds),
    extensions,
  }
}

const defaults = {
  principalClaimName: 'sub',
  principal: '',
  scopeClaimName: 'scope',
  scope: '',
  lifeSeconds: '3600',
}

export function unsecuredToken(jwt: UnsecuredJwt, nowWallMs: number): OauthToken {
  const nowSeconds = nowWallMs / 1000
  const expirySeconds = nowSeconds + jwt.lifeSeconds
  const claims = {
    [jwt.principalClaimName]: jwt.principal,
    iat: nowSeconds,
    exp: expirySeconds,
    ...(jwt.scope.length === 0 ? {} : { [jwt.scopeClaimName]: jwt.scope }),
  }
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return [`${part({ alg: 'none' })}.${part(claims)}.`, expirySeconds, jwt.principal, jwt.extensions]
}
