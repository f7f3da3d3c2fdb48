/**
 * Membership in a group of the classic protocol: JoinGroup, SyncGroup, LeaveGroup; static members (KIP-345);
 * eager and incremental rebalances (KIP-429).
 *
 *     idle ─► joining ─► (leader: assigning) ─► syncing ─► stable
 *
 * Level-triggered: whatever happens sets a wish (join, lose, leave) and calls `#proceed`, which does the next thing that is
 * possible. While a rebalance is with the application (`#isWaiting`) or a request of the state is out, nothing else begins.
 * What is sent is in `classic-requests.ts` and `classic-heartbeat.ts`, what the leader does for the group in `group-leader.ts`.
 */
import type { JoinGroupResponse } from '../../common/protocol/apis/11-join-group.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { Timer } from '../../common/runtime/scheduler.ts'
import type { ClientCore } from '../client-core.ts'
import { KafkaError } from '../errors.ts'
import type { TopicPartition } from '../values/topic-partition.ts'
import type { Assignor } from './assignors/assignor.ts'
import { assignorNamed } from './assignors/assignors.ts'
import { ClassicHeartbeat } from './classic-heartbeat.ts'
import { decodeAssignment } from './classic-protocol.ts'
import { ClassicRequests } from './classic-requests.ts'
import { type GroupCoordinator, isCoordinatorCode } from './group-coordinator.ts'
import { type EncodedAssignment, GroupLeader } from './group-leader.ts'
import type { MemberIdentity, Membership, MembershipHooks } from './membership.ts'

type State = 'idle' | 'joining' | 'assigning' | 'syncing' | 'stable'

/** Pause after a join that was refused for good reasons. */
const refusedPauseMs = 1000
/** So many answers in a row may lead to another join without a pause. */
const joinsAtOnce = 3

export class ClassicMembership implements Membership {
  readonly #core: ClientCore
  readonly #coordinator: GroupCoordinator
  readonly #hooks: MembershipHooks
  readonly #assignors: readonly Assignor[]
  readonly #groupInstanceId: string | null
  #memberId = ''
  #generationId = -1
  #state: State = 'idle'
  #assignor: Assignor | undefined
  /** Wishes. */
  #wantsJoin = false
  #isLost = false
  #left: (() => void)[] | undefined
  #isAway = false
  /** A rebalance is with the application. */
  #isWaiting = false
  /** Changes when answers that are still out have become meaningless. */
  #round = 0
  #joinedTopics: readonly string[] = []
  readonly #requests: ClassicRequests
  readonly #leader: GroupLeader
  readonly #heartbeat: ClassicHeartbeat
  #retryTimer: Timer | undefined
  #isClosed = false
  rebalanceCount = 0
  rebalanceReason = ''
  #leaderId = ''
  #joinStartedMs = 0
  rebalancedAtMs = 0
  #toldCode = 0
  /** Joins that ended with an answer that asks for the next one, since the last that was taken. */
  #repeatedJoins = 0

