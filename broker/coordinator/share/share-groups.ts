/**
 * Share groups as the group coordinator offers them: membership, description and their end. Their offsets are in
 * `share-group-offsets.ts`, what they have of the share coordinator in `share-state-steps.ts`.
 */
import { ErrorCode, errorInfo } from '../../../common/protocol/errors.ts'
import { Deferred } from '../../../common/runtime/deferred.ts'
import type { Outcome } from '../../statemachine/state-machine.ts'
import type { CoordinatorRecord } from '../coordinator-record.ts'
import type { CoordinatorService } from '../coordinator-service.ts'
import type { GroupShard } from '../group/shard.ts'
import { type DescribedShareGroup, describeShareGroup, failShareDescribe } from './share-describe.ts'
import { ShareGroup } from './share-group.ts'
import { shareGroupTombstones, shareStateTopicsRecord } from './share-group-records.ts'
import {
  checkShareHeartbeat,
  type ShareHeartbeatAnswer,
  type ShareHeartbeatRequest,
  shareHeartbeat,
  shareHeartbeatError,
} from './share-heartbeat.ts'
import { allStateTopics, withDeleting, withoutTopics } from './share-state.ts'
import type { ShareStateSteps } from './share-state-steps.ts'

type StateTopics = ReturnType<typeof allStateTopics>

const NOTHING: readonly CoordinatorRecord[] = []
const NO_TOPICS: StateTopics = new Map()

export class ShareGroups {
  readonly #service: CoordinatorService<GroupShard>
  readonly #steps: ShareStateSteps

  constructor(service: CoordinatorService<GroupShard>, steps: ShareStateSteps) {
    this.#service = service
    this.#steps = steps
  }

  heartbeat(request: ShareHeartbeatRequest): Deferred<ShareHeartbeatAnswer> {
    const invalid = checkShareHeartbeat(request)
    if (invalid !== undefined) return Deferred.of(invalid)
    return this.#service
      .write(request.groupId, 'share heartbeat', (shard) => shareHeartbeat(shard.state, request))
      .map((result) => {
        if (result.error !== ErrorCode.NONE) return shareHeartbeatError(result.error)
        const { answer, initialization } = result.value
        if (initialization !== undefined) this.#steps.initialize(initialization)
        return answer
      })
  }

  describe(groupId: string): Deferred<DescribedShareGroup> {
    if (groupId === '') return Deferred.of(failShareDescribe(groupId, ErrorCode.INVALID_GROUP_ID))
    return this.#service
      .read(groupId, 'share group describe', (shard) => describeShareGroup(shard.state, groupId))
      .map((result) =>
        result.error === ErrorCode.NONE
          ? result.value
          : failShareDescribe(groupId, result.error, errorInfo(result.error).message),
      )
  }

  /** @returns undefined when the group is not a share group: others decide then */
  delete(groupId: string): Deferred<ErrorCode | undefined> {
    return this.#service
      .write(
        groupId,
        'share group delete',
        (shard): Outcome<{ error: ErrorCode | undefined; topics: StateTopics }, CoordinatorRecord> => {
          const group = shard.state.groups.get(groupId)
          if (!(group instanceof ShareGroup))
            return { records: NOTHING, response: { error: undefined, topics: NO_TOPICS } }
          if (!group.isEmpty)
            return { records: NOTHING, response: { error: ErrorCode.NON_EMPTY_GROUP, topics: NO_TOPICS } }
          const topics = allStateTopics(group.statePartitions)
          const names = new Map([...topics].map(([topicId, { topicName }]) => [topicId, topicName]))
          const record = shareStateTopicsRecord(groupId, withDeleting(group.statePartitions, names))
          return { records: [record], response: { error: ErrorCode.NONE, topics } }
        },
      )
      .flatMap((result) => {
        if (result.error !== ErrorCode.NONE) return Deferred.of<ErrorCode | undefined>(result.error)
        const { error, topics } = result.value
        if (error !== ErrorCode.NONE) return Deferred.of(error)
        return this.#steps.delete(groupId, topics).flatMap((errors) => {
          const failed = [...errors.values()][0]
          if (failed !== undefined) return Deferred.of<ErrorCode | undefined>(failed)
          return this.#service
            .write(groupId, 'share group tombstones', (shard) => {
              const group = shard.state.groups.get(groupId)
              const isGone = group instanceof ShareGroup && group.isEmpty
              return { records: isGone ? shareGroupTombstones(group) : NOTHING, response: undefined }
            })
            .map((written): ErrorCode | undefined => written.error)
        })
      })
  }

  /** Topics are gone: so is what the groups knew of them. Their state at the share coordinator goes with them there. */
  onTopicsDeleted(topicIds: ReadonlySet<string>): void {
    this.#service.writeAll('share state of deleted topics', (shard) => {
      const records: CoordinatorRecord[] = []
      for (const group of shard.state.groups.values()) {
        if (!(group instanceof ShareGroup)) continue
        const { initializing, initialized, deleting } = group.statePartitions
        const known = [...initializing.keys(), ...initialized.keys(), ...deleting.keys()]
        if (!known.some((topicId) => topicIds.has(topicId))) continue
        records.push(shareStateTopicsRecord(group.groupId, withoutTopics(group.statePartitions, topicIds)))
      }
      return { records, response: undefined }
    })
  }
}
