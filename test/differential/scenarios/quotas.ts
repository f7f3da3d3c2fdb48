/** Requests above quotas that no waiting lifts: each on a connection of its own, since it is not heard afterwards. */
import { Fetch } from '../../../common/protocol/apis/01-fetch.ts'
import { CreateTopics } from '../../../common/protocol/apis/19-create-topics.ts'
import { DeleteTopics } from '../../../common/protocol/apis/20-delete-topics.ts'
import { CreatePartitions } from '../../../common/protocol/apis/37-create-partitions.ts'
import { AlterClientQuotas } from '../../../common/protocol/apis/49-alter-client-quotas.ts'
import { ErrorCode } from '../../../common/protocol/errors.ts'
import { ZERO_UUID } from '../../../common/protocol/schema.ts'
import { type Scenario, type Step, step } from '../scenario.ts'
import { batch, filled, topic } from '../support.ts'

function limited(clientId: string, key: string, value: number): Step {
  const entity = [{ entityType: 'client-id', entityName: clientId }]
  return step(`${key} of a client`, AlterClientQuotas, 1, {
    entries: [{ entity, ops: [{ key, value, remove: false }] }],
    validateOnly: false,
  })
}

/** A debt of forty partitions is paid back in more than an hour. */
const mutations: Scenario = {
  name: 'controller-mutation-rate',
  steps: (name) => {
    const clientId = name('m')
    const create = (numPartitions: number) => ({
      topics: [
        { name: name('b'), numPartitions, replicationFactor: 1, assignments: [], configs: [] },
        { name: name('no name'), numPartitions, replicationFactor: 1, assignments: [], configs: [] },
      ],
      timeoutMs: 5_000,
      validateOnly: true,
    })
    const grow = {
      topics: [{ name: name('a'), count: 3, assignments: null }],
      timeoutMs: 5_000,
      validateOnly: true,
    }
    return [
      ...topic(name('a')),
      limited(clientId, 'controller_mutation_rate', 0.01),
      // Counted although it only asks; again until the controller knows of the quota and it was too much.
      step('topics too many', CreateTopics, 7, create(40), {
        on: 'first',
        clientId,
        until: ({ topics }) =>
          topics.some(({ errorCode }) => errorCode === ErrorCode.THROTTLING_QUOTA_EXCEEDED),
      }),
      step('topics too many', CreateTopics, 6, create(1), { on: 'second', clientId }),
      step('for an older client', CreateTopics, 5, create(1), { on: 'third', clientId }),
      step('partitions too many', CreatePartitions, 3, grow, { on: 'fourth', clientId }),
      step('partitions for an older client', CreatePartitions, 2, grow, { on: 'fifth', clientId }),
      step(
        'deletion too much',
        DeleteTopics,
        6,
        { topics: [{ name: name('a'), topicId: ZERO_UUID }], timeoutMs: 5_000 },
        { on: 'sixth', clientId },
      ),
      step(
        'deletion too much',
        DeleteTopics,
        5,
        { topicNames: [name('a')], timeoutMs: 5_000 },
        { on: 'seventh', clientId },
      ),
      step(
        'deletion for an older client',
        DeleteTopics,
        4,
        { topicNames: [name('a')], timeoutMs: 5_000 },
        { on: 'eighth', clientId },
      ),
    ]
  },
}

/** Any batch is more than ten bytes, and given at least once were it not for the quota. */
const fetches: Scenario = {
  name: 'consumer-byte-rate',
  steps: (name) => {
    const clientId = name('f')
    const ask = (sessionEpoch: number) => ({
      maxWaitMs: 0,
      minBytes: 1_000_000,
      sessionId: 0,
      sessionEpoch,
      topics: [
        { topic: name('a'), partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 }] },
      ],
    })
    return [
      ...topic(name('a')),
      filled(name('a'), batch({ count: 3 })),
      limited(clientId, 'consumer_byte_rate', 1),
      step('without a session', Fetch, 12, ask(-1), {
        on: 'first',
        clientId,
        until: ({ responses }) => responses.length === 0,
      }),
      step('for a session', Fetch, 12, ask(0), { on: 'second', clientId }),
      step('before sessions', Fetch, 4, ask(-1), { on: 'third', clientId }),
    ]
  },
}

export const quotaScenarios: readonly Scenario[] = [mutations, fetches]
