/**
 * Version ranges of messages and fields, written as Kafka writes them: `3`, `0-4`, `2+`, `none`.
 */
export interface VersionRange {
  readonly lowest: number
  /** Inclusive; below `lowest` when the range is empty. */
  readonly highest: number
}

/** Versions are an int16 on the wire, so an open range ends here. */
export const HIGHEST_VERSION = 32767

export const NO_VERSIONS: VersionRange = { lowest: 0, highest: -1 }

/** Thousands of fields share a few dozen ranges. */
const ranges = new Map<string, VersionRange>([['none', NO_VERSIONS]])

/** One object for each text. @throws TypeError */
export function versionRange(text: string): VersionRange {
  let range = ranges.get(text)
  if (range === undefined) {
    range = parseVersionRange(text)
    ranges.set(text, range)
  }
  return range
}

function parseVersionRange(text: string): VersionRange {
  const match = /^(\d+)(?:(\+)|-(\d+))?$/.exec(text)
  if (match === null) throw new TypeError(`not a version range: ${text}`)
  const lowest = Number(match[1])
  if (match[2] !== undefined) return { lowest, highest: HIGHEST_VERSION }
  const highest = match[3] === undefined ? lowest : Number(match[3])
  if (highest < lowest) throw new TypeError(`not a version range: ${text}`)
  return { lowest, highest }
}

export function hasVersion(range: VersionRange, version: number): boolean {
  return version >= range.lowest && version <= range.highest
}

export function formatVersionRange({ lowest, highest }: VersionRange): string {
  if (highest < lowest) return 'none'
  if (highest === HIGHEST_VERSION) return `${lowest}+`
  return lowest === highest ? `${lowest}` : `${lowest}-${highest}`
}
