/** Lies of brokers that chance finds seldom, one by one: what the client makes of them, and that it goes on afterwards. */
import { afterEach, describe, expect, it } from 'vitest'
import {
  AdminClient,
  type ClientConfig,
  Consumer,
  KafkaException,
  ShareConsumer,
  TopicPartition,
} from '../../client/index.ts'
import { Fetch, type FetchRequest } from '../../common/protocol/apis/01-fetch.ts'
import { ListOffsets } from '../../common/protocol/apis/02-list-offsets.ts'
import { FindCoordinator } from '../../common/protocol/apis/10-find-coordinator.ts'
import { OffsetForLeaderEpoch } from '../../common/protocol/apis/23-offset-for-leader-epoch.ts'
import {
  ShareGroupHeartbeat,
  type ShareGroupHeartbeatRequest,
} from '../../common/protocol/apis/76-share-group-heartbeat.ts'
import { ShareFetch } from '../../common/protocol/apis/78-share-fetch.ts'
import { ShareAcknowledge } from '../../common/protocol/apis/79-share-acknowledge.ts'
import { BatchBuilder } from '../../common/record/batch-builder.ts'
import { fetchAnswer } from '../unit/client/consumer/support.ts'
import { coordinatorOfG, ScriptedCluster, type SeenRequest } from '../unit/client/support/scripted-broker.ts'
import { bombOf } from './mangle-answers.ts'

const quiet: ClientConfig = { log_level: 0, 'fetch.wait.max.ms': 10, 'reconnect.backoff.ms': 10 }
const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function start(): Promise<ScriptedCluster> {
  const cluster = new ScriptedCluster(7)
  await cluster.start(1)
  cluster.topic('t', [1])
  cluster.otherApis = [Fetch, ListOffsets, OffsetForLeaderEpoch]
  return cluster
}

function adminOf(cluster: ScriptedCluster, conf: ClientConfig = {}): AdminClient {
  const hooks = { runtime: cluster.sim.machine('client') }
  const admin = new AdminClient({ ...quiet, 'bootstrap.servers': cluster.bootstrap }, conf, hooks)
  closing.push(() => cluster.settle(admin.close()))
  return admin
}

/** Reads t-0 from offset 0; every fetch is answered with the records that `recordsAt` gives. */
function readerOf(cluster: ScriptedCluster, recordsAt: (offset: number) => Buffer): Consumer {
  cluster.onRequest = ({ api, body }) => {
    if (api !== 'Fetch') return undefined
    const request = body as FetchRequest
    const offset = request.topics[0]?.partitions[0]?.fetchOffset
    if (offset === undefined) return { answer: { sessionId: 0, responses: [] }, delayMs: 10 }
    return { answer: fetchAnswer(request, { highWatermark: 10, records: recordsAt(offset) }), delayMs: 1 }
  }
  const hooks = { runtime: cluster.sim.machine('client') }
  const conf = { 'bootstrap.servers': cluster.bootstrap, 'group.id': 'g', 'enable.auto.commit': false }
  const consumer = new Consumer({ ...quiet, ...conf }, undefined, hooks)
  closing.push(() => cluster.settle(consumer.close({ timeoutMs: 0 })))
  consumer.assign([new TopicPartition('t', 0, 0)])
  return consumer
}

function recordAt(baseOffset: number, value: string): Buffer {
  const builder = new BatchBuilder({ baseOffset })
  builder.append(1, null, Buffer.from(value))
  return builder.build()
}

describe('a batch that unpacks to half a gigabyte', () => {
  it.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'of %s is _BAD_COMPRESSION, costs no more than the limit, and is passed over',
    async (codec) => {
      const bomb = bombOf(codec)
      const cluster = await start()
      const consumer = readerOf(cluster, (offset) => (offset === 0 ? bomb : recordAt(offset, 'next')))
      const before = process.memoryUsage()
      const event = await cluster.settle(consumer.poll({ timeoutMs: 5000 }))
      const after = process.memoryUsage()
      expect(event?.error()?.name()).toBe('_BAD_COMPRESSION')
      expect(event?.error()?.str()).toContain('134217728 bytes')
      expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(300_000_000)
      expect(`${(await cluster.settle(consumer.poll({ timeoutMs: 5000 })))?.value()}`).toBe('next')
    },
  )
})

