/**
 * What a member of the classic protocol asks of its coordinator: JoinGroup, SyncGroup, LeaveGroup. One attempt each; when to
 * ask, and what the answers mean, is `ClassicMembership`'s to know.
 */
import { JoinGroup } from '../../common/protocol/apis/11-join-group.ts'
import { LeaveGroup } from '../../common/protocol/apis/13-leave-group.ts'
import { SyncGroup } from '../../common/protocol/apis/14-sync-group.ts'
import type { ClientCore } from '../client-core.ts'
import type { RequestResult } from '../connections/request.ts'
import type { TopicPartition } from '../values/topic-partition.ts'
import type { Assignor } from './assignors/assignor.ts'
import { encodeSubscription } from './classic-protocol.ts'
import type { GroupCoordinator } from './group-coordinator.ts'
import type { EncodedAssignment } from './group-leader.ts'
import type { MemberIdentity } from './membership.ts'

/** What the broker needs beyond the rebalance time to answer a JoinGroup. */
const joinSlackMs = 5000
const leaveTimeoutMs = 3000

/** What a member joins with. */
export interface JoinWish {
  readonly topics: readonly string[]
  /** Told by those assignors that let members keep what they own. */
  readonly owned: readonly TopicPartition[]
  /** In the order of preference. */
  readonly assignors: readonly Assignor[]
}

export class ClassicRequests {
  readonly #core: ClientCore
  readonly #coordinator: GroupCoordinator
  readonly #identity: () => MemberIdentity

  /** @param identity asked when a request leaves: while it waited for the coordinator, the member may have lost its place */
  constructor(core: ClientCore, coordinator: GroupCoordinator, identity: () => MemberIdentity) {
    this.#core = core
    this.#coordinator = coordinator
    this.#identity = identity
  }

  join(
    { topics, owned, assignors }: JoinWish,
    done: (result: RequestResult<typeof JoinGroup>) => void,
  ): void {
    const { config } = this.#core
    const rebalanceTimeoutMs = config.get('max.poll.interval.ms')
    const rack = config.get('client.rack')
    const metadataOf = (assignor: Assignor, generationId: number): Buffer =>
      encodeSubscription(
        topics,
        assignor.isCooperative ? owned : [],
        generationId,
        rack === '' ? null : rack,
        assignor.userData(generationId),
      )
    this.#coordinator.request({
      api: JoinGroup,
      // A static member (KIP-345) that an older broker took for a dynamic one would never leave.
      minVersion: this.#identity().groupInstanceId === null ? 0 : 5,
      body: (version) => {
        const { memberId, generationId, groupInstanceId } = this.#identity()
        return {
          groupId: this.#coordinator.groupId,
          sessionTimeoutMs: config.get('session.timeout.ms'),
          rebalanceTimeoutMs,
          memberId,
          ...(version >= 5 ? { groupInstanceId } : {}),
          protocolType: config.get('group.protocol.type'),
          protocols: assignors.map((assignor) => ({
            name: assignor.name,
            metadata: metadataOf(assignor, generationId),
          })),
        }
      },
      timeoutMs: rebalanceTimeoutMs + joinSlackMs,
      done,
    })
  }

  /** @param assignments of the whole group, where the member leads it */
  sync(
    protocolName: string | null,
    assignments: EncodedAssignment[],
    done: (result: RequestResult<typeof SyncGroup>) => void,
  ): void {
    const { config } = this.#core
    this.#coordinator.request({
      api: SyncGroup,
      body: (version) => {
        const { memberId, generationId, groupInstanceId } = this.#identity()
        return {
          groupId: this.#coordinator.groupId,
          generationId,
          memberId,
          ...(version >= 3 ? { groupInstanceId } : {}),
          ...(version >= 5 ? { protocolType: config.get('group.protocol.type'), protocolName } : {}),
          assignments,
        }
      },
      timeoutMs: config.get('max.poll.interval.ms') + joinSlackMs,
      done,
    })
  }

  /** @param isAside a JoinGroup or SyncGroup is out, and what comes after it on its connection would wait for its answer */
  leave(memberId: string, isAside: boolean, done: () => void): void {
    const { groupId } = this.#coordinator
    this.#coordinator.request({
      api: LeaveGroup,
      body: (version) => (version >= 3 ? { groupId, members: [{ memberId }] } : { groupId, memberId }),
      timeoutMs: leaveTimeoutMs,
      done: () => done(),
      isAside,
    })
  }
}
