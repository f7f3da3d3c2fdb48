/**
 * Membership in a group of the consumer protocol (KIP-848): one heartbeat carries everything, the coordinator assigns, and
 * the member reconciles what it owns with what it is told, first giving up, then taking, then saying so.
 *
 * Level-triggered like the classic one: `#proceed` does the next thing that is possible. The member id is made here
 * (KIP-1082) and stays for the life of the consumer.
 */
import {
  ConsumerGroupHeartbeat,
  type ConsumerGroupHeartbeatResponse,
} from '../../common/protocol/apis/68-consumer-group-heartbeat.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { Timer } from '../../common/runtime/scheduler.ts'
import type { ClientCore } from '../client-core.ts'
import { KafkaError } from '../errors.ts'
import type { GroupEvent } from '../events/event-maps.ts'
import { TopicPartition } from '../values/topic-partition.ts'
import { type GroupCoordinator, isCoordinatorCode } from './group-coordinator.ts'
import { heartbeatIntervalOf } from './heartbeat-interval.ts'
import type { MemberIdentity, Membership, MembershipHooks } from './membership.ts'

const JOIN_EPOCH = 0
const LEAVE_EPOCH = -1
const STATIC_LEAVE_EPOCH = -2

const firstIntervalMs = 3000
const refusedPauseMs = 1000
const leaveTimeoutMs = 3000

type Target = ConsumerGroupHeartbeatResponse['assignment']

export class ConsumerMembership implements Membership {
  readonly #core: ClientCore
  readonly #coordinator: GroupCoordinator
  readonly #hooks: MembershipHooks
  readonly #memberId: string
  readonly #groupInstanceId: string | null
  #epoch = JOIN_EPOCH
  #isJoined = false
  #intervalMs = firstIntervalMs
  /** What the coordinator wants this member to own; undefined before it told. */
  #target: NonNullable<Target>['topicPartitions'] | undefined
  /** What the application was given of the target. It may have declined: it is not asked again. */
  readonly #given = new Set<string>()
  /** What it was told that this member holds. */
  #told: string | undefined
  #isSubscriptionNew = false
  /** The next regular heartbeat asks for the assignment, by saying everything. */
  #isToldAgain = false
  #isLost = false
  #isAway = false
  #left: (() => void)[] | undefined
  /** The partitions of the rebalance that is with the application; undefined while there is none. */
  #inHand: readonly TopicPartition[] | undefined
  #isOut = false
  /** Changes when the answer that is still out has become meaningless. */
  #round = 0
  #timer: Timer | undefined
  #isClosed = false
  #toldCode = 0
  rebalanceCount = 0
  rebalanceReason = ''
  #joinStartedMs = 0
  rebalancedAtMs = 0

  constructor(core: ClientCore, coordinator: GroupCoordinator, hooks: MembershipHooks) {
    this.#core = core
    this.#coordinator = coordinator
    this.#hooks = hooks
    this.#memberId = core.runtime.random.uuid()
    this.#groupInstanceId = core.config.get('group.instance.id') ?? null
  }

  get identity(): MemberIdentity {
    return {
      memberId: this.#memberId,
      generationId: this.#isJoined ? this.#epoch : -1,
      groupInstanceId: this.#groupInstanceId,
    }
  }

  get isMember(): boolean {
    return this.#isJoined || this.#isOut
  }

  get rebalanceProtocol(): 'none' | 'eager' | 'cooperative' {
    return this.#isJoined ? 'cooperative' : 'none'
  }

  get stateName(): string {
    return this.#coordinator.isKnown ? 'up' : 'wait-coord'
  }

