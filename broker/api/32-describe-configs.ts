/**
 * Behaviour: the settings of topics, brokers (their own or, for the empty name, the cluster's defaults), broker loggers, client-metrics
 *   subscriptions and groups, with where each value comes from. A broker knows only its own settings and loggers, so those must be
 *   asked of that broker. Subscriptions and groups need not exist. Keys nobody knows are left out silently.
 * Versions: v1 sources and synonyms (KIP-226); v3 types and documentation (KIP-569).
 * Errors: per resource UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION, INVALID_REQUEST for names that are not this broker's or are
 *   empty. A resource type that does not exist refuses the whole request with INVALID_REQUEST.
 * Deviations: entries come in alphabetical order, Kafka's in that of a hash map.
 */
import { DescribeConfigs } from '../../common/protocol/apis/32-describe-configs.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { RequestOf, ResponseInputOf } from '../../common/protocol/schema.ts'
import {
  type DescribedConfig,
  type DescribeOptions,
  describeBroker,
  describeBrokerDefault,
  describeBrokerLogger,
  describeClientMetrics,
  describeGroup,
  describeTopic,
} from '../config/describe.ts'
import { describedNameError } from '../config/resource-names.ts'
import { checkTopicName } from '../controller/topic-names.ts'
import { ConfigResourceType } from '../metadata/image.ts'
import type { BrokerServices } from '../services.ts'
import { defineHandler } from './handler.ts'

type Request = RequestOf<typeof DescribeConfigs>
type Response = ResponseInputOf<typeof DescribeConfigs>
type Resource = Request['resources'][number]
type Result = Response['results'][number]

const RESOURCE_TYPES: ReadonlySet<number> = new Set(Object.values(ConfigResourceType))

function refused(resource: Resource, errorCode: ErrorCode, errorMessage: string): Result {
  const { resourceType, resourceName } = resource
  return { errorCode, errorMessage, resourceType, resourceName, configs: [] }
}

/** The entries of a resource whose name was found good. */
function entriesOf(
  broker: BrokerServices,
  resource: Resource,
  options: DescribeOptions,
): readonly DescribedConfig[] {
  const { settings, metadata } = broker
  const { resourceType, resourceName } = resource
  switch (resourceType) {
    case ConfigResourceType.TOPIC:
      return describeTopic(settings.levels, metadata.configsOf(resourceType, resourceName), options)
    case ConfigResourceType.BROKER:
      return resourceName === ''
        ? describeBrokerDefault(metadata.configsOf(resourceType, ''), options)
        : describeBroker(settings.levels, options)
    case ConfigResourceType.BROKER_LOGGER:
      return describeBrokerLogger(broker.loggers.levels, options)
    case ConfigResourceType.CLIENT_METRICS:
      return describeClientMetrics(metadata.configsOf(resourceType, resourceName), options)
    case ConfigResourceType.GROUP:
      return describeGroup(settings.levels, metadata.configsOf(resourceType, resourceName), options)
    default:
      return []
  }
}

function describe(broker: BrokerServices, resource: Resource, request: Request): Result {
  const { resourceType, resourceName } = resource
  const nameError = describedNameError(resourceType, resourceName, broker.nodeId)
  if (nameError !== null) return refused(resource, ErrorCode.INVALID_REQUEST, nameError)
  if (resourceType === ConfigResourceType.TOPIC) {
    const { error, message } = checkTopicName(resourceName)
    if (error !== ErrorCode.NONE) return refused(resource, error, message ?? '')
    if (!broker.metadata.topicsByName.has(resourceName)) {
      return refused(resource, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, '')
    }
  }
  const { includeSynonyms, includeDocumentation } = request
  const entries = entriesOf(broker, resource, {
    keys: resource.configurationKeys,
    includeSynonyms,
    includeDocumentation,
  })
  const configs = entries.map(({ isDefault: _, synonyms, ...entry }) => ({
    ...entry,
    synonyms: [...synonyms],
  }))
  return { errorCode: ErrorCode.NONE, errorMessage: '', resourceType, resourceName, configs }
}

export const describeConfigs = defineHandler(DescribeConfigs, {
  versions: '1-4',
  runsOn: 'any',
  handle: ({ broker }, request) => {
    const unknown = request.resources.find(({ resourceType }) => !RESOURCE_TYPES.has(resourceType))
    if (unknown !== undefined) {
      const { resourceType, resourceName } = unknown
      const message = describedNameError(resourceType, resourceName, broker.nodeId)
      return refuse(request, ErrorCode.INVALID_REQUEST, message ?? undefined)
    }
    return { results: request.resources.map((resource) => describe(broker, resource, request)) }
  },
  refuse,
})

function refuse(request: Request, error: Exclude<ErrorCode, 0>, message?: string): Response {
  return { results: request.resources.map((resource) => refused(resource, error, message ?? '')) }
}
