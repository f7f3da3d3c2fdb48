/**
 * `connect` of the façade's handles: a broker answers, or it rejects as kafkajs does, after the time that kafkajs would spend on
 * its attempts and with what kept the brokers away.
 */
import { KafkaException } from '../errors.ts'
import type { ClientEvents } from '../events/event-maps.ts'
import type { CallOptions } from '../timeouts.ts'
import type { KafkaConfig } from './client-settings.ts'
import {
  KafkaJSConnectionError,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSRequestTimeoutError,
  KafkaJSSASLAuthenticationError,
  toKafkaJSError,
} from './errors.ts'

interface Connecting {
  listTopics(topic: null, limits: CallOptions): Promise<unknown>
  on(name: 'error', listener: (...args: ClientEvents['error']) => void): unknown
  off(name: 'error', listener: (...args: ClientEvents['error']) => void): unknown
}

/** How long to look for a broker. */
export interface Patience {
  readonly limitMs: number
  /** Of the configuration; attempts are not counted here. */
  readonly retries: number
}

/** Less than a starting cluster or a slow machine needs, however few attempts are wanted. */
const leastMs = 3000
const longestMs = 2 ** 31 - 1

/** The pauses between the attempts of kafkajs, and the time that each attempt may take. */
export function patienceOf({ retry = {}, connectionTimeout = 1000 }: KafkaConfig): Patience {
  const { retries = 5, initialRetryTime = 300, maxRetryTime = 30_000, multiplier = 2 } = retry
  let limitMs = connectionTimeout
  for (let attempt = 0; attempt < retries && limitMs < longestMs; attempt++) {
    limitMs += Math.min(maxRetryTime, initialRetryTime * multiplier ** attempt) + connectionTimeout
  }
  return { limitMs: Math.min(longestMs, Math.max(leastMs, limitMs)), retries }
}

/** Throws KafkaJSSASLAuthenticationError at once, KafkaJSNumberOfRetriesExceeded when time is over. */
export async function firstContact(handle: Connecting, { limitMs, retries }: Patience): Promise<void> {
  const refused = new AbortController()
  let kept: KafkaJSConnectionError | undefined
  const listen = (error: Error): void => {
    const failure = toKafkaJSError(error)
    if (failure instanceof KafkaJSSASLAuthenticationError) refused.abort(failure)
    // The first tells what happened to a broker, those that follow how many are away.
    if (failure instanceof KafkaJSConnectionError) kept ??= failure
  }
  handle.on('error', listen)
  try {
    await handle.listTopics(null, { timeoutMs: limitMs, signal: refused.signal })
  } catch (error) {
    const failure = error instanceof KafkaException ? toKafkaJSError(error) : error
    const isUnreachable =
      failure instanceof KafkaJSConnectionError || failure instanceof KafkaJSRequestTimeoutError
    if (!isUnreachable) throw failure
    const reason = kept ?? failure
    throw new KafkaJSNumberOfRetriesExceeded(
      new KafkaJSConnectionError(`Connection error: ${reason.message}`),
      retries,
    )
  } finally {
    handle.off('error', listen)
  }
}