describe('a broker', () => {
  it('that asks for a pause of days gets one of a minute', async () => {
    const cluster = await start()
    const admin = adminOf(cluster)
    await cluster.settle(admin.listTopics(null, { timeoutMs: 1000 }))
    let isThrottled = false
    cluster.onRequest = ({ api }: SeenRequest) => {
      if (api !== 'Metadata' || isThrottled) return undefined
      isThrottled = true
      return {
        answer: { throttleTimeMs: 0x7fffffff, brokers: [], topics: [], clusterId: 'x', controllerId: 1 },
      }
    }
    await cluster.settle(admin.listTopics(null, { timeoutMs: 1000 }))
    const startMs = cluster.sim.clock.monotonicMs()
    await cluster.settle(admin.listTopics(null, { timeoutMs: 120_000 }))
    expect(cluster.sim.clock.monotonicMs() - startMs).toBeLessThanOrEqual(61_000)
  })

  it('that never has the version of ApiVersions that it names loses the connection', async () => {
    const cluster = await start()
    cluster.onRequest = ({ api }) =>
      api === 'ApiVersions' ? { answer: { errorCode: 35, apiKeys: [] } } : undefined
    const admin = adminOf(cluster, { 'reconnect.backoff.ms': 1000, 'reconnect.backoff.max.ms': 1000 })
    const failure = await cluster.settle(
      admin.listTopics(null, { timeoutMs: 5000 }).catch((error: unknown) => error),
    )
    expect(failure).toBeInstanceOf(KafkaException)
    expect(cluster.seen('ApiVersions').length).toBeLessThan(30)
    cluster.onRequest = () => undefined
    expect((await cluster.settle(admin.listTopics(null, { timeoutMs: 5000 }))).topics.has('t')).toBe(true)
  })

  it('whose offsets are beyond 2^53-1 is not believed, nor are they rounded', async () => {
    const cluster = await start()
    const consumer = readerOf(cluster, () => Buffer.alloc(0))
    const fetching = cluster.onRequest
    cluster.onRequest = (request) => {
      if (request.api !== 'ListOffsets') return fetching(request)
      const partitions = [{ partitionIndex: 0, errorCode: 0, timestamp: 1, offset: 2 ** 63, leaderEpoch: -1 }]
      return { answer: { topics: [{ name: 't', partitions }] } }
    }
    const asked = [new TopicPartition('t', 0, 5)]
    const failure = await cluster.settle(
      consumer.offsetsForTimes(asked, { timeoutMs: 2000 }).catch((error: unknown) => error),
    )
    const [found] = Array.isArray(failure) ? (failure as TopicPartition[]) : []
    const name = found === undefined ? (failure as KafkaException).error.name() : found.error?.name()
    expect(['_BAD_MSG', '_TIMED_OUT']).toContain(name)
  })

  it('that leaves a partition out of its answer has taken no acknowledgement for it', async () => {
    const cluster = await start()
    const topicId = cluster.topics.get('t')?.id as string
    cluster.otherApis = [FindCoordinator, ShareGroupHeartbeat, ShareFetch, ShareAcknowledge]
    const acquired = {
      partitionIndex: 0,
      errorCode: 0,
      acknowledgeErrorCode: 0,
      currentLeader: { leaderId: 1, leaderEpoch: 0 },
      records: recordAt(0, 'v'),
      acquiredRecords: [{ firstOffset: 0, lastOffset: 0, deliveryCount: 1 }],
    }
    const assignment = { topicPartitions: [{ topicId, partitions: [0] }] }
    const nothing = { errorCode: 0, acquisitionLockTimeoutMs: 1000, responses: [], nodeEndpoints: [] }
    let fetches = 0
    cluster.onRequest = ({ api, body }) => {
      switch (api) {
        case 'FindCoordinator':
          return coordinatorOfG
        case 'ShareGroupHeartbeat': {
          const { memberId, memberEpoch } = body as ShareGroupHeartbeatRequest
          const epoch = memberEpoch < 0 ? memberEpoch : 1
          return {
            answer: { errorCode: 0, memberId, memberEpoch: epoch, heartbeatIntervalMs: 1000, assignment },
          }
        }
        case 'ShareFetch':
          if (fetches++ > 0) return { answer: nothing, delayMs: 10 }
          return { answer: { ...nothing, responses: [{ topicId, partitions: [acquired] }] } }
        case 'ShareAcknowledge':
          return { answer: nothing }
        default:
          return undefined
      }
    }
    const conf = { ...quiet, 'bootstrap.servers': cluster.bootstrap, 'group.id': 'g' }
    const consumer = new ShareConsumer(conf, undefined, { runtime: cluster.sim.machine('client') })
    closing.push(() => cluster.settle(consumer.close({ timeoutMs: 0 })))
    consumer.subscribe(['t'])
    const messages = await cluster.settle(consumer.poll({ timeoutMs: 5000 }))
    expect(messages.map((message) => `${message.value()}`)).toEqual(['v'])
    const results = await cluster.settle(consumer.commitSync({ timeoutMs: 2000 }))
    expect([...results.values()].map((error) => error?.error.name())).toEqual(['INVALID_RECORD_STATE'])
  })
})
