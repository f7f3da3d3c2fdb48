/**
 * How lessons print what occurs everywhere.
 */
import { errorName } from '../../common/protocol/errors.ts'

/** `NOT_ENOUGH_REPLICAS (19)` */
export function errorText(errorCode: number): string {
  return `${errorName(errorCode)} (${errorCode})`
}

/** `0-2,5` */
export function rangesText(numbers: readonly number[]): string {
  const sorted = [...numbers].sort((left, right) => left - right)
  const ranges: [number, number][] = []
  for (const value of sorted) {
    const last = ranges.at(-1)
    if (last !== undefined && last[1] === value - 1) last[1] = value
    else ranges.push([value, value])
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',')
}
