import { describe, expect, it } from 'vitest'
import { startCluster } from '../../broker/index.ts'

describe('replicas over racks', () => {
  it('are placed so that no rack has two while another has none, and racks lead in turn', async () => {
    await using cluster = await startCluster({ brokers: 4, racks: ['east', 'east', 'west', 'west'] })
    await cluster.topic('orders').create({ partitions: 8, replicas: 2 })
    const partitions = await cluster.describeTopic('orders')
    const rackOf = (nodeId: number): string => (nodeId <= 2 ? 'east' : 'west')
    for (const { replicas } of partitions)
      expect([...new Set(replicas.map(rackOf))].sort()).toEqual(['east', 'west'])
    // Racks lead in turn; within a rack it need not be so even, in Kafka either.
    const leaders = partitions.filter(({ leader }) => rackOf(leader) === 'east')
    expect(leaders).toHaveLength(4)
    await cluster.topic('wide').create({ partitions: 4, replicas: 4 })
    for (const { replicas } of await cluster.describeTopic('wide'))
      expect([...replicas].sort()).toEqual([1, 2, 3, 4])
  })
})
