/**
 * What a share group has of the share coordinator, in steps: what is wanted is written down in the group, asked of the coordinator, and
 * its outcome written down again. A step that is lost is taken again with a later heartbeat or request.
 */
import { ErrorCode } from '../../../common/protocol/errors.ts'
import { Deferred } from '../../../common/runtime/deferred.ts'
import type { Result } from '../../statemachine/state-machine.ts'
import type { CoordinatorService } from '../coordinator-service.ts'
import type { GroupShard } from '../group/shard.ts'
import { type NamedPartitions, ShareGroup, type ShareStatePartitions } from './share-group.ts'
import { shareStateTopicsRecord } from './share-group-records.ts'
import type { SharePersister } from './share-persister.ts'
import { type StateInitialization, withInitialized, withoutInitializing } from './share-state.ts'

export class ShareStateSteps {
  readonly #service: CoordinatorService<GroupShard>
  readonly #persister: SharePersister | undefined

  /** @param persister undefined: there is no share coordinator to ask */
  constructor(service: CoordinatorService<GroupShard>, persister: SharePersister | undefined) {
    this.#service = service
    this.#persister = persister
  }

  /** Sets up state and writes down how that went. @returns errors by `topicId partition` */
  initialize({ groupId, stateEpoch, topics }: StateInitialization): Deferred<Map<string, ErrorCode>> {
    const persister = this.#persister
    const questions = topics.flatMap(({ topicId, partitions }) =>
      partitions.map(({ partition, startOffset }) => ({ topicId, partition, stateEpoch, startOffset })),
    )
    if (persister === undefined || questions.length === 0) return Deferred.of(new Map<string, ErrorCode>())
    return persister.initialize(groupId, questions).flatMap((answers) => {
      const errors = new Map<string, ErrorCode>()
      for (const { topicId, partition, errorCode } of answers)
        if (errorCode !== ErrorCode.NONE) errors.set(`${topicId} ${partition}`, errorCode)
      const pick = (hasFailed: boolean) =>
        new Map(
          topics.flatMap(({ topicId, topicName, partitions }) => {
            const chosen = partitions
              .map(({ partition }) => partition)
              .filter((partition) => errors.has(`${topicId} ${partition}`) === hasFailed)
            return chosen.length === 0 ? [] : [[topicId, { topicName, partitions: new Set(chosen) }] as const]
          }),
        )
      return this.change(groupId, 'share state initialized', (state) =>
        withoutInitializing(withInitialized(state, pick(false)), pick(true)),
      ).map(() => errors)
    })
  }

  /** @returns the first error of each topic that has one */
  delete(groupId: string, topics: ReadonlyMap<string, NamedPartitions>): Deferred<Map<string, ErrorCode>> {
    const persister = this.#persister
    const questions = [...topics].flatMap(([topicId, { partitions }]) =>
      [...partitions].map((partition) => ({ topicId, partition })),
    )
    if (persister === undefined || questions.length === 0) return Deferred.of(new Map<string, ErrorCode>())
    return persister.delete(groupId, questions).map((answers) => {
      const errors = new Map<string, ErrorCode>()
      for (const { topicId, errorCode } of answers)
        if (errorCode !== ErrorCode.NONE && !errors.has(topicId)) errors.set(topicId, errorCode)
      return errors
    })
  }

  /** Writes down what the group has now; `change` may find that there is nothing to write. */
  change(
    groupId: string,
    label: string,
    change: (state: ShareStatePartitions) => ShareStatePartitions | undefined,
  ): Deferred<Result<void>> {
    return this.#service.write(groupId, label, (shard) => {
      const group = shard.state.groups.get(groupId)
      const changed = group instanceof ShareGroup ? change(group.statePartitions) : undefined
      return {
        records: changed === undefined ? [] : [shareStateTopicsRecord(groupId, changed)],
        response: undefined,
      }
    })
  }
}
