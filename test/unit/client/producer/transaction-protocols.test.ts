import { afterEach, expect, it } from 'vitest'
import { Producer } from '../../../../client/index.ts'
import { FindCoordinator } from '../../../../common/protocol/apis/10-find-coordinator.ts'
import { AddPartitionsToTxn } from '../../../../common/protocol/apis/24-add-partitions-to-txn.ts'
import { EndTxn } from '../../../../common/protocol/apis/26-end-txn.ts'
import { ScriptedCluster } from '../support/scripted-broker.ts'

const closings: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closings.splice(0)) await close()
})

/** An initialised transactional producer in a cluster whose `transaction.version` has this level. */
async function world(transactionVersion: number) {
  const cluster = new ScriptedCluster(7)
  cluster.transactionVersion = transactionVersion
  cluster.otherApis = [FindCoordinator, AddPartitionsToTxn, EndTxn]
  await cluster.start(1)
  const [log] = cluster.topic('t', [1])
  let epoch = 0
  cluster.onRequest = ({ api, version }) => {
    if (api === 'FindCoordinator') {
      const place = { nodeId: 1, host: 'broker-1', port: 9092, errorCode: 0, errorMessage: null }
      return { answer: { coordinators: [{ ...place, key: 'tx' }] } }
    }
    if (api === 'AddPartitionsToTxn') {
      const resultsByPartition = [{ partitionIndex: 0, partitionErrorCode: 0 }]
      return { answer: { resultsByTopicV3AndBelow: [{ name: 't', resultsByPartition }] } }
    }
    if (api === 'InitProducerId') return { answer: { errorCode: 0, producerId: 5, producerEpoch: epoch++ } }
    if (api !== 'EndTxn') return undefined
    return {
      answer: version < 5 ? { errorCode: 0 } : { errorCode: 0, producerId: 5, producerEpoch: epoch++ },
    }
  }
  const conf = { 'bootstrap.servers': cluster.bootstrap, 'transactional.id': 'tx', log_level: 0 }
  const producer = new Producer(conf, undefined, { runtime: cluster.sim.machine('client') })
  closings.push(() => cluster.settle(producer.close({ timeoutMs: 0 })))
  await cluster.settle(producer.initTransactions(20))
  const restart = async (): Promise<void> => {
    cluster.stop(1)
    await cluster.idle()
    await cluster.start(1)
  }
  const transact = async (isCommitted: boolean, meanwhile?: () => Promise<void>): Promise<void> => {
    producer.beginTransaction()
    const sent = producer.send('t', { value: 'x' })
    await cluster.settle(sent)
    await meanwhile?.()
    await cluster.settle(isCommitted ? producer.commitTransaction(20) : producer.abortTransaction(20))
  }
  const epochs = (): (number | undefined)[] => log?.batches.map(({ producerEpoch }) => producerEpoch) ?? []
  return { cluster, restart, transact, epochs }
}

it('a transaction that begins while every broker is away speaks the protocol of the cluster', async () => {
  const { cluster, restart, transact, epochs } = await world(2)
  await transact(true)
  await restart()
  await transact(true)
  expect(cluster.seen('AddPartitionsToTxn')).toEqual([])
  expect(cluster.seen('EndTxn').every(({ version }) => version >= 5)).toBe(true)
  expect(epochs()).toEqual([0, 1])
})

it.each([
  ['committed', true],
  ['aborted', false],
])(
  'the first transaction of the second protocol begins a new epoch, for the one that was %s before may be open at some leader',
  async (_, isCommitted) => {
    const { cluster, restart, transact, epochs } = await world(1)
    await transact(isCommitted, async () => {
      cluster.transactionVersion = 2
      await restart()
    })
    await transact(true)
    expect(cluster.seen('AddPartitionsToTxn')).toHaveLength(1)
    expect(cluster.seen('InitProducerId')).toHaveLength(2)
    expect(cluster.seen('EndTxn').map(({ version }) => version < 5)).toEqual([true, false])
    expect(epochs()).toEqual([0, 1])
  },
)
