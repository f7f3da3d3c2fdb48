/** The nearest known name for a misspelt one. */
import { knownNames } from './table.ts'

/** undefined when nothing is near enough to be meant. */
export function nearestName(name: string): string | undefined {
  const plain = normalized(name)
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(plain.length / 4)) + 1
  for (const known of knownNames()) {
    const distance = editDistance(plain, normalized(known), bestDistance)
    if (distance < bestDistance) {
      best = known
      bestDistance = distance
    }
  }
  return best
}

/** camelCase, underscores and dots are one. */
function normalized(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '')
}

function editDistance(one: string, other: string, limit: number): number {
  if (Math.abs(one.length - other.length) >= limit) return limit
  let previous = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let row = 1; row <= one.length; row++) {
    const current = [row]
    for (let column = 1; column <= other.length; column++) {
      const substitution = (previous[column - 1] ?? 0) + (one[row - 1] === other[column - 1] ? 0 : 1)
      current[column] = Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1)
    }
    previous = current
  }
  return previous[other.length] ?? limit
}
