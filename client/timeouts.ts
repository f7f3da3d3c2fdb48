/** Time-outs at the edge of the API: seconds as a number, or `{ timeoutMs, signal }`; never both in one call. */
export interface CallOptions {
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** `listTopics` with everything in one object. */
export interface ListTopicsOptions extends CallOptions {
  /** All topics without it. */
  readonly topic?: string | null | undefined
}

export type Timeout = number | CallOptions

export interface CallLimits {
  /** POSITIVE_INFINITY waits without limit. */
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

/** @param unlimitedMs what -1 and nothing mean */
export function callLimits(
  timeout: Timeout | null | undefined,
  unlimitedMs = Number.POSITIVE_INFINITY,
): CallLimits {
  if (timeout === undefined || timeout === null) return { timeoutMs: unlimitedMs, signal: undefined }
  if (typeof timeout === 'number') {
    if (Number.isNaN(timeout)) throw new TypeError('timeout must be a number of seconds')
    return { timeoutMs: timeout < 0 ? unlimitedMs : timeout * 1000, signal: undefined }
  }
  if (typeof timeout !== 'object' || Array.isArray(timeout))
    throw new TypeError('timeout must be a number of seconds or { timeoutMs, signal }')
  const { timeoutMs, signal, ...others } = timeout
  const unknown = Object.keys(others)[0]
  if (unknown !== undefined) throw new TypeError(`unknown option "${unknown}"`)
  if (timeoutMs !== undefined && (typeof timeoutMs !== 'number' || Number.isNaN(timeoutMs))) {
    throw new TypeError('timeoutMs must be a number')
  }
  checkSignal(signal)
  return { timeoutMs: timeoutMs === undefined || timeoutMs < 0 ? unlimitedMs : timeoutMs, signal }
}

/** Throws a TypeError for what is no signal. */
export function checkSignal(signal: unknown): asserts signal is AbortSignal | undefined {
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError('signal must be an AbortSignal')
  }
}

/**
 * Rejects with the signal's reason as soon as it aborts; what was begun goes on unseen and its outcome is of no interest.
 * With a signal that has aborted already nothing is begun.
 */
export async function untilAborted<T>(signal: AbortSignal | undefined, begin: () => Promise<T>): Promise<T> {
  if (signal === undefined) return await begin()
  signal.throwIfAborted()
  return await new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    signal.addEventListener('abort', abort)
    begin()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort))
  })
}

export interface CloseOptions extends CallOptions {
  /** Waits for nothing: what is outstanding is lost. */
  readonly force?: boolean
}

/** @param unlimitedMs what -1 and nothing mean */
export function closeLimits(options: CloseOptions, unlimitedMs = Number.POSITIVE_INFINITY): CallLimits {
  if (typeof options !== 'object' || options === null)
    throw new TypeError('close takes { timeoutMs, signal, force }')
  const { force = false, ...limits } = options
  if (typeof force !== 'boolean') throw new TypeError('force must be a boolean')
  const found = callLimits(limits, unlimitedMs)
  return force ? { ...found, timeoutMs: 0 } : found
}
