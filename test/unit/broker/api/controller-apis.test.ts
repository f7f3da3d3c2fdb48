import { describe, expect, it } from 'vitest'
import { createTopics } from '../../../../broker/api/19-create-topics.ts'
import { deleteTopics } from '../../../../broker/api/20-delete-topics.ts'
import { describeAcls } from '../../../../broker/api/29-describe-acls.ts'
import { createAcls } from '../../../../broker/api/30-create-acls.ts'
import { deleteAcls } from '../../../../broker/api/31-delete-acls.ts'
import { alterConfigs } from '../../../../broker/api/33-alter-configs.ts'
import { createPartitions } from '../../../../broker/api/37-create-partitions.ts'
import { electLeaders } from '../../../../broker/api/43-elect-leaders.ts'
import { incrementalAlterConfigs } from '../../../../broker/api/44-incremental-alter-configs.ts'
import { alterPartitionReassignments } from '../../../../broker/api/45-alter-partition-reassignments.ts'
import { listPartitionReassignments } from '../../../../broker/api/46-list-partition-reassignments.ts'
import { alterClientQuotas } from '../../../../broker/api/49-alter-client-quotas.ts'
import { alterUserScramCredentials } from '../../../../broker/api/51-alter-user-scram-credentials.ts'
import { alterPartition } from '../../../../broker/api/56-alter-partition.ts'
import { updateFeatures } from '../../../../broker/api/57-update-features.ts'
import { brokerRegistration } from '../../../../broker/api/62-broker-registration.ts'
import { brokerHeartbeat } from '../../../../broker/api/63-broker-heartbeat.ts'
import { unregisterBroker } from '../../../../broker/api/64-unregister-broker.ts'
import { allocateProducerIds } from '../../../../broker/api/67-allocate-producer-ids.ts'
import type { Handler } from '../../../../broker/api/handler.ts'
import { BrokerConfig } from '../../../../broker/config/broker-config.ts'
import { staticLevels } from '../../../../broker/config/levels.ts'
import type { RequestContext } from '../../../../broker/network/request-context.ts'
import { NO_MUTATION_QUOTA } from '../../../../broker/quota/mutation-quota.ts'
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../../../common/protocol/codec.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import {
  type ApiSchema,
  type RequestInputOf,
  type ResponseInputOf,
  type ResponseOf,
  ZERO_UUID,
} from '../../../../common/protocol/schema.ts'
import { versionRange } from '../../../../common/protocol/versions.ts'
import { asDeferred } from '../../../../common/runtime/deferred.ts'
import { Harness } from '../controller/harness.ts'

/** Asks a handler as the router does, through the codecs of that version. */
function call<A extends ApiSchema>(
  harness: Harness,
  handler: Handler<A>,
  request: RequestInputOf<A>,
  options: { version?: number; isController?: boolean; settings?: Readonly<Record<string, string>> } = {},
): ResponseOf<A> {
  const { version = versionRange(handler.versions).highest, isController = true, settings = {} } = options
  const config = new BrokerConfig(staticLevels(new Map(Object.entries(settings))))
  const broker = {
    nodeId: 1,
    runtime: harness.sim,
    settings: { config },
    metadata: harness.image,
    quotas: { mutationQuota: () => NO_MUTATION_QUOTA },
    controller: isController ? harness.controller : undefined,
  }
  const context = { broker, apiVersion: version } as unknown as RequestContext
  const decoded = decodeRequest(handler.api, version, encodeRequest(handler.api, version, request))
  const response = asDeferred(handler.handle(context, decoded)).value
  if (response === undefined || typeof response === 'symbol') throw new Error('no response')
  const frame = encodeResponse(handler.api, version, response as ResponseInputOf<A>)
  return decodeResponse(handler.api, version, frame)
}

interface Case {
  readonly name: string
  readonly handler: Handler<ApiSchema>
  readonly versions: string
  ask(harness: Harness, version: number, isController: boolean): unknown
}

function served<A extends ApiSchema>(
  handler: Handler<A>,
  requestOf: (version: number) => RequestInputOf<A>,
): Case {
  return {
    name: handler.api.name,
    handler: handler as unknown as Handler<ApiSchema>,
    versions: handler.versions,
    ask: (harness, version, isController) =>
      call(harness, handler, requestOf(version), { version, isController }),
  }
}

