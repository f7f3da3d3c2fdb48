/**
 * Behaviour: names of the resources that can be configured: topics and live brokers (and their loggers) whether they have settings of
 *   their own or not, groups and client-metrics subscriptions when they have. No type given means all types.
 * Versions: v0 (ListClientMetricsResources, KIP-714) lists subscriptions only; v1 takes types (KIP-1142).
 * Errors: UNSUPPORTED_VERSION for a type that does not exist.
 * Deviations: none.
 */
import { ListConfigResources } from '../../common/protocol/apis/74-list-config-resources.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { ConfigResourceType } from '../metadata/image.ts'
import type { RequestContext } from '../network/request-context.ts'
import { defineHandler } from './handler.ts'
import { liveBrokers } from './topic-view.ts'

/** In the order of Kafka's answer. */
const TYPES: readonly number[] = [
  ConfigResourceType.GROUP,
  ConfigResourceType.CLIENT_METRICS,
  ConfigResourceType.BROKER_LOGGER,
  ConfigResourceType.BROKER,
  ConfigResourceType.TOPIC,
]

function namesOf({ broker, connection }: RequestContext, type: number): readonly string[] {
  switch (type) {
    case ConfigResourceType.GROUP:
    case ConfigResourceType.CLIENT_METRICS:
      return broker.metadata.configuredResources(type)
    case ConfigResourceType.BROKER_LOGGER:
    case ConfigResourceType.BROKER:
      return liveBrokers(broker, connection.listener.name).map(({ nodeId }) => String(nodeId))
    case ConfigResourceType.TOPIC:
      return [...broker.metadata.topicsByName.keys()]
    default:
      return []
  }
}

export const listConfigResources = defineHandler(ListConfigResources, {
  versions: '0-1',
  runsOn: 'any',
  handle: (context, request) => {
    const asked = context.apiVersion === 0 ? [ConfigResourceType.CLIENT_METRICS] : request.resourceTypes
    if (asked.some((type) => !TYPES.includes(type))) {
      return { errorCode: ErrorCode.UNSUPPORTED_VERSION, configResources: [] }
    }
    const types = asked.length === 0 ? TYPES : TYPES.filter((type) => asked.includes(type))
    return {
      errorCode: ErrorCode.NONE,
      configResources: types.flatMap((resourceType) =>
        namesOf(context, resourceType).map((resourceName) => ({ resourceName, resourceType })),
      ),
    }
  },
  refuse: (_request, error) => ({ errorCode: error, configResources: [] }),
})
