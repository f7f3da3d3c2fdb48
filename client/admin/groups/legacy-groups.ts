/** `listGroups`, the deprecated predecessor of listing and describing consumer groups: every broker tells of its groups. */
import { DescribeGroups } from '../../../common/protocol/apis/15-describe-groups.ts'
import { ListGroups } from '../../../common/protocol/apis/16-list-groups.ts'
import { ErrorCode } from '../../../common/protocol/errors.ts'
import type { Broker } from '../../connections/broker.ts'
import { KafkaError, KafkaException } from '../../errors.ts'
import { callLimits, type Timeout } from '../../timeouts.ts'
import type { GroupMetadata } from '../../values/cluster-metadata.ts'
import type { AdminCall } from '../admin-call.ts'
import type { AdminEngine } from '../admin-engine.ts'

/** Stands for no limit. */
const longestMs = 3_600_000
/** A coordinator that is still reading its log. */
const retryOn: ReadonlySet<number> = new Set([
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
])

/** @param group only this one; all when absent */
export async function listGroups(
  engine: AdminEngine,
  group?: string | null,
  timeout?: Timeout,
): Promise<GroupMetadata[]> {
  if (group !== undefined && group !== null && typeof group !== 'string') {
    throw new TypeError('group must be a string')
  }
  const { timeoutMs, signal } = callLimits(timeout, longestMs)
  const limits = { requestTimeoutMs: Math.min(timeoutMs, longestMs), signal }
  return await engine.single(limits, async (call) => {
    const brokers = await call.brokers()
    const found = await Promise.all(brokers.map((broker) => groupsOf(call, broker, group ?? null)))
    return found.flat()
  })
}

async function groupsOf(call: AdminCall, broker: Broker, wanted: string | null): Promise<GroupMetadata[]> {
  const target = { kind: 'broker', nodeId: broker.nodeId } as const
  const { response: listed } = await call.ask(target, {
    api: ListGroups,
    body: {},
    codesOf: ({ errorCode }) => [errorCode],
    retryOn,
  })
  if (listed.errorCode !== ErrorCode.NONE) throw new KafkaException(new KafkaError(listed.errorCode))
  const ids = listed.groups.map(({ groupId }) => groupId).filter((id) => wanted === null || id === wanted)
  if (ids.length === 0) return []
  const { response } = await call.ask(target, { api: DescribeGroups, body: { groups: ids } })
  const { host, port } = broker.address
  return response.groups.map((described) => ({
    broker: { id: broker.nodeId, host, port },
    id: described.groupId,
    error: described.errorCode === ErrorCode.NONE ? null : new KafkaError(described.errorCode),
    state: described.groupState,
    protocolType: described.protocolType,
    protocol: described.protocolData,
    members: described.members.map(
      ({ memberId, clientId, clientHost, memberMetadata, memberAssignment }) => ({
        id: memberId,
        clientId,
        clientHost,
        metadata: memberMetadata,
        assignment: memberAssignment,
      }),
    ),
  }))
}
