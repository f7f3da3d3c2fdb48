/** The forms in which the consumer's methods take their arguments, brought into one. */
import { KafkaError, kafkaException, ValueError } from '../errors.ts'
import { type CallLimits, callLimits, checkSignal, type Timeout } from '../timeouts.ts'
import { Message } from '../values/message.ts'
import { type Position, TopicPartition } from '../values/topic-partition.ts'
import type { RebalanceCallback, RebalanceCallbacks } from './rebalance-queue.ts'

export const maxMessagesPerCall = 1_000_000

/** Of `getWatermarkOffsets`. */
export interface WatermarkOptions {
  /** No limit without it. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  /** What is known from fetching; no request. Default false. */
  readonly cached?: boolean
  /** null in the place of `_TIMED_OUT`. Default false. */
  readonly nullOnTimeout?: boolean
}

/** Of `consume`. */
export interface ConsumeOptions {
  /** Default 1. */
  readonly numMessages?: number
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

export interface CommitOptions {
  readonly message?: Message<unknown, unknown> | null | undefined
  readonly offsets?: readonly TopicPartition[] | null | undefined
  /** Default true. */
  readonly asynchronous?: boolean | undefined
  /** The legacy name. */
  readonly async?: boolean | undefined
  /** Ends the wait of a synchronous commit; the commit itself may still happen. */
  readonly signal?: AbortSignal | undefined
}

export interface CommitRequest {
  /** undefined: what is stored. */
  readonly offsets: readonly TopicPartition[] | undefined
  readonly isAsynchronous: boolean
  readonly signal: AbortSignal | undefined
}

/** TypeError for what is not a list of TopicPartition. */
export function partitionList(value: unknown, name = 'partitions'): readonly TopicPartition[] {
  if (!Array.isArray(value) || !value.every((entry) => entry instanceof TopicPartition)) {
    throw new TypeError(`${name} must be a list of TopicPartition`)
  }
  return value
}

export function onePartition(value: unknown): TopicPartition {
  if (!(value instanceof TopicPartition)) throw new TypeError('partition must be a TopicPartition')
  return value
}

/** ({ message, offsets, asynchronous }), (message, offsets, asynchronous), (message) or (offsets). */
export function commitRequest(first: unknown, offsets: unknown, asynchronous: unknown): CommitRequest {
  let options: CommitOptions
  if (first instanceof Message) {
    options = {
      message: first,
      offsets: offsets as CommitOptions['offsets'],
      asynchronous: asBoolean(asynchronous),
    }
  } else if (Array.isArray(first)) {
    options = { offsets: first as TopicPartition[], asynchronous: asBoolean(asynchronous) }
  } else if (first === null || first === undefined) {
    options = { offsets: offsets as CommitOptions['offsets'], asynchronous: asBoolean(asynchronous) }
  } else if (typeof first === 'object') {
    checkNames(first, ['message', 'offsets', 'asynchronous', 'async', 'signal'])
    options = first as CommitOptions
  } else throw new TypeError('commit takes a message, a list of offsets, or options')
  const isAsynchronous = asBoolean(options.asynchronous) ?? asBoolean(options.async) ?? true
  const { signal } = options
  checkSignal(signal)
  const hasMessage = options.message !== undefined && options.message !== null
  const hasOffsets = options.offsets !== undefined && options.offsets !== null
  if (hasMessage && hasOffsets) throw new ValueError('message and offsets exclude each other')
  if (hasMessage) {
    const { topic, partition, offset, leaderEpoch } = nextOffsetOf(options.message)
    return {
      offsets: [new TopicPartition(topic, partition, offset, { leaderEpoch })],
      isAsynchronous,
      signal,
    }
  }
  return {
    offsets: hasOffsets ? partitionList(options.offsets, 'offsets') : undefined,
    isAsynchronous,
    signal,
  }
}

/** Exactly one of message and offsets. */
export function storeRequest(first: unknown, second: unknown): readonly Position[] {
  let message: unknown
  let offsets: unknown
  if (first instanceof Message) message = first
  else if (Array.isArray(first)) offsets = first
  else if (first !== null && typeof first === 'object') {
    checkNames(first, ['message', 'offsets'])
    ;({ message, offsets } = first as { message?: unknown; offsets?: unknown })
  }
  offsets ??= second
  const hasMessage = message !== undefined && message !== null
  const hasOffsets = offsets !== undefined && offsets !== null
  if (hasMessage === hasOffsets) throw new ValueError('exactly one of message and offsets is needed')
  return hasMessage ? [nextOffsetOf(message)] : partitionList(offsets, 'offsets')
}

/** What committing a message means: the offset after it. */
function nextOffsetOf(value: unknown): Position {
  if (!(value instanceof Message)) throw new TypeError('message must be a Message')
  const topic = value.topic()
  const partition = value.partition()
  const offset = value.offset()
  const error = value.error()
  if (error !== null) throw kafkaException(KafkaError._INVALID_ARG, `Cannot commit an error: ${error.str()}`)
  if (topic === null || partition === null || offset === null)
    throw kafkaException(KafkaError._INVALID_ARG, 'The message has no topic, partition or offset')
  return {
    topic,
    partition,
    offset: offset + 1,
    metadata: null,
    leaderEpoch: value.leaderEpoch(),
    error: null,
  }
}

/** Whether `commit` answers with a promise: `asynchronous` is false, in whichever form it is given. */
export function asksForPromise(first: unknown, third: unknown): boolean {
  if (third === false) return true
  if (typeof first !== 'object' || first === null) return false
  const { asynchronous, async } = first as CommitOptions
  return asynchronous === false || async === false
}

/** (numMessages, timeout) or ({ numMessages, timeoutMs, signal }). */
export function consumeRequest(
  first: number | ConsumeOptions | undefined,
  timeout: Timeout | undefined,
): { count: number; limits: CallLimits } {
  const options = typeof first === 'object' && first !== null ? first : undefined
  if (options !== undefined) {
    checkNames(options, ['numMessages', 'timeoutMs', 'signal'])
    if (timeout !== undefined) throw new TypeError('options and a timeout exclude each other')
  }
  const { numMessages = options === undefined ? ((first as number | undefined) ?? 1) : 1, ...limits } =
    options ?? {}
  if (typeof numMessages !== 'number') throw new TypeError('numMessages must be a number')
  if (!Number.isInteger(numMessages) || numMessages < 0 || numMessages > maxMessagesPerCall) {
    throw new ValueError(`numMessages must be between 0 and ${maxMessagesPerCall}, not ${numMessages}`)
  }
  return { count: numMessages, limits: callLimits(options === undefined ? timeout : limits) }
}

/** (timeout, cached) or ({ timeoutMs, signal, cached, nullOnTimeout }). */
export function watermarkRequest(
  timeout: number | WatermarkOptions | undefined,
  cached: boolean | undefined,
): { isCached: boolean; nullOnTimeout: boolean; limits: CallLimits } {
  const options = typeof timeout === 'object' && timeout !== null ? timeout : undefined
  if (options !== undefined) checkNames(options, ['timeoutMs', 'signal', 'cached', 'nullOnTimeout'])
  const { cached: isCached = cached ?? false, nullOnTimeout = false, ...limits } = options ?? {}
  return { isCached, nullOnTimeout, limits: callLimits(typeof timeout === 'number' ? timeout : limits) }
}

/** (topics, { onAssign, … }) or (topics, onAssign, onRevoke, onLost). */
export function rebalanceCallbacks<C>(
  first: unknown,
  onRevoke: unknown,
  onLost: unknown,
): RebalanceCallbacks<C> {
  const isObject = typeof first === 'object' && first !== null
  if (isObject) checkNames(first, ['onAssign', 'onRevoke', 'onLost'])
  const callbacks: Record<string, unknown> = isObject ? { ...first } : { onAssign: first, onRevoke, onLost }
  const checked: Record<string, RebalanceCallback<C>> = {}
  for (const [name, callback] of Object.entries(callbacks)) {
    if (callback === null || callback === undefined) continue
    if (typeof callback !== 'function') throw new TypeError(`${name} must be a function`)
    checked[name] = callback as RebalanceCallback<C>
  }
  return checked
}

export function checkNames(options: object, names: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !names.includes(name))
  if (unknown !== undefined) throw new TypeError(`unknown option "${unknown}"`)
}

function asBoolean(value: unknown): boolean | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'boolean') throw new TypeError('asynchronous must be a boolean')
  return value
}
