/**
 * The log's budgets (docs: architecture): append of a 16 KiB batch 40 µs, fetch of 1 MiB from the tail 30 µs, from a cached
 * file 250 µs; ten thousand partitions made in 5 s and opened in 3 s.
 *
 *     npx tsx test/bench/log.bench.ts
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNodeRuntime } from '../../common/runtime/node/runtime.ts'
import { FilePool } from '../../storage/file-pool.ts'
import type { Log } from '../../storage/log.ts'
import { logConfig } from '../../storage/log-config.ts'
import { LogManager } from '../../storage/log-manager.ts'
import { TailCache } from '../../storage/tail-cache.ts'
import { batchOf, CLUSTER_ID, TOPIC_ID } from '../storage/world.ts'

const directory = mkdtempSync(join(tmpdir(), 'kafkito-bench-'))
const runtime = createNodeRuntime()

function manager(path: string, tailCacheBytes?: number): LogManager {
  const { files } = runtime
  return new LogManager({
    context: { ...runtime, filePool: new FilePool(files), tailCache: new TailCache(tailCacheBytes) },
    clusterId: CLUSTER_ID,
    nodeId: 1,
    logDirectories: [path],
    configOf: () => logConfig(),
  })
}

function measure(
  label: string,
  rounds: number,
  step: (round: number) => void,
  after?: () => void,
  warmUp = rounds / 10,
): void {
  for (let round = 0; round < warmUp; round++) step(round)
  after?.()
  const start = process.hrtime.bigint()
  for (let round = 0; round < rounds; round++) step(round)
  after?.()
  const micros = Number(process.hrtime.bigint() - start) / 1000
  console.log(`${label.padEnd(52)} ${(micros / rounds).toFixed(1).padStart(9)} µs`)
}

function once(label: string, step: () => void): void {
  const start = process.hrtime.bigint()
  step()
  console.log(
    `${label.padEnd(52)} ${(Number(process.hrtime.bigint() - start) / 1e6).toFixed(0).padStart(9)} ms`,
  )
}

function fill(log: Log, batches: number): void {
  for (let count = 0; count < batches; count++) {
    log.appendAsLeader(batchOf(['v'.repeat(16_300)]), { leaderEpoch: 0, origin: 'client' })
    if (count % 16 === 15) log.flush()
  }
  log.flush()
  log.updateHighWatermark(log.logEndOffset)
}

try {
  const logs = manager(join(directory, 'a'))
  logs.open()
  const log = logs.getOrCreate({ topic: 'bench', partition: 0 }, { topicId: TOPIC_ID }) as Log
  const rounds = 4000
  const batches = Array.from({ length: rounds * 1.1 }, () => Buffer.from(batchOf(['v'.repeat(16_300)])))
  let next = 0
  measure(
    'append of a 16 KiB batch, 16 a turn, with its write',
    rounds,
    () => {
      log.appendAsLeader(batches[next++] as Buffer, { leaderEpoch: 0, origin: 'client' })
      if (next % 16 === 0) log.flush()
    },
    () => log.flush(),
  )
  fill(log, 64)
  const read = (target: Log, offset: number, maxBytes = 1024 * 1024) => {
    const { records } = target.read({ offset, maxBytes, upTo: 'logEnd', atLeastOneBatch: true })
    if (records.length < maxBytes * 0.9) throw new Error(`only ${records.length} bytes`)
  }
  const tail = log.logEndOffset - 64
  measure('fetch of 1 MiB from the tail, shared', 2000, () => read(log, tail, 1_000_000))
  logs.close()
  const cold = manager(join(directory, 'a'), 0)
  cold.open()
  const coldLog = cold.get({ topic: 'bench', partition: 0 }) as Log
  measure(
    'fetch of 1 MiB from a cached file',
    1000,
    (round) => read(coldLog, (round * 7) % 3000, 1_000_000),
    undefined,
    2000,
  )
  measure('fetch of 16 KiB from a cached file', 5000, (round) => read(coldLog, (round * 7) % 3000, 16_384))
  cold.close()

  const many = 10_000
  const big = manager(join(directory, 'b'))
  big.open()
  once(`${many} partitions made`, () => {
    for (let partition = 0; partition < many; partition++) {
      const made = big.getOrCreate({ topic: 'many', partition }, { topicId: TOPIC_ID })
      made?.assignLeaderEpoch(0, 0)
    }
  })
  once(`${many} partitions closed`, () => big.close())
  const again = manager(join(directory, 'b'))
  once(`${many} partitions opened`, () => again.open())
  once(`${many} partitions closed again`, () => again.close())
} finally {
  rmSync(directory, { recursive: true, force: true })
  await runtime.close?.()
}
