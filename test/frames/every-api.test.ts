import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../broker/index.ts'
import { servedHandlers } from '../../broker/served-apis.ts'
import { CreateTopics } from '../../common/protocol/apis/19-create-topics.ts'
import { decodeRequest, encodeRequest } from '../../common/protocol/codec.ts'
import type { ApiSchema } from '../../common/protocol/schema.ts'
import { versionRange } from '../../common/protocol/versions.ts'
import { Channel } from '../../common/rpc/channel.ts'
import { createNodeRuntime, type NodeRuntime } from '../../common/runtime/node/runtime.ts'
import type { TraceEvent } from '../../common/runtime/trace.ts'
import { rawClient } from '../support/raw-client.ts'
import { arbitraryMessage } from '../wire/arbitrary-message.ts'

const RANDOM_REQUESTS = 6
/** A request that may wait does not wait longer than this. */
const LONGEST_WAIT_MS = 50
const TOPIC = 'orders'

let cluster: Cluster
let runtime: NodeRuntime
let topicId: string
const failures: TraceEvent[] = []

beforeAll(async () => {
  cluster = await startCluster()
  cluster.runtime.trace.listen((event) => failures.push(event), 'error')
  runtime = createNodeRuntime()
  const client = rawClient(cluster.bootstrapServers)
  const created = await client.call(CreateTopics, {
    topics: [{ name: TOPIC, numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] }],
    timeoutMs: 5_000,
  })
  topicId = created.topics[0]?.topicId as string
  client.close()
})

afterAll(async () => {
  runtime.close()
  await cluster.stop()
})

const apis = servedHandlers
  .filter(({ api }) => api.listeners.includes('broker'))
  .map(({ api, versions }) => [api.name, api, versionRange(versions)] as const)

/** Waits become short, and names those of the topic that there is, so that a request gets further than its first check. */
function tamed(value: unknown, name: string, chooses: () => boolean): unknown {
  if (Array.isArray(value)) return value.map((inner) => tamed(inner, name, chooses))
  if (Buffer.isBuffer(value)) return value
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, tamed(inner, key, chooses)]))
  }
  if (typeof value === 'number' && name.endsWith('Ms')) return Math.min(value, LONGEST_WAIT_MS)
  if (!chooses()) return value
  if (/^topic(Name)?s?$|^name$|^resourceName$/.test(name) && typeof value === 'string') return TOPIC
  if (name === 'topicId') return topicId
  if (/^partition(s|Id|Index|Indexes)?$|^index$/.test(name) && typeof value === 'number') return 0
  if (/^(brokerId|replicaId)$/.test(name)) return -1
  if (/^groupId|^group$|^key$|^coordinatorKeys$/.test(name) && typeof value === 'string') return 'readers'
  return value
}

function ask(api: ApiSchema, version: number, request: object): Promise<string> {
  const [host, port] = cluster.bootstrapServers.split(':') as [string, string]
  const channel = new Channel({
    transport: runtime.transport,
    scheduler: runtime.scheduler,
    address: { host, port: Number(port) },
    clientId: 'every-api',
    maxFrameBytes: 0x7fffffff,
    connectTimeoutMs: 5_000,
    requestTimeoutMs: 5_000,
    maxInFlight: 1,
  })
  return new Promise((resolve) => {
    channel.call(api, version, request as never).whenDone((result) => {
      channel.close()
      resolve(result.ok ? 'answered' : result.failure)
    })
  })
}

/** The random messages of a version, as a client's frame gives them; first the one with nothing in it. */
function requestsOf(api: ApiSchema, version: number): object[] {
  let turn = version
  const chooses = () => turn++ % 3 !== 0
  const samples = fc.sample(arbitraryMessage(api.request, version), {
    numRuns: RANDOM_REQUESTS,
    seed: api.key * 100 + version,
  })
  return samples
    .map((sample) => tamed(sample, '', chooses) as object)
    .filter((request) => {
      decodeRequest(api, version, encodeRequest(api, version, request as never))
      return true
    })
}

describe('a broker', () => {
  it.each(apis)('answers any %s in every version, or closes the connection', async (_name, api, versions) => {
    failures.length = 0
    for (let version = versions.lowest; version <= versions.highest; version++) {
      for (const request of requestsOf(api, version)) {
        const outcome = await ask(api, version, request)
        const shown = JSON.stringify(request)
        const isQuiet = api.key === 0 && (request as { acks?: number }).acks === 0
        if (!isQuiet)
          expect(outcome, `v${version} ${shown}`).toMatch(/^(answered|disconnected|connection.*)$/i)
        const told = failures.map(
          ({ kind, message, error }) => `${kind}: ${message} ${(error as Error)?.stack ?? ''}`,
        )
        expect(told, `v${version} ${shown}`).toEqual([])
      }
    }
  })
})
