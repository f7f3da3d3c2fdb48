/** The faults of a run, from its seed: the same seed gives the same brokers, ways down and times. */
export type FaultKind = 'kill' | 'stop' | 'restart' | 'isolate' | 'freeze'

export interface PlannedFault {
  readonly kind: FaultKind
  readonly broker: number
  /** From the beginning of the one before to its own. */
  readonly afterMs: number
  /** How long the broker is away; of a restart 0. */
  readonly awayMs: number
}

/** Fractions in [0, 1), repeatable (mulberry32). */
export function fractions(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export function planFaults(options: {
  readonly seed: number
  readonly count: number
  readonly brokers: readonly number[]
  readonly kinds: readonly FaultKind[]
  /** Times are multiplied by it: what starts slowly is also left alone longer. */
  readonly pace: number
}): PlannedFault[] {
  const { seed, count, brokers, kinds, pace } = options
  const next = fractions(seed)
  const oneOf = <T>(choices: readonly T[]): T => choices[Math.floor(next() * choices.length)] as T
  const faults: PlannedFault[] = []
  while (faults.length < count) {
    // Every kind comes as often as the others.
    const kind = kinds[faults.length % kinds.length] as FaultKind
    faults.push({
      kind,
      broker: oneOf(brokers),
      afterMs: Math.round((800 + next() * 2600) * pace),
      awayMs: kind === 'restart' ? 0 : Math.round((300 + next() * 4200) * pace),
    })
  }
  for (let index = faults.length - 1; index > 0; index--) {
    const other = Math.floor(next() * (index + 1))
    const [one, two] = [faults[index], faults[other]] as [PlannedFault, PlannedFault]
    faults[index] = two
    faults[other] = one
  }
  return faults
}