  constructor(core: ClientCore, coordinator: GroupCoordinator, hooks: MembershipHooks) {
    this.#core = core
    this.#coordinator = coordinator
    this.#hooks = hooks
    this.#groupInstanceId = core.config.get('group.instance.id') ?? null
    this.#requests = new ClassicRequests(core, coordinator, () => this.identity)
    this.#leader = new GroupLeader(core)
    this.#heartbeat = new ClassicHeartbeat(core, coordinator, {
      identity: () => this.identity,
      isStable: () => this.#state === 'stable',
      round: () => this.#round,
      answered: (code) => {
        if (!this.#isClosed) this.#heartbeatAnswered(code)
      },
      expired: () => this.#lose('no heartbeat was answered within session.timeout.ms', ''),
    })
    this.#assignors = core.config
      .get('partition.assignment.strategy')
      .map(assignorNamed)
      .filter((assignor) => assignor !== undefined)
  }

  get identity(): MemberIdentity {
    return {
      memberId: this.#memberId,
      generationId: this.#generationId,
      groupInstanceId: this.#groupInstanceId,
    }
  }

  get isMember(): boolean {
    return this.#memberId !== '' || this.#state !== 'idle'
  }

  get rebalanceProtocol(): 'none' | 'eager' | 'cooperative' {
    if (this.#assignor === undefined) return 'none'
    return this.#assignor.isCooperative ? 'cooperative' : 'eager'
  }

  get stateName(): string {
    return this.#coordinator.isKnown ? 'up' : 'wait-coord'
  }

  get joinStateName(): string {
    const names = {
      idle: 'init',
      joining: 'wait-join',
      assigning: 'wait-metadata',
      syncing: 'wait-sync',
      stable: this.#isWaiting ? 'wait-assign-call' : 'steady',
    }
    return names[this.#state]
  }

  subscriptionChanged(): void {
    this.#isAway = false
    this.#wishJoin('the subscription changed')
  }

  rejoin(): void {
    this.#isAway = false
    this.#wishJoin('the application polls again')
  }

  metadataUpdated(): void {
    if (this.#isClosed) return
    this.#checkTopics()
    this.#leader.metadataUpdated()
    this.#proceed()
  }

  /** Joins again when the group is stable on topics that are not the present ones. */
  #checkTopics(): void {
    const topics = this.#hooks.topics()
    if (this.#state === 'stable' && topics !== undefined && !isSameList(topics, this.#joinedTopics)) {
      this.#wishJoin('the topics of the subscription changed')
    } else if (this.#state === 'stable' && this.#leader.hasChanged) {
      this.#wishJoin('the partitions of the topics changed')
    }
  }

  leave(_reason: string, left?: () => void): void {
    this.#left = [...(this.#left ?? []), ...(left === undefined ? [] : [left])]
    // An answer that comes while the application gives its partitions back would assign it new ones.
    this.#round++
    if (this.#hooks.withdrawRebalance()) this.#isWaiting = false
    this.#proceed()
  }

  pollOverdue(): void {
    this.#isAway = true
    if (this.#hooks.withdrawRebalance()) this.#isWaiting = false
    this.#sendLeave(() => {})
    this.#isLost = true
    this.#forget('')
    this.#proceed()
  }

  close(): void {
    this.#isClosed = true
    this.#heartbeat.stop()
    this.#retryTimer?.cancel()
    this.#leader.resign()
  }

  #wishJoin(reason: string): void {
    if (!this.#wantsJoin) {
      this.rebalanceReason = reason
      this.#core.logger.debug('cgrp', 'REJOIN', `Joining ${this.#coordinator.groupId}: ${reason}`)
    }
    this.#wantsJoin = true
    this.#proceed()
  }

  #proceed(): void {
    if (this.#isClosed || this.#isWaiting) return
    if (this.#isLost) {
      this.#isLost = false
      const owned = this.#hooks.owned()
      if (owned.length > 0) {
        this.#rebalance('lost', owned)
        return
      }
    }
    if (this.#left !== undefined) {
      this.#giveUp(this.#left)
      return
    }
    const isJoining = this.#state === 'joining' || this.#state === 'assigning' || this.#state === 'syncing'
    if (!this.#wantsJoin || this.#isAway || isJoining || this.#retryTimer !== undefined) return
    if (this.#hooks.subscription() === undefined) return
    const topics = this.#hooks.topics()
    if (topics === undefined) return
    const owned = this.#hooks.owned()
    if (this.rebalanceProtocol === 'eager' && owned.length > 0) {
      this.#rebalance('revoke', owned)
      return
    }
    this.#join(topics, owned)
  }

  #giveUp(left: readonly (() => void)[]): void {
    const owned = this.#hooks.owned()
    if (owned.length > 0) {
      this.#rebalance('revoke', owned)
      return
    }
    this.#left = undefined
    const finish = (): void => {
      for (const done of left) done()
      this.#proceed()
    }
    this.#sendLeave(finish)
    this.#forget('')
    this.#assignor = undefined
  }

  /** Members with an instance id keep their place. */
  #sendLeave(done: () => void): void {
    const memberId = this.#memberId
    if (memberId === '' || this.#groupInstanceId !== null || !this.#coordinator.isKnown) {
      done()
      return
    }
    const { groupId } = this.#coordinator
    const generationId = this.#generationId
    const isBehindJoin = this.#state === 'joining' || this.#state === 'syncing'
    this.#requests.leave(memberId, isBehindJoin, () => {
      this.#core.notifier.tell('group-leave', { groupId, memberId, generationId })
      done()
    })
  }

  /** Outside the group, from here on. */
  #forget(memberId: string): void {
    this.#memberId = memberId
    this.#generationId = -1
    this.#state = 'idle'
    this.#round++
    this.#leader.drop()
    this.#heartbeat.stop()
    if (this.#hooks.subscription() !== undefined) this.#wantsJoin = true
  }

  #rebalance(
    kind: 'assign' | 'revoke' | 'lost',
    partitions: readonly TopicPartition[],
    isIncremental = this.rebalanceProtocol === 'cooperative' && kind !== 'lost',
    then: () => void = () => {},
  ): void {
    this.#isWaiting = true
    this.#hooks.rebalance({
      kind,
      partitions,
      isIncremental,
      done: () => {
        this.#isWaiting = false
        then()
        this.#proceed()
      },
    })
  }

  #join(topics: readonly string[], owned: readonly TopicPartition[]): void {
    this.#wantsJoin = false
    this.#state = 'joining'
    this.#joinStartedMs = this.#core.runtime.clock.monotonicMs()
    this.#joinedTopics = topics
    const round = ++this.#round
    this.#core.logger.debug('cgrp', 'JOIN', `Joining ${this.#coordinator.groupId} as "${this.#memberId}"`)
    this.#requests.join({ topics, owned, assignors: this.#assignors }, (result) => {
      if (round !== this.#round || this.#isClosed) return
      if (!result.ok) this.#retry(result.error)
      else if (result.response.errorCode === ErrorCode.NONE) this.#joined(result.response)
      else this.#refused(result.response.errorCode, result.response.memberId)
    })
  }

  #joined(response: JoinGroupResponse): void {
    this.#leaderId = response.leader
    this.#toldCode = 0
    this.#memberId = response.memberId
    this.#generationId = response.generationId
    this.#assignor = this.#assignors.find(({ name }) => name === response.protocolName)
    this.rebalanceCount++
    this.rebalancedAtMs = this.#core.runtime.clock.monotonicMs()
    const isLeader = response.leader === response.memberId
    if (!isLeader || response.skipAssignment) {
      if (isLeader) this.#leader.observe(response)
      else this.#leader.resign()
      this.#sync([])
      return
    }
    this.#state = 'assigning'
    const round = this.#round
    this.#leader.lead(response, this.#assignor, (assignments) => {
      if (round === this.#round) this.#sync(assignments)
    })
  }

  #sync(assignments: EncodedAssignment[]): void {
    this.#state = 'syncing'
    const round = this.#round
    this.#requests.sync(this.#assignor?.name ?? null, assignments, (result) => {
      if (round !== this.#round || this.#isClosed) return
      if (!result.ok) this.#retry(result.error)
      else if (result.response.errorCode === ErrorCode.NONE) this.#synced(result.response.assignment)
      else this.#refused(result.response.errorCode, this.#memberId)
    })
  }

  #synced(bytes: Buffer): void {
    this.#repeatedJoins = 0
    this.#reconcile(bytes)
    this.#checkTopics()
  }

  #reconcile(bytes: Buffer): void {
    let assigned: TopicPartition[]
    try {
      assigned = decodeAssignment(bytes)
    } catch {
      this.#hooks.onError(new KafkaError(KafkaError._BAD_MSG, 'The assignment cannot be read'))
      assigned = []
    }
    this.#state = 'stable'
    this.#heartbeat.start()
    this.#hooks.onIdentity()
    this.#tellJoin()
    if (this.rebalanceProtocol !== 'cooperative') {
      this.#rebalance('assign', assigned)
      return
    }
    const owned = this.#hooks.owned()
    const ownedKeys = new Set(owned.map((entry) => entry.key()))
    const assignedKeys = new Set(assigned.map((entry) => entry.key()))
    const added = assigned.filter((entry) => !ownedKeys.has(entry.key()))
    const revoked = owned.filter((entry) => !assignedKeys.has(entry.key()))
    if (revoked.length === 0) {
      this.#rebalance('assign', added)
      return
    }
    this.#rebalance('revoke', revoked, true, () => {
      // What was given up is assigned to others in the next round.
      this.#wantsJoin = true
      if (added.length > 0 && !this.#isLost && this.#left === undefined) this.#rebalance('assign', added)
    })
  }

  #tellJoin(): void {
    const { notifier, runtime } = this.#core
    notifier.tell('group-join', {
      groupId: this.#coordinator.groupId,
      memberId: this.#memberId,
      generationId: this.#generationId,
      isLeader: this.#leaderId === this.#memberId,
      leaderId: this.#leaderId,
      protocolName: this.#assignor?.name ?? '',
      durationMs: runtime.clock.monotonicMs() - this.#joinStartedMs,
    })
  }

  /** An answer that ends the attempt. @param memberId the one the coordinator gave */
  #refused(code: number, memberId: string): void {
    this.#state = 'idle'
    this.#wantsJoin = true
    switch (code) {
      case ErrorCode.MEMBER_ID_REQUIRED:
        this.#memberId = memberId
        this.#joinAgain()
        return
      case ErrorCode.REBALANCE_IN_PROGRESS:
        this.#joinAgain()
        return
      case ErrorCode.UNKNOWN_MEMBER_ID:
      case ErrorCode.ILLEGAL_GENERATION:
        this.#isLost = true
        this.#forget(code === ErrorCode.UNKNOWN_MEMBER_ID ? '' : this.#memberId)
        this.#joinAgain()
        return
      case ErrorCode.FENCED_INSTANCE_ID:
        this.#fenced()
        return
    }
    this.#coordinator.note(code)
    if (isCoordinatorCode(code)) {
      this.#retry(undefined)
      return
    }
    if (this.#toldCode !== code)
      this.#hooks.onError(new KafkaError(code, `JoinGroup: ${new KafkaError(code).str()}`))
    this.#toldCode = code
    this.#retry(undefined, refusedPauseMs)
  }

  /** At once as a rule; a coordinator that asks for it again and again is not obeyed as fast as it answers. */
  #joinAgain(): void {
    this.#repeatedJoins++
    if (this.#repeatedJoins > joinsAtOnce) this.#retry(undefined)
    // What the member owned is lost now, even when the next join waits.
    this.#proceed()
  }

  #fenced(): void {
    const text = `Another member took over group.instance.id ${this.#groupInstanceId}`
    this.#isLost = true
    this.#isAway = true
    this.#forget('')
    this.#hooks.onFatal(new KafkaError(ErrorCode.FENCED_INSTANCE_ID, text, { fatal: true }))
    this.#proceed()
  }

  #retry(error: KafkaError | undefined, pauseMs = this.#core.config.get('retry.backoff.ms')): void {
    this.#state = 'idle'
    this.#wantsJoin = true
    if (error !== undefined) {
      const code = error.code()
      const isHopeless = code === KafkaError._UNSUPPORTED_FEATURE
      if ((isHopeless || code >= -1) && this.#toldCode !== code) {
        this.#toldCode = code
        this.#hooks.onError(error)
      }
      this.#core.logger.debug('cgrp', 'JOINFAIL', `Joining failed: ${error.str()}`)
    }
    this.#retryTimer?.cancel()
    this.#retryTimer = this.#core.runtime.scheduler.schedule('joining the group again', pauseMs, () => {
      this.#retryTimer = undefined
      this.#proceed()
    })
  }

  #heartbeatAnswered(code: number): void {
    switch (code) {
      case ErrorCode.NONE:
        return
      case ErrorCode.REBALANCE_IN_PROGRESS:
        this.#wishJoin('the group rebalances')
        return
      case ErrorCode.UNKNOWN_MEMBER_ID:
        this.#lose('the coordinator does not know the member', '')
        return
      case ErrorCode.ILLEGAL_GENERATION:
        this.#lose('the generation is over', this.#memberId)
        return
      case ErrorCode.FENCED_INSTANCE_ID:
        this.#fenced()
        return
    }
    this.#coordinator.note(code)
    if (isCoordinatorCode(code)) return
    if (this.#toldCode !== code)
      this.#hooks.onError(new KafkaError(code, `Heartbeat: ${new KafkaError(code).str()}`))
    this.#toldCode = code
  }

  #lose(reason: string, memberId: string): void {
    if (this.#hooks.withdrawRebalance()) this.#isWaiting = false
    this.#isLost = true
    this.#forget(memberId)
    this.#wishJoin(reason)
  }
}

function isSameList(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((entry, index) => entry === other[index])
}
