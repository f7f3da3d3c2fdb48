import { describe, expect, it } from 'vitest'
import { AdminClient, ClosedError, KafkaException, NewTopic } from '../../../../client/index.ts'
import type { CreateTopicsRequest } from '../../../../common/protocol/apis/19-create-topics.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import type { Reaction } from '../support/scripted-broker.ts'
import { AdminWorld } from './scripted-admin.ts'

/** An answer to CreateTopics: codes by topic, NONE for the others. */
function created(body: unknown, codes: Readonly<Record<string, number>> = {}): { readonly answer: object } {
  const { topics } = body as CreateTopicsRequest
  const answers = topics.map(({ name }) => ({ name, errorCode: codes[name] ?? 0, errorMessage: null }))
  return { answer: { topics: answers } }
}

function metadata(controllerId: number): Reaction {
  const brokers = [1, 2].map((nodeId) => ({ nodeId, host: `broker-${nodeId}`, port: 9092 }))
  return { answer: { brokers, clusterId: 'scripted', controllerId, topics: [] } }
}

describe('the results of a call', () => {
  it('fail each for itself, and failures that nobody looks at do no harm', async () => {
    const world = await AdminWorld.make()
    world.answer = ({ api, body }) =>
      api === 'CreateTopics' ? created(body, { old: ErrorCode.TOPIC_ALREADY_EXISTS }) : undefined
    const results = world.admin.createTopics([new NewTopic('old'), new NewTopic('new')])
    expect([...results.keys()]).toEqual(['old', 'new'])
    expect(await world.settle(results.get('new'))).toBe(undefined)
    expect(await world.failure(results.all())).toBe('TOPIC_ALREADY_EXISTS')
  })

  it('that the broker does not give are _BAD_MSG', async () => {
    const world = await AdminWorld.make()
    world.answer = ({ api }) => (api === 'CreateTopics' ? { answer: { topics: [] } } : undefined)
    expect(await world.failure(world.admin.createTopics([new NewTopic('a')]).get('a'))).toBe('_BAD_MSG')
  })
})

describe('the controller', () => {
  it('is asked, and found anew when another one took over', async () => {
    const world = await AdminWorld.make({}, [1, 2])
    let controllerId = 1
    world.answer = ({ api, nodeId, body }) => {
      if (api === 'Metadata') return metadata(controllerId)
      if (api !== 'CreateTopics') return undefined
      if (nodeId === 2) return created(body)
      controllerId = 2
      return created(body, { t: ErrorCode.NOT_CONTROLLER })
    }
    await world.settle(world.admin.createTopics([new NewTopic('t')]).all())
    expect(world.cluster.seen('CreateTopics').map(({ nodeId }) => nodeId)).toEqual([1, 2])
  })

  it('that never turns up lets the call run out of time', async () => {
    const world = await AdminWorld.make()
    world.answer = ({ api }) => (api === 'Metadata' ? metadata(-1) : undefined)
    const results = world.admin.createTopics([new NewTopic('t')], { requestTimeoutMs: 3000 })
    expect(await world.failure(results.get('t'))).toBe('_TIMED_OUT')
    expect(world.cluster.sim.clock.monotonicMs()).toBeLessThan(4000)
  })
})

describe('time', () => {
  it('runs out for every result that is open, and the connection stays', async () => {
    const world = await AdminWorld.make()
    world.answer = ({ api, body }) =>
      api === 'CreateTopics' ? { ...created(body), delayMs: 5000 } : undefined
    const results = world.admin.createTopics([new NewTopic('a'), new NewTopic('b')], { requestTimeout: 0.5 })
    expect(await world.failure(results.get('a'))).toBe('_TIMED_OUT')
    expect(await world.failure(results.get('b'))).toBe('_TIMED_OUT')
    expect(await world.failure(world.admin.listTopics())).toBe('none')
    expect(world.cluster.seen('CreateTopics')).toHaveLength(1)
    expect(world.cluster.seen('ApiVersions')).toHaveLength(1)
  })

  it('is socket.timeout.ms unless the call says otherwise', async () => {
    const world = await AdminWorld.make({ 'socket.timeout.ms': 700 })
    world.answer = ({ api }) => (api === 'DescribeCluster' ? 'silence' : undefined)
    expect(await world.failure(world.admin.describeCluster())).toBe('_TIMED_OUT')
    expect(world.cluster.sim.clock.monotonicMs()).toBeLessThan(1000)
  })

  it('for the broker is the operation timeout, and what is left of the call for -1', async () => {
    const world = await AdminWorld.make()
    world.answer = ({ api, body }) => (api === 'CreateTopics' ? created(body) : undefined)
    const timeouts = async (options: object): Promise<number | undefined> => {
      await world.settle(world.admin.createTopics([new NewTopic('t')], options).all())
      const body = world.cluster.seen('CreateTopics').at(-1)?.body as CreateTopicsRequest | undefined
      return body?.timeoutMs
    }
    expect(await timeouts({})).toBe(60_000)
    expect(await timeouts({ operationTimeout: 30 })).toBe(30_000)
    expect(await timeouts({ operationTimeoutMs: 0 })).toBe(0)
    expect(await timeouts({ operationTimeout: -1, requestTimeoutMs: 5000 })).toBeLessThanOrEqual(5000)
  })
})

