/**
 * Behaviour: the brokers of the cluster (KIP-700). Asked for controllers on a broker's listener it refuses.
 * Versions: v1 endpoint type (KIP-919); v2 may list fenced brokers (KIP-1073).
 * Errors: UNSUPPORTED_ENDPOINT_TYPE for a type other than brokers; MISMATCHED_ENDPOINT_TYPE for controllers on a broker's listener.
 * Deviations: none.
 */
import { DescribeCluster } from '../../common/protocol/apis/60-describe-cluster.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { clusterOperations } from './authorized-operations.ts'
import { defineHandler } from './handler.ts'
import { activeControllerId, liveBrokers } from './topic-view.ts'

const ENDPOINT_BROKERS = 1
const ENDPOINT_CONTROLLERS = 2

export const describeCluster = defineHandler(DescribeCluster, {
  versions: '0-2',
  runsOn: 'any',
  handle: (context, request) => {
    const { broker, connection } = context
    const base = { clusterId: broker.clusterId, brokers: [], endpointType: ENDPOINT_BROKERS }
    if (request.endpointType === ENDPOINT_CONTROLLERS) {
      const errorMessage = `The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER`
      return { ...base, errorCode: ErrorCode.MISMATCHED_ENDPOINT_TYPE, errorMessage, clusterId: '' }
    }
    if (request.endpointType !== ENDPOINT_BROKERS) {
      const errorMessage = `Unsupported endpoint type ${request.endpointType}`
      return { ...base, errorCode: ErrorCode.UNSUPPORTED_ENDPOINT_TYPE, errorMessage, clusterId: '' }
    }
    const listenerName = connection.listener.name
    const live = liveBrokers(broker, listenerName).map(({ nodeId, ...view }) => ({
      brokerId: nodeId,
      ...view,
      isFenced: false,
    }))
    const fenced = request.includeFencedBrokers
      ? [...broker.metadata.brokers.values()].flatMap(({ id, isFenced, rack, endpoints }) => {
          const endpoint = endpoints.find((candidate) => candidate.listenerName === listenerName)
          return isFenced && endpoint !== undefined
            ? [{ brokerId: id, host: endpoint.host, port: endpoint.port, rack, isFenced }]
            : []
        })
      : []
    return {
      ...base,
      errorCode: ErrorCode.NONE,
      controllerId: activeControllerId(broker),
      brokers: [...live, ...fenced],
      ...(request.includeClusterAuthorizedOperations
        ? { clusterAuthorizedOperations: clusterOperations(context) }
        : {}),
    }
  },
  refuse: (request, error, message) => ({
    errorCode: error,
    errorMessage: message ?? null,
    clusterId: '',
    brokers: [],
    endpointType: request.endpointType,
  }),
})
