/** `auto.offset.reset`: where to begin without a usable offset. `by_duration:PT1H` (KIP-1106) is that long ago. */
import { invalid } from '../config/parse.ts'
import { OFFSET_SPEC_EARLIEST, OFFSET_SPEC_LATEST } from '../constants.ts'
import type { StartLookup } from './assigned-partition.ts'

const prefix = 'by_duration:'
const duration = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,9})?)S)?)?$/i

/** undefined: `error`, no reset is allowed. */
export function resetLookup(policy: string, wallMs: number): StartLookup | undefined {
  switch (policy) {
    case 'earliest':
      return { timestamp: OFFSET_SPEC_EARLIEST, tailCount: 0 }
    case 'latest':
      return { timestamp: OFFSET_SPEC_LATEST, tailCount: 0 }
    case 'error':
      return undefined
    default:
      return { timestamp: Math.max(0, wallMs - durationMs(policy.slice(prefix.length))), tailCount: 0 }
  }
}

/** Of an ISO 8601 duration in days, hours, minutes and seconds. Throws `_INVALID_ARG` for anything else. */
export function durationMs(text: string): number {
  const match = duration.exec(text)
  if (match === null || /[PT]$/i.test(text)) throw invalid(`"${text}" is not an ISO 8601 duration`)
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
  ]
  return Math.round((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000)
}