describe('options', () => {
  it('out of range are a ValueError, unknown or mixed ones a TypeError, at once', async () => {
    const { admin } = await AdminWorld.make()
    const thrown = (options: object): string => {
      try {
        admin.createTopics([new NewTopic('t')], options)
      } catch (error) {
        return (error as Error).name
      }
      return 'none'
    }
    expect(thrown({ requestTimeoutMs: -1 })).toBe('ValueError')
    expect(thrown({ requestTimeout: -0.1 })).toBe('ValueError')
    expect(thrown({ requestTimeout: 3601 })).toBe('ValueError')
    expect(thrown({ operationTimeout: -2 })).toBe('ValueError')
    expect(thrown({ requestTimeout: '1' })).toBe('TypeError')
    expect(thrown({ requestTimeout: 1, requestTimeoutMs: 1000 })).toBe('TypeError')
    expect(thrown({ request_timeout: 1 })).toBe('TypeError')
    expect(thrown({ validateOnly: 'yes' })).toBe('TypeError')
    expect(thrown({ requireStable: true })).toBe('TypeError')
    expect(thrown({ signal: {} })).toBe('TypeError')
  })

  it('of a call with one promise reject it', async () => {
    const world = await AdminWorld.make()
    expect(await world.failure(world.admin.describeCluster({ requestTimeoutMs: -1 }))).toBe('ValueError')
    expect(await world.failure(world.admin.describeCluster({ broker: 1 } as object))).toBe('TypeError')
  })
})

