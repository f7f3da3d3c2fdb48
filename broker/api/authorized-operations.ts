/**
 * The operations that the asking principal may do on a resource (KIP-430), as a bit field of Kafka's operation ids. Without an
 * authorizer that is every operation the resource type has.
 */
import type { RequestContext } from '../network/request-context.ts'

export const AclOperation = {
  READ: 3,
  WRITE: 4,
  CREATE: 5,
  DELETE: 6,
  ALTER: 7,
  DESCRIBE: 8,
  CLUSTER_ACTION: 9,
  DESCRIBE_CONFIGS: 10,
  ALTER_CONFIGS: 11,
  IDEMPOTENT_WRITE: 12,
} as const

function bitField(operations: readonly number[]): number {
  return operations.reduce((bits, operation) => bits | (1 << operation), 0)
}

const {
  READ,
  WRITE,
  CREATE,
  DELETE,
  ALTER,
  DESCRIBE,
  CLUSTER_ACTION,
  DESCRIBE_CONFIGS,
  ALTER_CONFIGS,
  IDEMPOTENT_WRITE,
} = AclOperation
const TOPIC = bitField([READ, WRITE, CREATE, DESCRIBE, DELETE, ALTER, DESCRIBE_CONFIGS, ALTER_CONFIGS])
const CLUSTER = bitField([
  CREATE,
  CLUSTER_ACTION,
  DESCRIBE_CONFIGS,
  ALTER_CONFIGS,
  IDEMPOTENT_WRITE,
  ALTER,
  DESCRIBE,
])
const GROUP = bitField([READ, DESCRIBE, DELETE, DESCRIBE_CONFIGS, ALTER_CONFIGS])

export function topicOperations(_context: RequestContext, _topic: string): number {
  return TOPIC
}

export function clusterOperations(_context: RequestContext): number {
  return CLUSTER
}

export function groupOperations(_context: RequestContext, _groupId: string): number {
  return GROUP
}