  get joinStateName(): string {
    if (!this.#isJoined) return this.#isOut ? 'wait-join' : 'init'
    return this.#isWaiting ? 'wait-assign-call' : 'steady'
  }

  subscriptionChanged(): void {
    this.#isAway = false
    this.#isSubscriptionNew = true
    this.#heartbeatSoon(0)
  }

  metadataUpdated(): void {
    if (!this.#isClosed) this.#proceed()
  }

  rejoin(): void {
    this.#isAway = false
    this.#heartbeatSoon(0)
  }

  leave(_reason: string, left?: () => void): void {
    this.#left = [...(this.#left ?? []), ...(left === undefined ? [] : [left])]
    if (this.#hooks.withdrawRebalance()) this.#inHand = undefined
    this.#proceed()
  }

  pollOverdue(): void {
    this.#isAway = true
    if (this.#hooks.withdrawRebalance()) this.#inHand = undefined
    this.#sendLeave(() => {})
    this.#isLost = true
    this.#forget()
    this.#proceed()
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
  }

  get #isWaiting(): boolean {
    return this.#inHand !== undefined
  }

  #proceed(): void {
    if (this.#isClosed || this.#isWaiting) return
    if (this.#isLost) {
      this.#isLost = false
      const owned = this.#hooks.owned()
      if (owned.length > 0) {
        this.#rebalance('lost', owned, false)
        return
      }
    }
    if (this.#left !== undefined) this.#giveUp(this.#left)
    else if (this.#isJoined) this.#reconcile()
  }

  #giveUp(left: readonly (() => void)[]): void {
    const owned = this.#hooks.owned()
    if (owned.length > 0) {
      this.#rebalance('revoke', owned, true)
      return
    }
    this.#left = undefined
    this.#sendLeave(() => {
      for (const done of left) done()
      if (!this.#isClosed && this.#hooks.subscription() !== undefined) this.#heartbeatSoon(0)
    })
    this.#forget()
  }

  #sendLeave(done: () => void): void {
    if (!this.#isJoined || !this.#coordinator.isKnown) {
      done()
      return
    }
    const event = this.#event()
    this.#coordinator.request({
      api: ConsumerGroupHeartbeat,
      body: {
        groupId: this.#coordinator.groupId,
        memberId: this.#memberId,
        memberEpoch: this.#groupInstanceId === null ? LEAVE_EPOCH : STATIC_LEAVE_EPOCH,
        instanceId: this.#groupInstanceId,
      },
      timeoutMs: leaveTimeoutMs,
      done: () => {
        this.#core.notifier.tell('group-leave', event)
        done()
      },
    })
  }

