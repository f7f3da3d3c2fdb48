import { describe, expect, it } from 'vitest'
import { AcknowledgeType } from '../../../../client/constants.ts'
import { KafkaError } from '../../../../client/errors.ts'
import { EventQueue } from '../../../../client/event-queue.ts'
import { AcknowledgementCommits } from '../../../../client/share-consumer/acknowledgement-commits.ts'
import type { PendingAcknowledgements } from '../../../../client/share-consumer/share-node.ts'
import { TopicPartition } from '../../../../client/values/topic-partition.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import { createSimRuntime } from '../../../../common/runtime/sim/runtime.ts'

/** What two brokers gave of one partition, one after the other. */
function commitToTwoBrokers() {
  const sent: PendingAcknowledgements[] = []
  const events = new EventQueue(createSimRuntime({ seed: '1' }).machine('client'))
  const commits = new AcknowledgementCommits({ events }, { acknowledge: (pending) => sent.push(pending) })
  const { results, isSettled } = commits.commitAwaited(
    [1, 2].map((nodeId) => ({
      from: { topic: 't', topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partition: 0, nodeId },
      verdicts: new Map([[nodeId, AcknowledgeType.ACCEPT]]),
    })),
  )
  const result = () => {
    const found = results.get(new TopicPartition('t', 0))
    return found === null ? 'committed' : found?.error.name()
  }
  return { sent, isSettled, result }
}

describe('acknowledgements of a partition whose leader changed', () => {
  it('are committed when both leaders have taken them', () => {
    const { sent, isSettled, result } = commitToTwoBrokers()
    sent[0]?.done(null)
    expect(result()).toBe('_TIMED_OUT')
    sent[1]?.done(null)
    expect([isSettled(), result()]).toEqual([true, 'committed'])
  })

  it('are not called committed when one leader refuses them, whichever answers last', () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const { sent, isSettled, result } = commitToTwoBrokers()
      for (const index of order)
        sent[index]?.done(index === 0 ? new KafkaError(ErrorCode.NOT_LEADER_OR_FOLLOWER) : null)
      expect([isSettled(), result()]).toEqual([true, 'NOT_LEADER_FOR_PARTITION'])
    }
  })
})
