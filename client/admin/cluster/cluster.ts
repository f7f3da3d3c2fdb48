/** `describeCluster`: its brokers, its controller, and what the caller may do with it. */
import { Metadata } from '../../../common/protocol/apis/03-metadata.ts'
import { DescribeCluster } from '../../../common/protocol/apis/60-describe-cluster.ts'
import { ErrorCode } from '../../../common/protocol/errors.ts'
import type { AclOperation } from '../../constants.ts'
import { KafkaError, KafkaException } from '../../errors.ts'
import { Node } from '../../values/cluster-metadata.ts'
import type { AdminCall } from '../admin-call.ts'
import type { AdminEngine } from '../admin-engine.ts'
import { type AdminOptions, type AuthorizedOptions, OptionReader } from '../admin-options.ts'
import { authorizedOperations } from '../authorized-operations.ts'

export interface DescribeClusterResult {
  readonly clusterId: string | null
  /** Under KRaft any broker that takes requests for the controller; null when none is known. */
  readonly controller: Node | null
  readonly nodes: readonly Node[]
  /** null when they were not asked for. */
  readonly authorizedOperations: readonly AclOperation[] | null
}

export async function describeCluster(
  engine: AdminEngine,
  options?: AdminOptions & AuthorizedOptions,
): Promise<DescribeClusterResult> {
  const reader = new OptionReader(options)
  const withOperations = reader.flag('includeAuthorizedOperations')
  return await engine.single(reader.limits(), async (call) => {
    try {
      return await describe(call, withOperations)
    } catch (error) {
      const isOlder =
        error instanceof KafkaException && error.error.code() === KafkaError._UNSUPPORTED_FEATURE
      if (!isOlder) throw error
      return await describeByMetadata(call, withOperations)
    }
  })
}

async function describe(call: AdminCall, withOperations: boolean): Promise<DescribeClusterResult> {
  const { response } = await call.ask(
    { kind: 'any' },
    { api: DescribeCluster, body: { includeClusterAuthorizedOperations: withOperations } },
  )
  const { errorCode, errorMessage, clusterId, controllerId, brokers, clusterAuthorizedOperations } = response
  if (errorCode !== ErrorCode.NONE) {
    throw new KafkaException(new KafkaError(errorCode, errorMessage || undefined))
  }
  const nodes = brokers.map(({ brokerId, host, port, rack }) => new Node(brokerId, host, port, rack))
  return {
    clusterId,
    controller: nodes.find(({ id }) => id === controllerId) ?? null,
    nodes,
    authorizedOperations: authorizedOperations(clusterAuthorizedOperations),
  }
}

/** Brokers before Kafka 2.8. The operations came with 2.3. */
async function describeByMetadata(call: AdminCall, withOperations: boolean): Promise<DescribeClusterResult> {
  const { response } = await call.ask(
    { kind: 'any' },
    {
      api: Metadata,
      minVersion: 4,
      maxVersion: 10,
      body: (version) => ({
        topics: [],
        allowAutoTopicCreation: false,
        ...(withOperations && version >= 8 ? { includeClusterAuthorizedOperations: true } : {}),
      }),
    },
  )
  const nodes = response.brokers.map(({ nodeId, host, port, rack }) => new Node(nodeId, host, port, rack))
  return {
    clusterId: response.clusterId,
    controller: nodes.find(({ id }) => id === response.controllerId) ?? null,
    nodes,
    authorizedOperations: authorizedOperations(response.clusterAuthorizedOperations),
  }
}