  #forget(): void {
    this.#round++
    this.#isOut = false
    this.#isJoined = false
    this.#epoch = JOIN_EPOCH
    this.#target = undefined
    this.#given.clear()
    this.#told = undefined
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #rebalance(
    kind: 'assign' | 'revoke' | 'lost',
    partitions: readonly TopicPartition[],
    isIncremental = true,
  ): void {
    this.#inHand = partitions
    this.rebalanceCount++
    this.rebalancedAtMs = this.#core.runtime.clock.monotonicMs()
    this.#hooks.rebalance({
      kind,
      partitions,
      isIncremental,
      done: () => {
        this.#inHand = undefined
        this.#proceed()
      },
    })
  }

  #reconcile(): void {
    if (this.#target === undefined) return
    const { cache } = this.#core.metadata
    const wanted = new Map<string, TopicPartition>()
    let isUnresolved = false
    for (const { topicId, partitions } of this.#target) {
      const topic = cache.topicById(topicId)
      if (topic === undefined) {
        isUnresolved = true
        continue
      }
      for (const id of partitions) {
        const partition = new TopicPartition(topic.name, id)
        wanted.set(partition.key(), partition)
      }
    }
    if (isUnresolved) {
      this.#core.metadata.refreshSoon('an assigned topic is not known')
      // Where there is no such topic, a complete heartbeat gets the assignment told again.
      this.#isToldAgain = true
    }
    const owned = this.#hooks.owned()
    const ownedKeys = new Set(owned.map((entry) => entry.key()))
    const revoked = owned.filter((entry) => !wanted.has(entry.key()))
    for (const key of this.#given) if (!wanted.has(key)) this.#given.delete(key)
    const added = [...wanted.values()]
      .filter((entry) => !ownedKeys.has(entry.key()) && !this.#given.has(entry.key()))
      .sort(TopicPartition.compare)
    if (revoked.length > 0) this.#rebalance('revoke', revoked)
    else if (added.length > 0) {
      for (const entry of added) this.#given.add(entry.key())
      this.#rebalance('assign', added)
    } else if (this.#told !== keyOf(owned)) this.#heartbeatSoon(0)
  }

  #heartbeatSoon(delayMs: number): void {
    if (this.#isClosed) return
    this.#timer?.cancel()
    const label = `heartbeat to group ${this.#coordinator.groupId}`
    this.#timer = this.#core.runtime.scheduler.schedule(label, delayMs, () => {
      this.#timer = undefined
      this.#heartbeat()
    })
  }

  #heartbeat(): void {
    const subscription = this.#hooks.subscription()
    if (this.#isOut || this.#isAway || this.#left !== undefined || subscription === undefined) return
    // Joining says that nothing is owned.
    if (!this.#isJoined && (this.#isWaiting || this.#hooks.owned().length > 0)) {
      this.#heartbeatSoon(this.#core.config.get('retry.backoff.ms'))
      return
    }
    const { config } = this.#core
    const isFull = !this.#isJoined || this.#isSubscriptionNew || this.#isToldAgain
    if (!this.#isJoined) this.#joinStartedMs = this.#core.runtime.clock.monotonicMs()
    const tellsHeld = isFull || (!this.#isWaiting && keyOf(this.#held()) !== this.#told)
    let toldKey: string | undefined
    const rack = config.get('client.rack')
    const expression = subscription.expressions.join('|')
    this.#isSubscriptionNew = false
    this.#isToldAgain = false
    this.#isOut = true
    const round = this.#round
    this.#coordinator.request({
      api: ConsumerGroupHeartbeat,
      // Version 1 knows of expressions, and of member ids made by clients.
      minVersion: expression === '' ? 0 : 1,
      body: (version) => {
        // As of now: while the request waited for the coordinator, the application may have taken more.
        const held = this.#held()
        toldKey = keyOf(held)
        return {
          groupId: this.#coordinator.groupId,
          memberId: version === 0 && !this.#isJoined ? '' : this.#memberId,
          memberEpoch: this.#epoch,
          instanceId: this.#groupInstanceId,
          ...(isFull
            ? {
                rackId: rack === '' ? null : rack,
                rebalanceTimeoutMs: config.get('max.poll.interval.ms'),
                subscribedTopicNames: [...subscription.literals],
                ...(version >= 1 ? { subscribedTopicRegex: expression } : {}),
                serverAssignor: config.get('group.remote.assignor') ?? null,
              }
            : {}),
          topicPartitions: !this.#isJoined ? [] : tellsHeld ? this.#byId(held) : null,
        }
      },
      timeoutMs: Math.min(config.get('socket.timeout.ms'), Math.max(this.#intervalMs * 3, 10_000)),
      done: (result) => {
        if (round !== this.#round || this.#isClosed) return
        this.#isOut = false
        if (!result.ok) {
          this.#failed(result.error)
          return
        }
        if (result.response.errorCode === ErrorCode.NONE) {
          if (tellsHeld) this.#told = toldKey
          this.#answered(result.response)
        } else this.#refused(result.response.errorCode, result.response.errorMessage)
      },
    })
  }

  #answered(response: ConsumerGroupHeartbeatResponse): void {
    if (response.memberEpoch <= JOIN_EPOCH) {
      this.#refused(ErrorCode.FENCED_MEMBER_EPOCH, null)
      return
    }
    this.#toldCode = 0
    const isNew = !this.#isJoined || this.#epoch !== response.memberEpoch
    this.#isJoined = true
    this.#epoch = response.memberEpoch
    this.#intervalMs = heartbeatIntervalOf(response.heartbeatIntervalMs)
    if (response.assignment !== null) this.#target = response.assignment.topicPartitions
    this.#heartbeatSoon(this.#isSubscriptionNew ? 0 : this.#intervalMs)
    this.#core.notifier.tell('heartbeat', this.#event())
    if (isNew) {
      this.#hooks.onIdentity()
      this.#tellJoin()
    }
    this.#proceed()
  }

  #event(): GroupEvent {
    return { groupId: this.#coordinator.groupId, memberId: this.#memberId, generationId: this.#epoch }
  }

  #tellJoin(): void {
    const durationMs = this.#core.runtime.clock.monotonicMs() - this.#joinStartedMs
    const join = { ...this.#event(), isLeader: false, leaderId: '', protocolName: '', durationMs }
    this.#core.notifier.tell('group-join', join)
  }

  #failed(error: KafkaError): void {
    const code = error.code()
    // The coordinator may not have seen it: say everything again.
    this.#isSubscriptionNew = true
    this.#told = undefined
    const isHopeless = code === KafkaError._UNSUPPORTED_FEATURE
    if (isHopeless || code >= -1) this.#tell(code, error.str())
    this.#heartbeatSoon(isHopeless || code >= -1 ? refusedPauseMs : this.#core.config.get('retry.backoff.ms'))
  }

  #refused(code: number, message: string | null): void {
    this.#coordinator.note(code)
    this.#isSubscriptionNew = true
    // Who was a member joins again at once; who is refused while joining does not insist.
    const rejoinAfterMs = this.#isJoined ? 0 : this.#core.config.get('retry.backoff.ms')
    switch (code) {
      case ErrorCode.UNKNOWN_MEMBER_ID:
      case ErrorCode.FENCED_MEMBER_EPOCH:
        if (this.#hooks.withdrawRebalance()) this.#inHand = undefined
        this.#isLost = true
        this.rebalanceReason = 'the member was fenced'
        this.#forget()
        this.#heartbeatSoon(rejoinAfterMs)
        this.#proceed()
        return
      case ErrorCode.UNRELEASED_INSTANCE_ID:
      case ErrorCode.FENCED_INSTANCE_ID:
        this.#isAway = true
        this.#isLost = true
        this.#forget()
        this.#hooks.onFatal(
          new KafkaError(
            code,
            message ?? `group.instance.id ${this.#groupInstanceId} is held by another member`,
            {
              fatal: true,
            },
          ),
        )
        this.#proceed()
        return
    }
    if (isCoordinatorCode(code)) {
      this.#heartbeatSoon(this.#core.config.get('retry.backoff.ms'))
      return
    }
    this.#tell(code, message)
    this.#heartbeatSoon(refusedPauseMs)
  }

  #tell(code: number, message: string | null): void {
    if (this.#toldCode === code) return
    this.#toldCode = code
    this.#hooks.onError(
      new KafkaError(code, `ConsumerGroupHeartbeat: ${message ?? new KafkaError(code).str()}`),
    )
  }

  /**
   * What nobody else may get yet: what is owned, and what is with the application, which may take it, or commit what it gives
   * up, long after the coordinator has asked for it back.
   */
  #held(): TopicPartition[] {
    const both = [...this.#hooks.owned(), ...(this.#inHand ?? [])]
    return [...new Map(both.map((entry) => [entry.key(), entry])).values()]
  }

  #byId(held: readonly TopicPartition[]): { topicId: string; partitions: number[] }[] {
    const byId = new Map<string, number[]>()
    for (const { topic, partition } of held) {
      const topicId = this.#core.metadata.cache.topic(topic)?.topicId
      if (topicId === undefined) continue
      const known = byId.get(topicId)
      if (known === undefined) byId.set(topicId, [partition])
      else known.push(partition)
    }
    return [...byId].map(([topicId, partitions]) => ({ topicId, partitions }))
  }
}

function keyOf(partitions: readonly TopicPartition[]): string {
  return partitions
    .map((entry) => entry.key())
    .sort()
    .join()
}
