import { afterEach, describe, expect, it } from 'vitest'
import { ConsumerGroupMetadata, KafkaException, Producer, TopicPartition } from '../../../../client/index.ts'
import { FindCoordinator } from '../../../../common/protocol/apis/10-find-coordinator.ts'
import { AddOffsetsToTxn } from '../../../../common/protocol/apis/25-add-offsets-to-txn.ts'
import { EndTxn } from '../../../../common/protocol/apis/26-end-txn.ts'
import {
  TxnOffsetCommit,
  type TxnOffsetCommitRequest,
} from '../../../../common/protocol/apis/28-txn-offset-commit.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import { ScriptedCluster } from '../support/scripted-broker.ts'

const closings: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closings.splice(0)) await close()
})

/** A producer in a transaction, and a broker of this version, which answers offsets with the present code. */
async function world(version = 4) {
  const cluster = new ScriptedCluster(7)
  const answer = { errorCode: 0 }
  await cluster.start(1)
  cluster.otherApis = [FindCoordinator, AddOffsetsToTxn, TxnOffsetCommit, EndTxn]
  cluster.maxVersions = { TxnOffsetCommit: version }
  cluster.onRequest = ({ api }) => {
    if (api === 'FindCoordinator') {
      const place = { nodeId: 1, host: 'broker-1', port: 9092, errorCode: 0, errorMessage: null }
      return { answer: { coordinators: ['g', 'other', 'tx'].map((key) => ({ ...place, key })) } }
    }
    if (api === 'TxnOffsetCommit') {
      return { answer: { topics: [{ name: 't', partitions: [{ partitionIndex: 0, ...answer }] }] } }
    }
    return api === 'AddOffsetsToTxn' || api === 'EndTxn' ? { answer: { errorCode: 0 } } : undefined
  }
  const conf = { 'bootstrap.servers': cluster.bootstrap, 'transactional.id': 'tx', log_level: 0 }
  const producer = new Producer(conf, undefined, { runtime: cluster.sim.machine('client') })
  await cluster.settle(producer.initTransactions(20))
  closings.push(() => cluster.settle(producer.close({ timeoutMs: 0 })))
  producer.beginTransaction()
  const sent = (): TxnOffsetCommitRequest[] =>
    cluster.seen('TxnOffsetCommit').map(({ body }) => body as TxnOffsetCommitRequest)
  return { cluster, producer, answer, sent }
}

/** What reaches a broker of this version when a member of a group sends its position in a transaction. */
async function sentToBroker(version: number): Promise<TxnOffsetCommitRequest | undefined> {
  const { cluster, producer, sent } = await world(version)
  const place = new TopicPartition('t', 0, 7, { metadata: 'note', leaderEpoch: 3 })
  const member = new ConsumerGroupMetadata('g', 5, 'member', 'instance')
  await cluster.settle(producer.sendOffsetsToTransaction([place], member, 20))
  await cluster.settle(producer.commitTransaction(20))
  return sent()[0]
}

/** The name of what a call fails with. */
async function failure(cluster: ScriptedCluster, call: Promise<unknown>): Promise<string> {
  return await cluster.settle(
    call.then(
      () => 'nothing',
      (error: unknown) => (error instanceof KafkaException ? error.error.name() : String(error)),
    ),
  )
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

  it('of several calls at once are all sent, each to its group, as they were when the call was made', async () => {
    const { cluster, producer, sent } = await world()
    const place = new TopicPartition('t', 0, 7)
    const calls = [producer.sendOffsetsToTransaction([place], new ConsumerGroupMetadata('g'), 20)]
    place.offset = 8
    calls.push(producer.sendOffsetsToTransaction([place], new ConsumerGroupMetadata('other'), 20))
    place.offset = 9
    await cluster.settle(Promise.all(calls))
    await cluster.settle(producer.commitTransaction(20))
    expect(sent()).toMatchObject([
      { groupId: 'g', topics: [{ partitions: [{ committedOffset: 7 }] }] },
      { groupId: 'other', topics: [{ partitions: [{ committedOffset: 8 }] }] },
    ])
  })

  it('that nobody waits for any more are not sent again, and the transaction can be aborted but not committed', async () => {
    const { cluster, producer, answer, sent } = await world()
    const group = new ConsumerGroupMetadata('g')
    answer.errorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    const late = producer.sendOffsetsToTransaction([new TopicPartition('t', 0, 7)], group, 1)
    expect(await failure(cluster, late)).toBe('_TIMED_OUT')
    await cluster.advance(5000)
    const count = sent().length
    await cluster.advance(5000)
    expect(sent()).toHaveLength(count)
    expect(await failure(cluster, producer.commitTransaction(20))).toBe('_CONFLICT')
    expect(await failure(cluster, producer.abortTransaction(20))).toBe('nothing')
    producer.beginTransaction()
    expect(await failure(cluster, producer.commitTransaction(20))).toBe('nothing')
  })

  it('that were given up are sent by the next call, after which the transaction is committed', async () => {
    const { cluster, producer, answer, sent } = await world()
    const group = new ConsumerGroupMetadata('g')
    answer.errorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    const late = producer.sendOffsetsToTransaction([new TopicPartition('t', 0, 7)], group, 1)
    expect(await failure(cluster, late)).toBe('_TIMED_OUT')
    answer.errorCode = ErrorCode.NONE
    const again = producer.sendOffsetsToTransaction([new TopicPartition('t', 0, 8)], group, 20)
    expect(await failure(cluster, again)).toBe('nothing')
    expect(sent().at(-1)).toMatchObject({ topics: [{ partitions: [{ committedOffset: 8 }] }] })
    expect(await failure(cluster, producer.commitTransaction(20))).toBe('nothing')
  })
})
