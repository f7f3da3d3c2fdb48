/**
 * Where the leader is now, beside an error that says "not here" (KIP-951). Only real values are sent: a client believes them.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { RequestContext } from '../network/request-context.ts'

export interface LeaderHint {
  readonly leaderId: number
  readonly leaderEpoch: number
}

function speaksOfLeader(error: ErrorCode): boolean {
  return error === ErrorCode.NOT_LEADER_OR_FOLLOWER || error === ErrorCode.FENCED_LEADER_EPOCH
}

/**
 * @param partition the replica here, or what the metadata says when there is none
 * @returns undefined when the error does not speak of the leader or it is not known; collects what it returns in `hints`
 */
export function currentLeaderOf(
  error: ErrorCode,
  partition: LeaderHint | undefined,
  hints: LeaderHint[],
): LeaderHint | undefined {
  if (!speaksOfLeader(error)) return undefined
  if (partition === undefined || partition.leaderId < 0) return undefined
  const hint = { leaderId: partition.leaderId, leaderEpoch: partition.leaderEpoch }
  hints.push(hint)
  return hint
}

/** What share answers name where no error speaks of the leader. */
export const NO_HINT: LeaderHint = { leaderId: 0, leaderEpoch: 0 }
const NO_LEADER = -1
const UNKNOWN_EPOCH = -1

/**
 * As `currentLeaderOf`, for the answers of share groups (KIP-932): their field is always there, so a leader that is asked for and not known
 * is said to be unknown. Zeros beside such an error would send the client to broker 0.
 *
 * @param partition the replica here, or undefined when the metadata is to say
 */
export function shareLeaderOf(
  { broker }: RequestContext,
  at: { readonly topicId: string; readonly partition: number },
  error: ErrorCode,
  partition: LeaderHint | undefined,
  hints: LeaderHint[],
): LeaderHint {
  if (!speaksOfLeader(error)) return NO_HINT
  const known = partition ?? broker.metadata.topicsById.get(at.topicId)?.partitions[at.partition]
  const unknown = { leaderId: NO_LEADER, leaderEpoch: known?.leaderEpoch ?? UNKNOWN_EPOCH }
  return currentLeaderOf(error, known, hints) ?? unknown
}

/** The addresses of the hinted leaders on the listener that was asked, each once. */
export function nodeEndpointsOf(
  context: RequestContext,
  hints: readonly LeaderHint[],
): { nodeId: number; host: string; port: number; rack: string | null }[] {
  const { broker, connection } = context
  return [...new Set(hints.map(({ leaderId }) => leaderId))].flatMap((nodeId) => {
    const endpoint = broker.endpointOf(nodeId, connection.listener.name)
    if (endpoint === undefined) return []
    return [
      {
        nodeId,
        host: endpoint.host,
        port: endpoint.port,
        rack: broker.metadata.brokers.get(nodeId)?.rack ?? null,
      },
    ]
  })
}
