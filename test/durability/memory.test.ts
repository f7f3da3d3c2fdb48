import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Produce } from '../../common/protocol/apis/00-produce.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { rawClient } from '../support/raw-client.ts'
import { batchOf } from '../support/records.ts'
import { type BrokerProgram, bundleBroker, type RunningBroker } from './bundle.ts'
import { Ledger } from './ledger.ts'

const MIB = 1024 * 1024
const BATCHES = 350
const IN_FLIGHT = 5

let program: BrokerProgram
let broker: RunningBroker
let dataDir: string

beforeAll(async () => {
  program = await bundleBroker()
  dataDir = mkdtempSync(join(tmpdir(), 'kafkito-memory-'))
  broker = await program.start({ dataDir })
}, 60_000)

afterAll(async () => {
  await broker?.kill()
  program?.remove()
  if (dataDir !== undefined) rmSync(dataDir, { recursive: true, force: true })
})

/** Most that the process has had in memory so far. */
function peakMib(): number {
  const status = readFileSync(`/proc/${broker.child.pid}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024
}

describe.skipIf(process.platform !== 'linux')('the memory of a broker', () => {
  it('is below 100 MiB at rest and does not grow with the records that pass through', async () => {
    expect(peakMib()).toBeLessThan(100)
    const client = rawClient(broker.bootstrapServers)
    const ledger = new Ledger()
    await ledger.createTopic(client, 'stream')
    const topicId = ledger.topicIds.get('stream') as string
    const records = batchOf(Array.from({ length: 1000 }, () => 'x'.repeat(MIB / 1100)))
    let left = BATCHES
    const produce = async (): Promise<void> => {
      while (left-- > 0) {
        const answer = await client.call(Produce, {
          acks: 1,
          timeoutMs: 5_000,
          topicData: [{ topicId, partitionData: [{ index: 0, records }] }],
        })
        expect(answer.responses[0]?.partitionResponses[0]?.errorCode).toBe(ErrorCode.NONE)
      }
    }
    await Promise.all(Array.from({ length: IN_FLIGHT }, produce))
    client.close()
    expect(peakMib()).toBeLessThan(240)
  }, 60_000)
})