describe('a call', () => {
  it('that is aborted rejects with the reason of the signal, and the client goes on', async () => {
    const world = await AdminWorld.make()
    world.answer = ({ api }) => (api === 'CreateTopics' ? 'silence' : undefined)
    const abort = new AbortController()
    const results = world.admin.createTopics([new NewTopic('t')], { signal: abort.signal })
    await world.cluster.advance(10)
    abort.abort(new Error('enough'))
    await expect(world.settle(results.get('t'))).rejects.toThrow('enough')
    await expect(world.settle(world.admin.describeCluster({ signal: abort.signal }))).rejects.toThrow(
      'enough',
    )
    expect((await world.settle(world.admin.listTopics())).clusterId).toBe('scripted')
  })

  it('that closes the client takes what that of every handle takes, and refuses the rest', async () => {
    const world = await AdminWorld.make()
    await expect(world.admin.close({ force: 'yes' } as never)).rejects.toThrow(TypeError)
    await world.settle(world.admin.close({ timeoutMs: 10, force: true }))
    expect(() => world.admin.deleteTopics(['t'])).toThrow(ClosedError)
  })

  it('that is in progress fails with _DESTROY when the client is closed, which refuses everything from then on', async () => {
    const world = await AdminWorld.make()
    world.answer = ({ api }) => (api === 'CreateTopics' ? 'silence' : undefined)
    const results = world.admin.createTopics([new NewTopic('t')])
    await world.cluster.advance(10)
    await world.settle(world.admin.close())
    expect(await world.failure(results.get('t'))).toBe('_DESTROY')
    expect(() => world.admin.createTopics([new NewTopic('t')])).toThrow(ClosedError)
    expect(await world.failure(world.admin.describeCluster())).toBe('ClosedError')
    expect(await world.failure(world.admin.poll(0))).toBe('ClosedError')
    await world.settle(world.admin.close())
  })

  it('whose answer was lost is made again, unless the broker may have done it', async () => {
    const world = await AdminWorld.make()
    let losses = 1
    world.answer = ({ api, body }) => {
      if (api !== 'CreateTopics' && api !== 'DescribeCluster') return undefined
      if (losses-- > 0) return 'disconnect'
      return api === 'CreateTopics'
        ? created(body)
        : { answer: { errorCode: 0, clusterId: 'c', controllerId: 1, brokers: [] } }
    }
    expect((await world.settle(world.admin.describeCluster())).clusterId).toBe('c')
    expect(world.cluster.seen('DescribeCluster')).toHaveLength(2)
    losses = 1
    expect(await world.failure(world.admin.createTopics([new NewTopic('t')]).all())).toBe('_TRANSPORT')
    expect(world.cluster.seen('CreateTopics')).toHaveLength(1)
    losses = 1
    expect(
      await world.failure(world.admin.createTopics([new NewTopic('t')], { validateOnly: true }).all()),
    ).toBe('none')
  })

  it('that no version of the broker serves is _UNSUPPORTED_FEATURE', async () => {
    const world = await AdminWorld.make()
    world.versions = { CreateTopics: -1 }
    expect(await world.failure(world.admin.createTopics([new NewTopic('t')]).all())).toBe(
      '_UNSUPPORTED_FEATURE',
    )
  })

  it("that wants the broker's defaults for a topic needs Kafka 2.4 (KIP-464)", async () => {
    const world = await AdminWorld.make()
    world.versions = { CreateTopics: 3 }
    world.answer = ({ api }) =>
      api === 'CreateTopics'
        ? { answer: { topics: [{ name: 't', errorCode: 0, errorMessage: null }] } }
        : undefined
    const create = (topic: NewTopic): Promise<string> =>
      world.failure(world.admin.createTopics([topic]).all())
    expect(await create(new NewTopic('t', 1))).toBe('_UNSUPPORTED_FEATURE')
    expect(await create(new NewTopic('t', 1, 1))).toBe('none')
    expect(await create(new NewTopic({ topic: 't', replicaAssignment: [[1]] }))).toBe('none')
  })

  it('lists topics by arguments in order or in one object', async () => {
    const world = await AdminWorld.make()
    world.cluster.topic('t', [1])
    for (const call of [
      () => world.admin.listTopics('t', { timeoutMs: 5000 }),
      () => world.admin.listTopics({ topic: 't', timeoutMs: 5000 }),
    ]) {
      expect([...(await world.settle(call())).topics.keys()]).toEqual(['t'])
    }
    await expect(world.admin.listTopics({ topics: 't' } as never)).rejects.toThrow('unknown option "topics"')
    await expect(world.admin.listTopics({ topic: 't' }, 5)).rejects.toThrow(TypeError)
    await expect(world.admin.listTopics({ signal: 5 as never })).rejects.toThrow(
      'signal must be an AbortSignal',
    )
  })
})

describe('describeCluster', () => {
  it('asks brokers before Kafka 2.8 for metadata', async () => {
    const world = await AdminWorld.make({}, [1, 2])
    world.versions = { DescribeCluster: -1, Metadata: 7 }
    const { clusterId, controller, nodes, authorizedOperations } = await world.settle(
      world.admin.describeCluster({ includeAuthorizedOperations: true }),
    )
    expect({ clusterId, controller: controller?.id, nodes: nodes.map(String), authorizedOperations }).toEqual(
      {
        clusterId: 'scripted',
        controller: 1,
        nodes: ['(1) broker-1:9092', '(2) broker-2:9092'],
        authorizedOperations: null,
      },
    )
  })
})

describe('the handle', () => {
  it('serves errors and statistics in poll only, and tells its listeners by itself', async () => {
    const [errors, documents, told]: [string[], string[], string[]] = [[], [], []]
    const world = await AdminWorld.make({
      error_cb: (error) => errors.push(error.name()),
      stats_cb: (json) => documents.push(JSON.parse(json).type),
      'statistics.interval.ms': 1000,
    })
    world.admin.on('error', (error) => told.push(error.name))
    expect((await world.settle(world.admin.listTopics())).controllerId).toBe(1)
    world.cluster.stop(1)
    await world.cluster.advance(1500)
    expect(errors).toEqual([])
    expect(told).toContain('KafkaException')
    expect(world.admin.length).toBe(world.admin.len())
    expect(await world.settle(world.admin.poll(0))).toBeGreaterThan(1)
    expect(errors).toContain('_ALL_BROKERS_DOWN')
    expect(documents).toEqual(['producer'])
    expect(world.admin.len()).toBe(0)
  })

  it('needs a configuration, of properties that exist', () => {
    expect(() => new AdminClient()).toThrow(TypeError)
    expect(() => new AdminClient({ 'bootstrap.server': 'x' } as object)).toThrow(KafkaException)
  })
})
