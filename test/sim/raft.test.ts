import { describe, expect, it } from 'vitest'
import type { RaftCluster } from './raft-cluster.ts'
import { simulateQuorum } from './raft-simulation.ts'

const SEEDS = Number(process.env.SEEDS ?? 20)
/** Whatever the machine. */
const TIMEOUT_MS = 300_000

function run(seed: string, voters: number): RaftCluster {
  try {
    return simulateQuorum(seed, voters)
  } catch (error) {
    throw new Error(`SEED=${seed} (${voters} voters): ${(error as Error).message}`, { cause: error })
  }
}

const ONLY = process.env.SEED

describe('the metadata quorum under crashes, partitions and delays', () => {
  const seeds = ONLY === undefined ? Array.from({ length: SEEDS }, (_, index) => String(index)) : [ONLY]

  it.each([3, 5])(
    'keeps what it acknowledged, and one leader an epoch, with %i voters',
    (voters) => {
      let acknowledged = 0
      for (const seed of seeds) acknowledged += run(seed, voters).acknowledged.length
      expect(acknowledged).toBeGreaterThan(seeds.length * 5)
    },
    TIMEOUT_MS,
  )

  it(
    'is the same history for the same seed',
    () => {
      expect(run('again', 3).events).toEqual(run('again', 3).events)
    },
    TIMEOUT_MS,
  )
})
