/** From the arguments of `produce`, in either form, to a checked record. */

import type { DeliveryCallback } from '../config/producer-properties.ts'
import { PARTITION_UA } from '../constants.ts'
import { ValueError } from '../errors.ts'
import { ownBytes, toBytes } from '../values/bytes.ts'
import { copyHeaders, type HeadersInput, toRecordHeaders } from '../values/headers.ts'
import { wholeNumber } from '../values/numbers.ts'
import type { ProduceRecord } from './accumulator.ts'

export type BytesInput = string | Uint8Array | null | undefined

export interface ProduceOptions {
  readonly value?: BytesInput
  readonly key?: BytesInput
  /** -1: the partitioner decides. */
  readonly partition?: number | null | undefined
  readonly onDelivery?: DeliveryCallback | null | undefined
  /** Another name of `onDelivery`. */
  readonly callback?: DeliveryCallback | null | undefined
  /** Milliseconds since 1970; 0 is now. */
  readonly timestamp?: number | bigint | Date | null | undefined
  readonly headers?: HeadersInput | null | undefined
  /** Comes back with the report. */
  readonly opaque?: unknown
  /**
   * True: the report has bytes of its own. Else it shows the buffers that were given, as they are then, which costs nothing; what is
   * sent is a copy in any case.
   */
  readonly copy?: boolean | undefined
}

const optionNames: ReadonlySet<string> = new Set([
  'value',
  'key',
  'partition',
  'onDelivery',
  'callback',
  'timestamp',
  'headers',
  'opaque',
  'copy',
])

/** Whether an argument is an options object: a plain object, be it made in another realm. */
export function isOptions(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

export function checkOptionNames(options: object, isKnown: (name: string) => boolean = isKnownOption): void {
  for (const name in options) if (!isKnown(name)) throw new TypeError(`unknown option "${name}"`)
}

export function isKnownOption(name: string): boolean {
  return optionNames.has(name)
}

/**
 * @param nowMs wall clock, for records without a timestamp
 * @param fallbackPartition for a record without a partition
 */
export function recordOf(
  options: ProduceOptions,
  fallback: DeliveryCallback | undefined,
  nowMs: () => number,
  fallbackPartition: number | null = null,
): ProduceRecord {
  const { timestamp, headers, opaque, copy = false } = options
  const partition = options.partition ?? fallbackPartition
  const callback = options.onDelivery ?? options.callback ?? fallback
  if (callback !== undefined && typeof callback !== 'function')
    throw new TypeError('onDelivery must be a function')
  if (typeof copy !== 'boolean') throw new TypeError('copy must be a boolean')
  const isKept = copy && callback !== undefined
  const recordHeaders = toRecordHeaders(headers)
  return {
    index: 0,
    place: 0,
    key: isKept ? ownBytes(options.key, 'key') : toBytes(options.key, 'key'),
    value: isKept ? ownBytes(options.value, 'value') : toBytes(options.value, 'value'),
    headers: isKept ? copyHeaders(recordHeaders) : recordHeaders,
    partition: partition === null ? PARTITION_UA : partitionOf(partition),
    timestampMs: timestamp === undefined || timestamp === null ? nowMs() : timestampOf(timestamp, nowMs),
    callback,
    isDirect: false,
    trace: undefined,
    createdMs: 0,
    sizeBytes: 0,
    opaque,
  }
}

function partitionOf(partition: number): number {
  const number = wholeNumber(partition, 'partition')
  if (number < PARTITION_UA) throw new ValueError(`partition must be -1 or above, not ${partition}`)
  return number
}

function timestampOf(timestamp: number | bigint | Date, nowMs: () => number): number {
  const number = wholeNumber(timestamp instanceof Date ? timestamp.getTime() : timestamp, 'timestamp')
  if (number < 0) throw new ValueError(`timestamp must not be negative: ${number}`)
  return number === 0 ? nowMs() : number
}
