/**
 * A member by the classic protocol, eager: all is given up when the group is to be balanced anew; the leader of the group assigns in turn.
 */

import {
  decodeAssignment,
  encodeAssignment,
  encodeSubscription,
} from '../../../client/consumer/classic-protocol.ts'
import { JoinGroup } from '../../../common/protocol/apis/11-join-group.ts'
import { Heartbeat } from '../../../common/protocol/apis/12-heartbeat.ts'
import { SyncGroup } from '../../../common/protocol/apis/14-sync-group.ts'
import { ErrorCode, errorName } from '../../../common/protocol/errors.ts'
import { GroupMember } from './group-member.ts'

const SESSION_TIMEOUT_MS = 2_000
const REBALANCE_TIMEOUT_MS = 3_000
const HEARTBEAT_MS = 250
const JOIN_TIMEOUT_MS = 6_000

export class ClassicMember extends GroupMember {
  #attempt = 0

  override get offsetFetchEpoch(): number {
    return -1
  }

  override onExpelled(error: ErrorCode): void {
    if (error === ErrorCode.UNKNOWN_MEMBER_ID) this.memberId = ''
    this.lose()
    this.generation = -1
    this.join()
  }

  override join(): void {
    this.#attempt += 1
    const attempt = this.#attempt
    const again = (): void =>
      this.later(50 + this.random.int(100), 'join again', () => {
        if (attempt === this.#attempt) this.join()
      })
    this.withCoordinator(() => {
      if (attempt !== this.#attempt) return
      const request = {
        groupId: this.groupId,
        sessionTimeoutMs: SESSION_TIMEOUT_MS,
        rebalanceTimeoutMs: REBALANCE_TIMEOUT_MS,
        memberId: this.memberId,
        protocolType: 'consumer',
        protocols: [{ name: 'turns', metadata: encodeSubscription(this.topics, [], -1, null, null) }],
      }
      this.call(this.coordinator, JoinGroup, request, { timeoutMs: JOIN_TIMEOUT_MS }).whenDone((answer) => {
        if (this.isClosed || attempt !== this.#attempt) return
        if (!answer.ok) {
          this.coordinator = -1
          again()
          return
        }
        const { errorCode, memberId, generationId, leader, members } = answer.response
        if (errorCode === ErrorCode.MEMBER_ID_REQUIRED) {
          this.memberId = memberId
          this.join()
          return
        }
        if (errorCode !== ErrorCode.NONE) {
          this.event(`join refused: ${errorName(errorCode)}`)
          if (errorCode === ErrorCode.UNKNOWN_MEMBER_ID) this.memberId = ''
          else this.coordinator = -1
          again()
          return
        }
        this.memberId = memberId
        this.generation = generationId
        this.#sync(attempt, leader === memberId ? members.map((member) => member.memberId) : [], again)
      })
    })
  }

  #sync(attempt: number, members: readonly string[], again: () => void): void {
    const assignments = members.map((memberId, turn) => {
      const topics = new Map<string, number[]>()
      this.partitions.forEach(({ topic, index }, position) => {
        if (position % members.length === turn) topics.set(topic, [...(topics.get(topic) ?? []), index])
      })
      return { memberId, assignment: encodeAssignment(topics) }
    })
    const request = {
      groupId: this.groupId,
      generationId: this.generation,
      memberId: this.memberId,
      protocolType: 'consumer',
      protocolName: 'turns',
      assignments,
    }
    this.call(this.coordinator, SyncGroup, request, { timeoutMs: JOIN_TIMEOUT_MS }).whenDone((answer) => {
      if (this.isClosed || attempt !== this.#attempt) return
      if (!answer.ok || answer.response.errorCode !== ErrorCode.NONE) {
        if (!answer.ok) this.coordinator = -1
        else if (answer.response.errorCode === ErrorCode.UNKNOWN_MEMBER_ID) this.memberId = ''
        else if (answer.response.errorCode === ErrorCode.NOT_COORDINATOR) this.coordinator = -1
        again()
        return
      }
      const given = decodeAssignment(answer.response.assignment)
      this.own(
        this.partitions.filter(({ topic, index }) =>
          given.some((partition) => partition.topic === topic && partition.partition === index),
        ),
      )
      this.#heartbeatLater(attempt)
    })
  }

  #heartbeatLater(attempt: number): void {
    this.later(HEARTBEAT_MS, 'heartbeat', () => {
      if (attempt !== this.#attempt) return
      this.withCoordinator(() => {
        if (attempt !== this.#attempt) return
        const { groupId, memberId, generation } = this
        const request = { groupId, memberId, generationId: generation }
        this.call(this.coordinator, Heartbeat, request).whenDone((answer) => {
          if (this.isClosed || attempt !== this.#attempt) return
          const error = answer.ok ? answer.response.errorCode : undefined
          switch (error) {
            case ErrorCode.NONE:
              break
            case ErrorCode.REBALANCE_IN_PROGRESS:
              this.#attempt += 1
              this.revoke(new Set(), () => this.join())
              return
            case ErrorCode.UNKNOWN_MEMBER_ID:
            case ErrorCode.ILLEGAL_GENERATION:
              this.onExpelled(error)
              return
            default:
              this.coordinator = -1
          }
          this.#heartbeatLater(attempt)
        })
      })
    })
  }
}
