/** `new Kafka({ … })` in the client's own properties. */
import type { ClientConfig } from '../config/table.ts'
import { KafkaJSNonRetriableError, KafkaJSNotImplemented } from './errors.ts'
import { type LogCreator, type logLevel, syslogLevel } from './logger.ts'
import type { Timing } from './timing.ts'

export interface RetryOptions {
  readonly maxRetryTime?: number
  readonly initialRetryTime?: number
  readonly factor?: number
  readonly multiplier?: number
  readonly retries?: number
  readonly restartOnFailure?: (error: Error) => Promise<boolean>
}

/** Certificates as PEM; what else Node's `tls` takes has no counterpart here. */
export interface SslOptions {
  readonly ca?: string | Buffer | readonly (string | Buffer)[]
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
  readonly passphrase?: string
  readonly rejectUnauthorized?: boolean
}

export type SaslOptions =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
      readonly username: string
      readonly password: string
    }
  | {
      readonly mechanism: 'oauthbearer'
      readonly oauthBearerProvider: () => Promise<{ readonly value: string }>
    }

export interface KafkaConfig {
  readonly brokers: readonly string[] | (() => readonly string[] | Promise<readonly string[]>)
  readonly clientId?: string
  readonly ssl?: boolean | SslOptions
  readonly sasl?: SaslOptions
  readonly connectionTimeout?: number
  readonly authenticationTimeout?: number
  readonly reauthenticationThreshold?: number
  readonly requestTimeout?: number
  readonly enforceRequestTimeout?: boolean
  readonly retry?: RetryOptions
  readonly logLevel?: logLevel
  readonly logCreator?: LogCreator
}

/** A token whose life nobody tells is fetched anew after so long. */
const tokenLifeSeconds = 600

/** The properties that all handles have. `brokers` may have to be asked for. */
export async function clientSettings(
  { brokers, clientId, ssl, sasl, connectionTimeout, requestTimeout, retry }: KafkaConfig,
  level: logLevel,
  timing: Timing,
): Promise<ClientConfig> {
  const addresses = typeof brokers === 'function' ? await brokers() : brokers
  const isList = Array.isArray(addresses) && addresses.length > 0
  if (!isList || !addresses.every((address) => typeof address === 'string')) {
    throw new KafkaJSNonRetriableError('Failed to connect: expected brokers to be a list of addresses')
  }
  const isSecure = ssl !== undefined && ssl !== false
  return {
    'bootstrap.servers': addresses.join(),
    'client.id': clientId ?? 'kafkajs',
    log_level: syslogLevel(level),
    'log.connection.close': false,
    'security.protocol':
      sasl === undefined ? (isSecure ? 'ssl' : 'plaintext') : isSecure ? 'sasl_ssl' : 'sasl_plaintext',
    ...(typeof ssl === 'object' ? sslSettings(ssl) : {}),
    ...(sasl === undefined ? {} : saslSettings(sasl, timing)),
    ...(connectionTimeout === undefined
      ? {}
      : { 'socket.connection.setup.timeout.ms': Math.max(1000, connectionTimeout) }),
    ...(requestTimeout === undefined ? {} : { 'socket.timeout.ms': clamp(requestTimeout, 10, 300_000) }),
    ...retrySettings(retry),
  }
}

function retrySettings(retry: RetryOptions | undefined): ClientConfig {
  const { initialRetryTime, maxRetryTime } = retry ?? {}
  const first = initialRetryTime === undefined ? undefined : clamp(initialRetryTime, 1, 300_000)
  const longest = maxRetryTime === undefined ? undefined : clamp(maxRetryTime, 1, 300_000)
  return {
    ...(first === undefined ? {} : { 'retry.backoff.ms': first }),
    ...(first === undefined && longest === undefined
      ? {}
      : { 'retry.backoff.max.ms': Math.max(first ?? 1, longest ?? 1000) }),
  }
}

function sslSettings({ ca, cert, key, passphrase, rejectUnauthorized, ...others }: SslOptions): ClientConfig {
  const unknown = Object.keys(others)[0]
  if (unknown !== undefined) throw new KafkaJSNotImplemented(`ssl.${unknown} has no counterpart`)
  const authorities = ca === undefined ? [] : typeof ca === 'string' || Buffer.isBuffer(ca) ? [ca] : ca
  return {
    ...(authorities.length === 0 ? {} : { 'ssl.ca.pem': authorities.map(String).join('\n') }),
    ...(cert === undefined ? {} : { 'ssl.certificate.pem': `${cert}` }),
    ...(key === undefined ? {} : { 'ssl.key.pem': `${key}` }),
    ...(passphrase === undefined ? {} : { 'ssl.key.password': passphrase }),
    ...(rejectUnauthorized === false ? { 'enable.ssl.certificate.verification': false } : {}),
  }
}

function saslSettings(sasl: SaslOptions, timing: Timing): ClientConfig {
  if (sasl.mechanism === 'oauthbearer') {
    const { oauthBearerProvider } = sasl
    return {
      'sasl.mechanisms': 'OAUTHBEARER',
      oauth_cb: async () => {
        const { value } = await oauthBearerProvider()
        return [value, tokenExpirySeconds(value) ?? timing.wallMs() / 1000 + tokenLifeSeconds]
      },
    }
  }
  const mechanism = `${sasl.mechanism}`.toUpperCase()
  if (!['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'].includes(mechanism)) {
    throw new KafkaJSNotImplemented(`SASL mechanism ${mechanism} is not supported`)
  }
  return {
    'sasl.mechanisms': mechanism,
    'sasl.username': sasl.username,
    'sasl.password': sasl.password,
  }
}

/** `exp` of a JSON Web Token. */
function tokenExpirySeconds(token: string): number | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    const { exp } = claims as { exp?: unknown }
    return typeof exp === 'number' ? exp : undefined
  } catch {
    return undefined
  }
}

/** The nearest whole number in the range. */
export function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, Math.round(value)))
}
