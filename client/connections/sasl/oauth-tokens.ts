/**
 * The bearer token of one handle: fetched when a connection first needs it, renewed in the background at 80 % of its life, so
 * that connections and re-authentications (KIP-368) never wait. Owned by the client core, which closes it.
 *
 * A renewal that fails, or does not end within a minute, is told to `error_cb` and tried again after 10 s; until then a token
 * that has not expired stays in use.
 */
import type { Runtime } from '../../../common/runtime/runtime.ts'
import type { Timer } from '../../../common/runtime/scheduler.ts'
import type { OauthToken } from '../../config/connection-properties.ts'
import { KafkaError, KafkaException } from '../../errors.ts'
import { refused } from './mechanism.ts'

const renewShare = 0.8
const retryMs = 10_000
/** A source that has not come to an end by then is asked again. */
const longestFetchMs = 60_000
/** Tokens that live shorter than this do not make the source run without pause. */
const shortestRenewalMs = 1000

export interface BearerToken {
  readonly value: string
  readonly expiryWallMs: number
  readonly extensions: ReadonlyMap<string, string>
}

/** Where tokens come from: the application, an unsecured JWT, an OIDC provider. */
export type TokenSource = () => OauthToken | Promise<OauthToken>

export class OauthTokens {
  readonly #runtime: Runtime
  readonly #source: TokenSource
  readonly #onError: (error: KafkaError) => void
  #token: BearerToken | undefined
  #fetching: Promise<BearerToken> | undefined
  #lastError: KafkaException | undefined
  #timer: Timer | undefined
  #isClosed = false

  constructor(runtime: Runtime, source: TokenSource, onError: (error: KafkaError) => void) {
    this.#runtime = runtime
    this.#source = source
    this.#onError = onError
  }

  /** Rejects with a KafkaException `_AUTHENTICATION` while there is no usable token. */
  async current(): Promise<BearerToken> {
    const token = this.#token
    if (token !== undefined && token.expiryWallMs > this.#runtime.clock.wallMs()) return token
    if (this.#fetching === undefined && this.#lastError !== undefined) throw this.#lastError
    return this.#fetch()
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
  }

  #fetch(): Promise<BearerToken> {
    if (this.#fetching !== undefined) return this.#fetching
    const fetching = this.#ask()
    this.#fetching = fetching
    const ended = (): void => {
      this.#fetching = undefined
    }
    fetching.then(ended, ended)
    return fetching
  }

  async #ask(): Promise<BearerToken> {
    this.#timer?.cancel()
    try {
      if (this.#isClosed) throw new Error('the handle is closed')
      const token = checked(await this.#given(), this.#runtime.clock.wallMs())
      this.#token = token
      this.#lastError = undefined
      const lifeMs = token.expiryWallMs - this.#runtime.clock.wallMs()
      this.#again(Math.max(shortestRenewalMs, lifeMs * renewShare))
      return token
    } catch (error) {
      const failure = asAuthenticationError(error)
      this.#lastError = failure
      if (!this.#isClosed) this.#onError(failure.error)
      this.#again(retryMs)
      throw failure
    }
  }

  /** What the source gives. It is not waited for without end: connections would never find out. */
  #given(): Promise<OauthToken> {
    return new Promise((resolve, reject) => {
      const text = `no answer within ${longestFetchMs / 1000} s`
      this.#timer = this.#runtime.scheduler.schedule('waiting for a bearer token', longestFetchMs, () =>
        reject(new Error(text)),
      )
      Promise.resolve(this.#source()).then(resolve, reject)
    })
  }

  #again(afterMs: number): void {
    this.#timer?.cancel()
    if (this.#isClosed) return
    this.#timer = this.#runtime.scheduler.schedule('renewing the bearer token', afterMs, () => {
      this.#fetch().catch(() => {})
    })
  }
}

/** Header, payload and signature of a JWT, and what else a bearer token may hold (RFC 6750), without separators of the message. */
const printable = /^[\x20-\x7e\t\r\n]*$/
const extensionName = /^[A-Za-z]+$/

function checked(given: OauthToken, nowWallMs: number): BearerToken {
  if (!Array.isArray(given))
    throw refused('"oauth_cb" must return [token, expirySeconds, principal?, extensions?]')
  const [value, expirySeconds, , extensions = {}] = given as OauthToken
  if (typeof value !== 'string' || value === '' || !printable.test(value)) {
    throw refused('The bearer token must be a text of printable ASCII characters')
  }
  if (typeof expirySeconds !== 'number' || !(expirySeconds * 1000 > nowWallMs)) {
    throw refused(`The bearer token has expired or has no expiry in seconds since 1970: ${expirySeconds}`)
  }
  const pairs = Object.entries(extensions ?? {})
  for (const [name, text] of pairs) {
    // "auth" is the token's own place in the message.
    if (!extensionName.test(name) || name === 'auth' || typeof text !== 'string' || !printable.test(text)) {
      throw refused(
        `The SASL extension "${name}" is not allowed: letters for its name, printable text for its value`,
      )
    }
  }
  return { value, expiryWallMs: expirySeconds * 1000, extensions: new Map(pairs) }
}

function asAuthenticationError(error: unknown): KafkaException {
  const text = error instanceof Error ? error.message : String(error)
  if (error instanceof KafkaException && error.error.code() === KafkaError._AUTHENTICATION) return error
  const failure = new KafkaException(
    new KafkaError(KafkaError._AUTHENTICATION, `Failed to acquire a SASL OAUTHBEARER token: ${text}`),
  )
  failure.cause = error
  return failure
}
