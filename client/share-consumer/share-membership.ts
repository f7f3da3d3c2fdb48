/**
 * Membership in a share group (KIP-932): heartbeats say what is subscribed, their answers what is assigned. Nothing is owned, so
 * nothing is given back: a new assignment simply takes the place of the old one. The member id is made here and stays for the life of
 * the consumer.
 */
import {
  ShareGroupHeartbeat,
  type ShareGroupHeartbeatResponse,
} from '../../common/protocol/apis/76-share-group-heartbeat.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { Timer } from '../../common/runtime/scheduler.ts'
import type { ClientCore } from '../client-core.ts'
import { type GroupCoordinator, isCoordinatorCode } from '../consumer/group-coordinator.ts'
import { heartbeatIntervalOf } from '../consumer/heartbeat-interval.ts'
import { KafkaError } from '../errors.ts'

const JOIN_EPOCH = 0
const LEAVE_EPOCH = -1

const firstIntervalMs = 3000
const refusedPauseMs = 1000
const leaveTimeoutMs = 3000

export interface ShareAssignment {
  readonly topicId: string
  readonly partitions: readonly number[]
}

export interface ShareMembershipHooks {
  readonly onAssignment: () => void
  /** The member is unknown to the coordinator: its sessions are worth nothing. */
  readonly onFenced: () => void
  /** What trying again does not cure. */
  readonly onError: (error: KafkaError) => void
}

export class ShareMembership {
  readonly memberId: string
  assignment: readonly ShareAssignment[] = []
  readonly #core: ClientCore
  readonly #coordinator: GroupCoordinator
  readonly #hooks: ShareMembershipHooks
  #topics: readonly string[] = []
  #epoch = JOIN_EPOCH
  /** What the coordinator knows of the subscription. */
  #toldTopics: string | undefined
  #intervalMs = firstIntervalMs
  #isOut = false
  /** Changes when the answer that is still out has become meaningless. */
  #round = 0
  #timer: Timer | undefined
  #isClosed = false

  constructor(core: ClientCore, coordinator: GroupCoordinator, hooks: ShareMembershipHooks) {
    this.#core = core
    this.#coordinator = coordinator
    this.#hooks = hooks
    this.memberId = core.runtime.random.uuid()
  }

  get isJoined(): boolean {
    return this.#epoch > JOIN_EPOCH
  }

  /** Joins with these topics, or tells of them. */
  subscribe(topics: readonly string[]): void {
    this.#topics = topics
    this.#heartbeatSoon(0)
  }

  /** `left` is called when nothing more is sent. */
  leave(left: () => void): void {
    this.#topics = []
    const wasOut = this.#isOut
    const wasJoined = this.isJoined
    this.#forget()
    this.assignment = []
    if (!this.#coordinator.isKnown || (!wasJoined && !wasOut)) {
      left()
      return
    }
    this.#coordinator.request({
      api: ShareGroupHeartbeat,
      body: { groupId: this.#coordinator.groupId, memberId: this.memberId, memberEpoch: LEAVE_EPOCH },
      timeoutMs: leaveTimeoutMs,
      done: left,
    })
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
  }

  #forget(): void {
    this.#round++
    this.#isOut = false
    this.#epoch = JOIN_EPOCH
    this.#toldTopics = undefined
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #heartbeatSoon(delayMs: number): void {
    if (this.#isClosed) return
    this.#timer?.cancel()
    const label = `heartbeat to share group ${this.#coordinator.groupId}`
    this.#timer = this.#core.runtime.scheduler.schedule(label, delayMs, () => {
      this.#timer = undefined
      this.#heartbeat()
    })
  }

  #heartbeat(): void {
    if (this.#isOut || this.#topics.length === 0) return
    const { config } = this.#core
    const topics = this.#topics.join()
    const isFull = !this.isJoined || topics !== this.#toldTopics
    const rack = config.get('client.rack')
    this.#isOut = true
    const round = this.#round
    this.#coordinator.request({
      api: ShareGroupHeartbeat,
      body: {
        groupId: this.#coordinator.groupId,
        memberId: this.memberId,
        memberEpoch: this.#epoch,
        ...(isFull ? { rackId: rack === '' ? null : rack, subscribedTopicNames: [...this.#topics] } : {}),
      },
      timeoutMs: Math.min(config.get('socket.timeout.ms'), Math.max(this.#intervalMs * 3, 10_000)),
      done: (result) => {
        if (round !== this.#round || this.#isClosed) return
        this.#isOut = false
        if (!result.ok) this.#failed(result.error)
        else if (result.response.errorCode === ErrorCode.NONE) {
          this.#toldTopics = topics
          this.#answered(result.response)
        } else this.#refused(result.response.errorCode, result.response.errorMessage)
      },
    })
  }

  #answered(response: ShareGroupHeartbeatResponse): void {
    if (response.memberEpoch <= JOIN_EPOCH) {
      this.#refused(ErrorCode.FENCED_MEMBER_EPOCH, null)
      return
    }
    this.#epoch = response.memberEpoch
    this.#intervalMs = heartbeatIntervalOf(response.heartbeatIntervalMs)
    if (response.assignment !== null) {
      this.assignment = response.assignment.topicPartitions
      this.#hooks.onAssignment()
    }
    this.#heartbeatSoon(this.#topics.join() === this.#toldTopics ? this.#intervalMs : 0)
  }

  #failed(error: KafkaError): void {
    const code = error.code()
    // The coordinator may not have seen it: say everything again.
    this.#toldTopics = undefined
    const isHopeless = code === KafkaError._UNSUPPORTED_FEATURE || code >= -1
    if (isHopeless) this.#hooks.onError(error)
    this.#heartbeatSoon(isHopeless ? refusedPauseMs : this.#core.config.get('retry.backoff.ms'))
  }

  #refused(code: number, message: string | null): void {
    this.#coordinator.note(code)
    this.#toldTopics = undefined
    if (code === ErrorCode.UNKNOWN_MEMBER_ID || code === ErrorCode.FENCED_MEMBER_EPOCH) {
      // Who was a member joins again at once; who is refused while joining does not insist.
      const rejoinAfterMs = this.isJoined ? 0 : this.#core.config.get('retry.backoff.ms')
      this.#forget()
      this.assignment = []
      this.#hooks.onFenced()
      this.#heartbeatSoon(rejoinAfterMs)
      return
    }
    if (isCoordinatorCode(code)) {
      this.#heartbeatSoon(this.#core.config.get('retry.backoff.ms'))
      return
    }
    const text = `ShareGroupHeartbeat: ${message ?? new KafkaError(code).str()}`
    this.#hooks.onError(new KafkaError(code, text))
    this.#heartbeatSoon(refusedPauseMs)
  }
}
