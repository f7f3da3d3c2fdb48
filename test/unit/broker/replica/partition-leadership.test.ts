/**
 * What a leader takes for its in-sync replicas while it does not know what became of a proposal (KIP-497): the larger set, so that nothing is
 * committed that a member might lack.
 */
import { describe, expect, it } from 'vitest'
import type { PartitionImage } from '../../../../broker/metadata/image.ts'
import { Partition } from '../../../../broker/replica/partition.ts'
import type { IsrProposal } from '../../../../broker/replica/partition-leadership.ts'
import { NO_HISTORY } from '../../../../broker/replica/replica-history.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import { BatchBuilder } from '../../../../common/record/batch-builder.ts'
import { brokerHarness } from '../api/broker-harness.ts'

const LAG_MS = 1_000

/** Broker 1 leads with ISR [1,2]; 3 has fetched all that there is, and was proposed. */
function proposing() {
  const { broker, advance } = brokerHarness()
  const proposals: IsrProposal[] = []
  const partition = new Partition(
    {
      nodeId: 1,
      clock: broker.runtime.clock,
      reactor: broker.runtime.reactor,
      history: NO_HISTORY,
      replicaLagTimeMaxMs: () => LAG_MS,
      isEligibleForIsr: () => true,
      brokerEpochOf: () => 1,
      proposeIsr: (_partition, proposal) => proposals.push(proposal),
    },
    { topic: 't', topicId: 'AAAAAAAAAAAAAAAAAAAAEA', index: 0 },
  )
  const log = broker.logs.getOrCreate({ topic: 't', partition: 0 }, { topicId: partition.topicId })
  if (log === undefined) throw new Error('no log')
  const state = {
    leaderId: 1,
    leaderEpoch: 0,
    partitionEpoch: 5,
    replicas: [1, 2, 3],
    addingReplicas: [],
    isr: [1, 2],
    elr: [],
  } as unknown as PartitionImage
  const fetch = (replicaId: number, fetchOffset: number): boolean =>
    partition.recordFollowerFetch({ replicaId, replicaEpoch: 1, fetchOffset, logStartOffset: 0 })
  partition.becomeLeader(state, log)
  fetch(2, 0)
  fetch(3, 0)
  const append = (): void => {
    const builder = new BatchBuilder({})
    builder.append(broker.runtime.clock.wallMs(), null, Buffer.from('x'))
    const appended = partition.appendAsLeader(builder.build(), { requiredAcks: 1, origin: 'client' })
    expect(appended.error).toBe(ErrorCode.NONE)
  }
  /** 3 is too slow for long enough, 2 has everything. */
  const leaveBehind = (): void => {
    advance(2 * LAG_MS)
    append()
    fetch(2, log.logEndOffset)
  }
  return { partition, proposals, state, log, leaveBehind }
}

describe('a leader that proposed a replica for the ISR', () => {
  it('commits nothing without it while the proposal is under way', () => {
    const { proposals, log, leaveBehind } = proposing()
    expect(proposals.map(({ isr }) => isr.map(({ brokerId }) => brokerId))).toEqual([[1, 2, 3]])
    leaveBehind()
    expect([log.highWatermark, log.logEndOffset]).toEqual([0, 1])
  })

  it('counts it on when an earlier try may have been carried out, until the metadata log tells', () => {
    const { partition, proposals, state, log, leaveBehind } = proposing()
    partition.onIsrAnswer(proposals[0] as IsrProposal, { error: ErrorCode.INVALID_UPDATE_VERSION })
    leaveBehind()
    expect(log.highWatermark).toBe(0)
    partition.becomeLeader({ ...state, partitionEpoch: 6 }, log)
    expect(log.highWatermark).toBe(1)
  })

  it('counts it on when the metadata log tells what the leader knew when it proposed', () => {
    const { partition, state, log, leaveBehind } = proposing()
    partition.becomeLeader(state, log)
    leaveBehind()
    expect(log.highWatermark).toBe(0)
  })

  it('goes on without it when the controller says that it may not join', () => {
    const { partition, proposals, log, leaveBehind } = proposing()
    partition.onIsrAnswer(proposals[0] as IsrProposal, { error: ErrorCode.INELIGIBLE_REPLICA })
    leaveBehind()
    expect(log.highWatermark).toBe(1)
  })
})
