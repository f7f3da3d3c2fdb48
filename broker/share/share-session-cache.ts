/**
 * Share sessions (KIP-932): what each member told this broker of its partitions, so that later requests name only changes. A session lives
 * as long as its connection; when it ends, what the member was handed out is free again.
 *
 * Owner: the share partition manager; memory only. Limit: `group.share.max.share.sessions`.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { Result } from '../statemachine/state-machine.ts'

export interface SharedTopicPartition {
  readonly topicId: string
  readonly partition: number
  /** Of a partition in a session: its topic was there when it was added. */
  readonly wasKnown?: boolean
}

export interface ShareSession {
  readonly groupId: string
  readonly memberId: string
  /** The epoch that the next request must carry. */
  epoch: number
  /** By `topicId partition`, in the order in which they were added. */
  readonly partitions: Map<string, SharedTopicPartition>
  /** Takes back the callback on the connection's end. */
  stopListening: () => void
}

export const INITIAL_EPOCH = 0
export const FINAL_EPOCH = -1
const MAX_EPOCH = 0x7fffffff

export const partitionKeyOf = ({ topicId, partition }: SharedTopicPartition): string =>
  `${topicId} ${partition}`
const sessionKeyOf = (groupId: string, memberId: string): string => `${groupId}\n${memberId}`

export class ShareSessionCache {
  readonly #sessions = new Map<string, ShareSession>()
  readonly #maxSessions: () => number

  constructor(maxSessions: () => number) {
    this.#maxSessions = maxSessions
  }

  get size(): number {
    return this.#sessions.size
  }

  get(groupId: string, memberId: string): ShareSession | undefined {
    return this.#sessions.get(sessionKeyOf(groupId, memberId))
  }

  hasGroup(groupId: string): boolean {
    for (const session of this.#sessions.values()) if (session.groupId === groupId) return true
    return false
  }

  /** A session of the same member is replaced. */
  create(
    groupId: string,
    memberId: string,
    partitions: readonly SharedTopicPartition[],
  ): Result<ShareSession> {
    this.remove(groupId, memberId)
    if (this.#sessions.size >= this.#maxSessions()) return { error: ErrorCode.SHARE_SESSION_LIMIT_REACHED }
    const session: ShareSession = {
      groupId,
      memberId,
      epoch: INITIAL_EPOCH + 1,
      partitions: new Map(partitions.map((partition) => [partitionKeyOf(partition), partition])),
      stopListening: () => undefined,
    }
    this.#sessions.set(sessionKeyOf(groupId, memberId), session)
    return { error: ErrorCode.NONE, value: session }
  }

  /** The session that a later request belongs to; moves its epoch on. */
  advance(groupId: string, memberId: string, epoch: number): Result<ShareSession> {
    const session = this.get(groupId, memberId)
    if (session === undefined) return { error: ErrorCode.SHARE_SESSION_NOT_FOUND }
    if (session.epoch !== epoch) return { error: ErrorCode.INVALID_SHARE_SESSION_EPOCH }
    session.epoch = epoch === MAX_EPOCH ? INITIAL_EPOCH + 1 : epoch + 1
    return { error: ErrorCode.NONE, value: session }
  }

  remove(groupId: string, memberId: string): ShareSession | undefined {
    const session = this.get(groupId, memberId)
    if (session === undefined) return undefined
    session.stopListening()
    this.#sessions.delete(sessionKeyOf(groupId, memberId))
    return session
  }
}
