import { expect, it } from 'vitest'
import { KafkaException, Producer } from '../../../../client/index.ts'
import { FindCoordinator } from '../../../../common/protocol/apis/10-find-coordinator.ts'
import {
  AddPartitionsToTxn,
  type AddPartitionsToTxnRequest,
} from '../../../../common/protocol/apis/24-add-partitions-to-txn.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import { ScriptedCluster } from '../support/scripted-broker.ts'

it('a commit fails as soon as the coordinator refuses a partition of the transaction', async () => {
  const cluster = new ScriptedCluster(7)
  await cluster.start(1)
  cluster.otherApis = [FindCoordinator, AddPartitionsToTxn]
  cluster.maxVersions = { AddPartitionsToTxn: 3 }
  cluster.onRequest = ({ api, body }) => {
    if (api === 'FindCoordinator') {
      const place = { nodeId: 1, host: 'broker-1', port: 9092, errorCode: 0, errorMessage: null }
      return { answer: { coordinators: [{ ...place, key: 'tx' }] } }
    }
    if (api !== 'AddPartitionsToTxn') return undefined
    const { v3AndBelowTopics } = body as AddPartitionsToTxnRequest
    const results = v3AndBelowTopics.map(({ name, partitions }) => ({
      name,
      resultsByPartition: partitions.map((partitionIndex) => ({
        partitionIndex,
        partitionErrorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED,
      })),
    }))
    return { answer: { resultsByTopicV3AndBelow: results } }
  }
  cluster.topic('t', [1])
  const conf = { 'bootstrap.servers': cluster.bootstrap, 'transactional.id': 'tx', log_level: 0 }
  const producer = new Producer(conf, undefined, { runtime: cluster.sim.machine('client') })
  await cluster.settle(producer.initTransactions(20))
  producer.beginTransaction()
  producer.produce('t', { value: 'x' })
  const startedMs = cluster.sim.clock.monotonicMs()
  const error = await cluster.settle(producer.commitTransaction(30).catch((failure: unknown) => failure))
  expect(cluster.sim.clock.monotonicMs() - startedMs).toBeLessThan(1000)
  expect(error).toBeInstanceOf(KafkaException)
  if (!(error instanceof KafkaException)) return
  expect([error.error.name(), error.error.txnRequiresAbort()]).toEqual(['TOPIC_AUTHORIZATION_FAILED', true])
  await cluster.settle(producer.close({ timeoutMs: 0 }))
})
