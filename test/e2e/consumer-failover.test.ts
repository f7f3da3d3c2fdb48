/** Consumers of a cluster whose brokers come and go: three kafkito brokers in this process. */
import { afterEach, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../broker/index.ts'
import { type ClientConfig, Consumer, Producer } from '../../client/index.ts'
import { CreateTopics } from '../../common/protocol/apis/19-create-topics.ts'
import { rawClient } from '../support/raw-client.ts'
import { numbers, take, values } from './consumer-support.ts'

let cluster: Cluster | undefined
let open: { close(options?: { timeoutMs?: number }): Promise<unknown> }[] = []

afterEach(async () => {
  for (const handle of open.splice(0)) await handle.close({ timeoutMs: 3000 })
  await cluster?.stop()
  cluster = undefined
  open = []
})

async function start(): Promise<Cluster> {
  cluster = await startCluster({ brokers: 3 })
  const client = rawClient(cluster.bootstrapServers)
  try {
    const topic = { name: 't', numPartitions: 3, replicationFactor: 3, assignments: [], configs: [] }
    await client.call(CreateTopics, { topics: [topic], timeoutMs: 20_000, validateOnly: false })
  } finally {
    client.close()
  }
  return cluster
}

async function produce(running: Cluster, from: number, to: number): Promise<void> {
  await using producer = new Producer({ 'bootstrap.servers': running.bootstrapServers, log_level: 0 })
  for (let index = from; index < to; index++)
    producer.produce('t', { value: `${index}`, partition: index % 3 })
  expect(await producer.flush(25)).toBe(0)
}

function consumer(running: Cluster, conf: ClientConfig): Consumer {
  const base = {
    'bootstrap.servers': running.bootstrapServers,
    'auto.offset.reset': 'earliest',
    log_level: 0,
  }
  const made = new Consumer(base, conf)
  open.push(made)
  return made
}

describe.each(['classic', 'consumer'])('a member of a %s group', (protocol) => {
  it('reads on and commits when brokers stop and come back one after the other', async () => {
    const running = await start()
    await produce(running, 0, 30)
    const member = consumer(running, { 'group.id': 'g', 'group.protocol': protocol })
    member.subscribe(['t'])
    expect(
      values(await take(member, 30))
        .map(Number)
        .sort((one, other) => one - other)
        .map(String),
    ).toEqual(numbers(0, 30))
    for (const [round, node] of running.nodes.entries()) {
      await node.stop()
      const first = 30 + round * 30
      await produce(running, first, first + 30)
      const seen = values(await take(member, 30))
        .map(Number)
        .sort((one, other) => one - other)
      expect(seen.map(String)).toEqual(numbers(first, first + 30))
      await node.start()
    }
    const committed = await member.commit({ asynchronous: false })
    expect(committed.every(({ error }) => error === null)).toBe(true)
  }, 120_000)
})
