/**
 * The bundled client in a simulated world, with one seed that is always the same; CLIENT_SEEDS is how many that nobody has tried come on top,
 * CLIENT_SIM_MS how long harm is done, SEED runs one. `npm run sim -- --client --seed … --trace` shows the history of a seed.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { mutated } from '../mutations/apply.ts'
import { CLIENT_MUTATIONS } from '../mutations/client-mutations.ts'
import type { SimulationResult } from '../simulation.ts'
import { simulateClient } from './simulation.ts'

const FRESH_SEEDS = Number(process.env.CLIENT_SEEDS ?? 0)
const HARM_MS = Number(process.env.CLIENT_SIM_MS ?? 1_000)
const TIMEOUT_MS = 300_000

async function run(seed: string): Promise<SimulationResult> {
  try {
    return await simulateClient({ seed, harmMs: HARM_MS })
  } catch (error) {
    throw new Error(`SEED=${seed} (--client --ms ${HARM_MS}): ${(error as Error).message}`, { cause: error })
  }
}

function seedsFrom(first: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(first + index))
}

describe('the bundled client under crashes, cuts, delays and deaths of its own', () => {
  const { SEED } = process.env
  const first = Math.floor(Math.random() * 1e9)
  const seeds = SEED === undefined ? ['1', ...seedsFrom(first, FRESH_SEEDS)] : [SEED]

  it.each(seeds)(
    'keeps what it promises with the seed %s, and does so again in the same way',
    async (seed) => {
      const result = await run(seed)
      expect(result.acknowledged).toBeGreaterThan(0)
      expect(result.read).toBeGreaterThan(0)
      expect(await run(seed)).toEqual(result)
    },
    TIMEOUT_MS,
  )
})

describe('the list of deliberate bugs of the client', () => {
  it.each(CLIENT_MUTATIONS.map((mutation) => [mutation.name, mutation] as const))(
    'has a place for: %s',
    (_, mutation) => {
      const source = readFileSync(join(import.meta.dirname, '../../..', mutation.file), 'utf8')
      expect(mutated(source, mutation)).not.toBe(source)
    },
  )
})
