import { afterEach, describe, expect, it } from 'vitest'
import { ClientCore } from '../../../../client/client-core.ts'
import { readConfig } from '../../../../client/config/read-config.ts'
import { type ClientConfig, Consumer } from '../../../../client/index.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import { ScriptedCluster } from '../support/scripted-broker.ts'

let cores: ClientCore[] = []

afterEach(() => {
  for (const core of cores) core.close()
  cores = []
})

async function world(conf: ClientConfig = {}) {
  const cluster = new ScriptedCluster(2)
  await cluster.start(1)
  const base = {
    'bootstrap.servers': cluster.bootstrap,
    'group.id': 'g',
    log_level: 0,
    'topic.metadata.refresh.interval.ms': 1000,
  }
  const core = new ClientCore(
    readConfig('consumer', base, conf),
    { runtime: cluster.sim.machine('client') },
    { onRoom: () => {}, onDown: () => {} },
  )
  cores.push(core)
  const names = (): string[] => [...core.metadata.cache.topics()].map(({ name }) => name).sort()
  return { cluster, core, names }
}

describe('metadata of all topics', () => {
  it('a deleted topic is forgotten with the next refresh', async () => {
    const { cluster, core, names } = await world()
    cluster.topic('kept', [1])
    cluster.topic('deleted', [1])
    core.metadata.wantAllTopics(true)
    await cluster.advance(500)
    expect(names()).toEqual(['deleted', 'kept'])
    cluster.topics.delete('deleted')
    await cluster.advance(1500)
    expect(names()).toEqual(['kept'])
  })

  it('a deleted topic that somebody needs is known to be missing', async () => {
    const { cluster, core } = await world()
    cluster.topic('deleted', [1])
    core.metadata.want('deleted')
    core.metadata.wantAllTopics(true)
    await cluster.advance(500)
    cluster.topics.delete('deleted')
    await cluster.advance(1500)
    const topic = core.metadata.cache.topic('deleted')
    expect([topic?.errorCode, topic?.partitions.length]).toEqual([ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 0])
  })

  it('a topic that is not needed by name any more stays while an expression may match it', async () => {
    const { cluster, core, names } = await world()
    cluster.topic('t', [1])
    core.metadata.wantAllTopics(true)
    core.metadata.want('t')
    await cluster.advance(500)
    core.metadata.unwant('t')
    expect(names()).toEqual(['t'])
    core.metadata.wantAllTopics(false)
    expect(names()).toEqual([])
  })
})

describe('statistics', () => {
  it('a consumer tells the partitions of each broker and how long ago it heard of it', async () => {
    const cluster = new ScriptedCluster(2)
    await cluster.start(1)
    const documents: string[] = []
    const conf = {
      'bootstrap.servers': cluster.bootstrap,
      'group.id': 'g',
      log_level: 0,
      'statistics.interval.ms': 1000,
    }
    const consumer = new Consumer(conf, undefined, { runtime: cluster.sim.machine('client') })
    consumer.on('stats', (json) => documents.push(json))
    await cluster.settle(consumer.listTopics())
    await cluster.advance(2500)
    const document = JSON.parse(documents.at(-1) ?? '{}')
    const broker = document.brokers['broker-1:9092/1']
    expect(broker.rxidle).toBeGreaterThan(0)
    expect(broker.txidle).toBeGreaterThanOrEqual(broker.rxidle)
    expect(broker.toppars).toEqual({})
    expect(document.cgrp.stateage).toBeGreaterThan(1000)
    await cluster.settle(consumer.close({ timeoutMs: 0 }))
  })
})
