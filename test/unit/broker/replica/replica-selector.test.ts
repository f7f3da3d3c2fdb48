import { describe, expect, it } from 'vitest'
import { metadataRecord } from '../../../../broker/metadata/metadata-record.ts'
import { WholeFetch } from '../../../../broker/replica/fetch-source.ts'
import { batchOf } from '../../../storage/world.ts'
import { type BrokerHarness, brokerHarness } from '../api/broker-harness.ts'

/** Broker 1 leads `orders`, 2 and 3 have all of it and are in the rack of the consumer. */
function ledCluster(): { readonly harness: BrokerHarness; readonly topicId: string } {
  const harness = brokerHarness()
  for (const id of [1, 2, 3]) {
    harness.registerBroker(id, id === 1 ? 'far' : 'near')
  }
  const topicId = harness.createTopic('orders', [[1, 2, 3]])
  const partition = harness.broker.replicas.partition('orders', 0)
  partition?.log?.appendAsLeader(batchOf(['tea', 'milk']), { leaderEpoch: 0, origin: 'client' })
  for (const replicaId of [2, 3]) {
    partition?.recordFollowerFetch({
      replicaId,
      replicaEpoch: -1,
      fetchOffset: 2,
      logStartOffset: 0,
      session: undefined,
    })
  }
  return { harness, topicId }
}

function consume({ harness, topicId }: ReturnType<typeof ledCluster>, currentLeaderEpoch = -1) {
  const request = {
    topic: 'orders',
    topicId,
    partition: 0,
    currentLeaderEpoch,
    fetchOffset: 0,
    lastFetchedEpoch: -1,
    logStartOffset: -1,
    partitionMaxBytes: 1000,
    knownHighWatermark: Number.MAX_SAFE_INTEGER,
  }
  const partition = harness.broker.replicas.partition('orders', 0)
  const answer = harness.broker.replicas.fetch(new WholeFetch([{ partition, error: 0, request }]), {
    replicaId: -1,
    replicaEpoch: -1,
    range: { upTo: 'highWatermark', mustLead: false },
    rack: 'near',
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: 1000,
    atLeastOneBatch: true,
    onClosed: () => () => undefined,
  })
  return answer.value?.[0]
}

function setIsr({ harness, topicId }: ReturnType<typeof ledCluster>, isr: number[]): void {
  harness.publish(metadataRecord('PartitionChangeRecord', 0, { topicId, partitionId: 0, isr }))
}

describe('a consumer that names its rack (KIP-392)', () => {
  it('is sent to the replica of that rack with the highest id when several have everything', () => {
    expect(consume(ledCluster())).toMatchObject({ error: 0, preferredReadReplica: 3, records: { length: 0 } })
  })

  it('is never sent to a replica that is out of sync', () => {
    const cluster = ledCluster()
    setIsr(cluster, [1, 2])
    expect(consume(cluster)?.preferredReadReplica).toBe(2)
    setIsr(cluster, [1])
    const answer = consume(cluster)
    expect(answer?.preferredReadReplica).toBeUndefined()
    expect(answer?.records.length).toBeGreaterThan(0)
  })

  it('is sent nowhere when its leader epoch is not that of the leader', () => {
    const answer = consume(ledCluster(), 7)
    expect(answer?.error).toBe(75)
    expect(answer?.preferredReadReplica).toBeUndefined()
  })
})
