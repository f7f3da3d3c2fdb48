/**
 * Simulated clusters: seeds that are always the same, and some that nobody has tried. A failure prints `SEED=…`;
 * `npm run sim -- --seed … --trace` shows its history. SEEDS and FRESH_SEEDS make it longer, SEED runs one.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { mutated } from './mutations/apply.ts'
import { MUTATIONS } from './mutations/mutations.ts'
import { type SimulationResult, simulate } from './simulation.ts'

const FIXED_SEEDS = Number(process.env.SEEDS ?? 50)
const FRESH_SEEDS = Number(process.env.FRESH_SEEDS ?? 3)
const HARM_MS = Number(process.env.SIM_MS ?? 2_500)
/** Seeds of one test: each has its own time limit, whatever the machine. */
const SEEDS_A_TEST = 5
const TIMEOUT_MS = 300_000
const FIRST_FRESH_SEED = Math.floor(Math.random() * 1e9)

async function run(seed: string): Promise<SimulationResult> {
  try {
    return await simulate({ seed, harmMs: HARM_MS })
  } catch (error) {
    throw new Error(`SEED=${seed} (--ms ${HARM_MS}): ${(error as Error).message}`, { cause: error })
  }
}

function seedsFrom(first: number, count: number): string[][] {
  const seeds = Array.from({ length: count }, (_, index) => String(first + index))
  const groups: string[][] = []
  while (seeds.length > 0) groups.push(seeds.splice(0, SEEDS_A_TEST))
  return groups
}

describe('a cluster of three brokers under crashes, cuts, delays and broken disks', () => {
  const { SEED } = process.env
  const groups =
    SEED === undefined
      ? [...seedsFrom(1, FIXED_SEEDS), ...seedsFrom(FIRST_FRESH_SEED, FRESH_SEEDS)]
      : [[SEED]]

  it.each(groups.map((seeds) => [seeds.join(' '), seeds] as const))(
    'keeps what it promises with the seeds %s',
    async (_, seeds) => {
      for (const seed of seeds) {
        const { acknowledged, read } = await run(seed)
        expect(acknowledged).toBeGreaterThan(0)
        expect(read).toBeGreaterThan(0)
      }
    },
    TIMEOUT_MS,
  )

  it(
    'has the same history for the same seed, and another for another',
    async () => {
      const [first, second, other] = [await run('again'), await run('again'), await run('other')]
      expect(second).toEqual(first)
      expect(other.digest).not.toBe(first.digest)
    },
    TIMEOUT_MS,
  )
})

describe('the list of deliberate bugs', () => {
  it.each(MUTATIONS.map((mutation) => [mutation.name, mutation] as const))(
    'has a place for: %s',
    (_, mutation) => {
      const source = readFileSync(join(import.meta.dirname, '../..', mutation.file), 'utf8')
      expect(mutated(source, mutation)).not.toBe(source)
    },
  )
})
