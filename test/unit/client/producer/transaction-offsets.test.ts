import { describe, expect, it } from 'vitest'
import { ConsumerGroupMetadata, Producer, TopicPartition } from '../../../../client/index.ts'
import { FindCoordinator } from '../../../../common/protocol/apis/10-find-coordinator.ts'
import { AddOffsetsToTxn } from '../../../../common/protocol/apis/25-add-offsets-to-txn.ts'
import { EndTxn } from '../../../../common/protocol/apis/26-end-txn.ts'
import {
  TxnOffsetCommit,
  type TxnOffsetCommitRequest,
} from '../../../../common/protocol/apis/28-txn-offset-commit.ts'
import { ScriptedCluster } from '../support/scripted-broker.ts'

/** What reaches a broker of this version when a member of a group sends its position in a transaction. */
async function sentToBroker(version: number): Promise<TxnOffsetCommitRequest> {
  const cluster = new ScriptedCluster(7)
  await cluster.start(1)
  cluster.otherApis = [FindCoordinator, AddOffsetsToTxn, TxnOffsetCommit, EndTxn]
  cluster.maxVersions = { TxnOffsetCommit: version }
  cluster.onRequest = ({ api }) => {
    if (api === 'FindCoordinator') {
      const place = { nodeId: 1, host: 'broker-1', port: 9092, errorCode: 0, errorMessage: null }
      return { answer: { coordinators: ['g', 'tx'].map((key) => ({ ...place, key })) } }
    }
    if (api === 'TxnOffsetCommit') {
      return { answer: { topics: [{ name: 't', partitions: [{ partitionIndex: 0, errorCode: 0 }] }] } }
    }
    return api === 'AddOffsetsToTxn' || api === 'EndTxn' ? { answer: { errorCode: 0 } } : undefined
  }
  const conf = { 'bootstrap.servers': cluster.bootstrap, 'transactional.id': 'tx', log_level: 0 }
  const producer = new Producer(conf, undefined, { runtime: cluster.sim.machine('client') })
  await cluster.settle(producer.initTransactions(20))
  producer.beginTransaction()
  const place = new TopicPartition('t', 0, 7, { metadata: 'note', leaderEpoch: 3 })
  const member = new ConsumerGroupMetadata('g', 5, 'member', 'instance')
  await cluster.settle(producer.sendOffsetsToTransaction([place], member, 20))
  await cluster.settle(producer.commitTransaction(20))
  await cluster.settle(producer.close())
  return cluster.seen('TxnOffsetCommit')[0]?.body as TxnOffsetCommitRequest
}

describe('offsets in a transaction', () => {
  it('go to a broker before Kafka 2.5 without the member that consumed them', async () => {
    expect(await sentToBroker(2)).toMatchObject({
      groupId: 'g',
      generationIdOrMemberEpoch: -1,
      memberId: '',
      groupInstanceId: null,
      topics: [{ name: 't', partitions: [{ committedOffset: 7, committedLeaderEpoch: 3 }] }],
    })
  })

  it('go to a newer broker with the member, so that one of an older generation is refused', async () => {
    expect(await sentToBroker(3)).toMatchObject({
      generationIdOrMemberEpoch: 5,
      memberId: 'member',
      groupInstanceId: 'instance',
    })
  })
})
