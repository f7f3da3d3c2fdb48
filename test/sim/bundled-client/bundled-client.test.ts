/**
 * The bundled client in simulated worlds: seeds that are always the same, and one that nobody has tried. A failure prints `SEED=…`;
 * `npm run sim -- --client --seed … --trace` shows its history. CLIENT_SEEDS and SIM_MS make it longer, SEED runs one.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { mutated } from '../mutations/apply.ts'
import { CLIENT_MUTATIONS } from '../mutations/client-mutations.ts'
import { type ClientSimulationResult, simulateClient } from './simulation.ts'

const FIXED_SEEDS = Number(process.env.CLIENT_SEEDS ?? 1)
const HARM_MS = Number(process.env.SIM_MS ?? 1_000)
const TIMEOUT_MS = 300_000

async function run(seed: string): Promise<ClientSimulationResult> {
  try {
    return await simulateClient({ seed, harmMs: HARM_MS })
  } catch (error) {
    throw new Error(`SEED=${seed} (--client --ms ${HARM_MS}): ${(error as Error).message}`, { cause: error })
  }
}

describe('the bundled client under crashes, cuts, delays and deaths of its own', () => {
  const { SEED } = process.env
  const fresh = String(Math.floor(Math.random() * 1e9))
  const fixed = Array.from({ length: FIXED_SEEDS }, (_, index) => String(index + 1))

  it.each(SEED === undefined ? [...fixed, fresh] : [SEED])(
    'keeps what it promises with the seed %s',
    async (seed) => {
      const { acknowledged, read } = await run(seed)
      expect(acknowledged).toBeGreaterThan(0)
      expect(read).toBeGreaterThan(0)
    },
    TIMEOUT_MS,
  )

  it(
    'has the same history for the same seed',
    async () => {
      const first = await run('again')
      expect(await run('again')).toEqual(first)
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