const CASES: readonly Case[] = [
  served(createTopics, () => ({
    topics: [{ name: 'new', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
  })),
  served(deleteTopics, (version) =>
    version < 6
      ? { topicNames: ['orders'], timeoutMs: 1 }
      : { topics: [{ name: 'orders', topicId: ZERO_UUID }], timeoutMs: 1 },
  ),
  served(createAcls, () => ({ creations: [] })),
  served(deleteAcls, () => ({ filters: [] })),
  served(alterConfigs, () => ({
    resources: [{ resourceType: 2, resourceName: 'orders', configs: [{ name: 'retention.ms', value: '1' }] }],
    validateOnly: false,
  })),
  served(createPartitions, () => ({
    topics: [{ name: 'orders', count: 2, assignments: null }],
    timeoutMs: 1,
    validateOnly: false,
  })),
  served(electLeaders, () => ({ topicPartitions: [{ topic: 'orders', partitions: [0] }] })),
  served(incrementalAlterConfigs, () => ({
    resources: [
      {
        resourceType: 2,
        resourceName: 'orders',
        configs: [{ name: 'retention.ms', configOperation: 0, value: '1' }],
      },
    ],
    validateOnly: false,
  })),
  served(alterPartitionReassignments, () => ({
    topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, replicas: [1] }] }],
  })),
  served(listPartitionReassignments, () => ({ topics: null })),
  served(alterClientQuotas, () => ({
    entries: [
      {
        entity: [{ entityType: 'user', entityName: 'alice' }],
        ops: [{ key: 'producer_byte_rate', value: 5, remove: false }],
      },
    ],
    validateOnly: false,
  })),
  served(alterUserScramCredentials, () => ({ deletions: [{ name: 'alice', mechanism: 1 }], upsertions: [] })),
  served(alterPartition, () => ({ brokerId: 1, brokerEpoch: 5, topics: [] })),
  served(updateFeatures, () => ({
    featureUpdates: [{ feature: 'share.version', maxVersionLevel: 2 }],
  })),
  served(brokerRegistration, () => ({
    brokerId: 7,
    clusterId: 'another cluster',
    incarnationId: ZERO_UUID,
    listeners: [],
    features: [],
    rack: null,
  })),
  served(brokerHeartbeat, () => ({
    brokerId: 1,
    brokerEpoch: 5,
    currentMetadataOffset: 0,
    wantFence: false,
    wantShutDown: false,
  })),
  served(unregisterBroker, () => ({ brokerId: 9 })),
  served(allocateProducerIds, () => ({ brokerId: 1, brokerEpoch: 5 })),
]

describe('the APIs of the controller', () => {
  it.each(CASES)('$name is answered in every version, and with NOT_CONTROLLER where there is none', (api) => {
    const { lowest, highest } = versionRange(api.versions)
    for (let version = lowest; version <= highest; version++) {
      const harness = new Harness().addBrokers(1)
      harness.createTopic('orders', [[1]])
      api.ask(harness, version, true)
      const refused = JSON.stringify(api.ask(harness, version, false), (_, value) =>
        typeof value === 'bigint' ? String(value) : value,
      )
      const isAboutController = refused.includes(`"errorCode":${ErrorCode.NOT_CONTROLLER}`)
      const isAboutSecurity = refused.includes('[]') && api.name.endsWith('Acls')
      expect(isAboutController || isAboutSecurity, `v${version}: ${refused}`).toBe(true)
    }
  })

  it('begin nothing that is given no time', () => {
    const harness = new Harness().addBrokers(1)
    harness.createTopic('orders', [[1]])
    const topics = [{ name: 'new', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
    const topicIds = [{ name: 'orders', topicId: ZERO_UUID }]
    const growth = [{ name: 'orders', count: 2, assignments: null }]
    const moves = [{ name: 'orders', partitions: [{ partitionIndex: 0, replicas: [1] }] }]
    for (const timeoutMs of [0, -1]) {
      const answers = [
        call(harness, createTopics, { topics, timeoutMs }).topics,
        call(harness, deleteTopics, { topics: topicIds, timeoutMs }).responses,
        call(harness, createPartitions, { topics: growth, timeoutMs, validateOnly: false }).results,
        [call(harness, electLeaders, { topicPartitions: null, timeoutMs })],
        call(harness, alterPartitionReassignments, { topics: moves, timeoutMs }).responses[0]?.partitions,
      ]
      expect(answers.map((answer) => answer?.map(({ errorCode }) => errorCode))).toEqual(
        answers.map(() => [ErrorCode.REQUEST_TIMED_OUT]),
      )
    }
    expect(harness.image.topicsByName.has('orders')).toBe(true)
    expect(harness.image.topicsByName.has('new')).toBe(false)
  })

  it('keep topics when their deletion is switched off', () => {
    const harness = new Harness().addBrokers(1)
    harness.createTopic('orders', [[1]])
    const settings = { 'delete.topic.enable': 'false' }
    const request = { topicNames: ['orders'], timeoutMs: 1 }
    const errorOf = (version: number) =>
      call(harness, deleteTopics, request, { version, settings }).responses[0]?.errorCode
    expect(errorOf(2)).toBe(ErrorCode.INVALID_REQUEST)
    expect(errorOf(5)).toBe(ErrorCode.TOPIC_DELETION_DISABLED)
    expect(harness.image.topicsByName.has('orders')).toBe(true)
  })

  it('know no ACLs without an authorizer, and group them by resource with one', () => {
    const harness = new Harness()
    const acl = {
      ...{ resourceType: 2, resourceName: 'orders', resourcePatternType: 3 },
      ...{ principal: 'User:alice', host: '*', operation: 3, permissionType: 3 },
    }
    const creations = [acl, { ...acl, operation: 4 }, { ...acl, resourceName: 'other' }]
    const filter = {
      ...{ resourceTypeFilter: 2, resourceNameFilter: null, patternTypeFilter: 1 },
      ...{ principalFilter: null, hostFilter: null, operation: 1, permissionType: 1 },
    }
    expect(call(harness, createAcls, { creations }).results).toMatchObject([
      { errorCode: ErrorCode.SECURITY_DISABLED, errorMessage: 'No Authorizer is configured.' },
      { errorCode: ErrorCode.SECURITY_DISABLED },
      { errorCode: ErrorCode.SECURITY_DISABLED },
    ])
    expect(call(harness, describeAcls, filter).errorCode).toBe(ErrorCode.SECURITY_DISABLED)
    const settings = { 'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer' }
    call(harness, createAcls, { creations }, { settings })
    const { resources } = call(harness, describeAcls, filter, { settings })
    expect(resources.map(({ resourceName, acls }) => [resourceName, acls.length])).toEqual([
      ['orders', 2],
      ['other', 1],
    ])
  })
})
