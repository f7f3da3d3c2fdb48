/**
 * Asks the share coordinators of the cluster (APIs 83 to 87): each partition at the broker that leads its partition of
 * `__share_group_state`. Coordinators that move or load are asked again, at most `ATTEMPTS` times.
 */
import { InitializeShareGroupState } from '../../../common/protocol/apis/83-initialize-share-group-state.ts'
import { ReadShareGroupState } from '../../../common/protocol/apis/84-read-share-group-state.ts'
import { WriteShareGroupState } from '../../../common/protocol/apis/85-write-share-group-state.ts'
import { DeleteShareGroupState } from '../../../common/protocol/apis/86-delete-share-group-state.ts'
import { ReadShareGroupStateSummary } from '../../../common/protocol/apis/87-read-share-group-state-summary.ts'
import { ErrorCode } from '../../../common/protocol/errors.ts'
import type { ApiSchema, RequestInputOf, ResponseOf } from '../../../common/protocol/schema.ts'
import type { CallResult } from '../../../common/rpc/channel.ts'
import { Deferred } from '../../../common/runtime/deferred.ts'
import type { Scheduler } from '../../../common/runtime/scheduler.ts'
import type { MetadataImage } from '../../metadata/image.ts'
import { SHARE_STATE_TOPIC } from '../../topic-names.ts'
import { partitionForKey } from '../coordinator-service.ts'
import { coordinatorKeyOf } from './share-state-records.ts'
import type { PartitionError, PartitionState, PartitionSummary, StateWrite } from './share-state-shard.ts'

export interface TopicPartitionId {
  readonly topicId: string
  readonly partition: number
}

export type PersisterAnswer<Answer> = TopicPartitionId & (Answer | PartitionError)

/** What leaders of shared partitions and group coordinators ask for. Answers come in the order of the questions. */
export interface SharePersister {
  initialize(
    groupId: string,
    partitions: readonly (TopicPartitionId & { readonly stateEpoch: number; readonly startOffset: number })[],
  ): Deferred<PersisterAnswer<PartitionError>[]>
  read(
    groupId: string,
    partitions: readonly (TopicPartitionId & { readonly leaderEpoch: number })[],
  ): Deferred<PersisterAnswer<PartitionState>[]>
  write(
    groupId: string,
    partitions: readonly (TopicPartitionId & StateWrite)[],
  ): Deferred<PersisterAnswer<PartitionError>[]>
  delete(
    groupId: string,
    partitions: readonly TopicPartitionId[],
  ): Deferred<PersisterAnswer<PartitionError>[]>
  readSummary(
    groupId: string,
    partitions: readonly (TopicPartitionId & { readonly leaderEpoch: number })[],
  ): Deferred<PersisterAnswer<PartitionSummary>[]>
}

export interface NetworkSharePersisterOptions {
  readonly scheduler: Scheduler
  readonly metadata: () => MetadataImage
  readonly createStateTopic: () => void
  readonly call: <A extends ApiSchema>(
    brokerId: number,
    api: A,
    request: RequestInputOf<A>,
  ) => Deferred<CallResult<ResponseOf<A>>>
}

const ATTEMPTS = 10
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 2_000

type Results = readonly { readonly topicId: string; readonly partitions: readonly PartitionError[] }[]

/** A state API: all five name partitions by topic and answer in the same form. */
interface StateApi<Item> {
  readonly label: string
  send(brokerId: number, groupId: string, topics: readonly TopicItems<Item>[]): Deferred<Results | undefined>
}

interface TopicItems<Item> {
  readonly topicId: string
  readonly partitions: readonly Item[]
}

export class NetworkSharePersister implements SharePersister {
  readonly #options: NetworkSharePersisterOptions

  constructor(options: NetworkSharePersisterOptions) {
    this.#options = options
  }

  initialize(
    groupId: string,
    partitions: readonly (TopicPartitionId & { readonly stateEpoch: number; readonly startOffset: number })[],
  ): Deferred<PersisterAnswer<PartitionError>[]> {
    return this.#ask(groupId, partitions, {
      label: 'initialize',
      send: (brokerId, group, topics) =>
        this.#send(brokerId, InitializeShareGroupState, { groupId: group, topics }),
    })
  }

  read(
    groupId: string,
    partitions: readonly (TopicPartitionId & { readonly leaderEpoch: number })[],
  ): Deferred<PersisterAnswer<PartitionState>[]> {
    return this.#ask(groupId, partitions, {
      label: 'read',
      send: (brokerId, group, topics) =>
        this.#send(brokerId, ReadShareGroupState, { groupId: group, topics }),
    })
  }

  write(
    groupId: string,
    partitions: readonly (TopicPartitionId & StateWrite)[],
  ): Deferred<PersisterAnswer<PartitionError>[]> {
    return this.#ask(groupId, partitions, {
      label: 'write',
      send: (brokerId, group, topics) =>
        this.#send(brokerId, WriteShareGroupState, { groupId: group, topics }),
    })
  }

  delete(
    groupId: string,
    partitions: readonly TopicPartitionId[],
  ): Deferred<PersisterAnswer<PartitionError>[]> {
    return this.#ask(groupId, partitions, {
      label: 'delete',
      send: (brokerId, group, topics) =>
        this.#send(brokerId, DeleteShareGroupState, { groupId: group, topics }),
    })
  }

  readSummary(
    groupId: string,
    partitions: readonly (TopicPartitionId & { readonly leaderEpoch: number })[],
  ): Deferred<PersisterAnswer<PartitionSummary>[]> {
    return this.#ask(groupId, partitions, {
      label: 'read summary',
      send: (brokerId, group, topics) =>
        this.#send(brokerId, ReadShareGroupStateSummary, { groupId: group, topics }),
    })
  }

  #send<A extends ApiSchema>(
    brokerId: number,
    api: A,
    request: RequestInputOf<A>,
  ): Deferred<Results | undefined> {
    return this.#options
      .call(brokerId, api, request)
      .map((answer) => (answer.ok ? (answer.response as unknown as { results: Results }).results : undefined))
  }

  #ask<Item extends TopicPartitionId, Answer>(
    groupId: string,
    items: readonly Item[],
    api: StateApi<Item>,
  ): Deferred<PersisterAnswer<Answer>[]> {
    const answers = new Map<Item, PersisterAnswer<Answer>>()
    const done = new Deferred<PersisterAnswer<Answer>[]>()
    const finish = () => done.complete(items.map((item) => answers.get(item) as PersisterAnswer<Answer>))
    const attempt = (open: readonly Item[], count: number): void => {
      if (open.length === 0) {
        finish()
        return
      }
      this.#askOnce(groupId, open, api).whenDone((results) => {
        const again: Item[] = []
        results.forEach((result, index) => {
          const item = open[index] as Item
          answers.set(item, { ...result, ...{ topicId: item.topicId } } as PersisterAnswer<Answer>)
          if (isTransient(result.errorCode)) again.push(item)
        })
        if (again.length === 0 || count + 1 >= ATTEMPTS) {
          finish()
          return
        }
        const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** count, LONGEST_PAUSE_MS)
        this.#options.scheduler.schedule(`share state ${api.label} again`, pauseMs, () =>
          attempt(again, count + 1),
        )
      })
    }
    attempt(items, 0)
    return done
  }

  #askOnce<Item extends TopicPartitionId>(
    groupId: string,
    items: readonly Item[],
    api: StateApi<Item>,
  ): Deferred<PartitionError[]> {
    const results = new Map<Item, PartitionError>()
    const byBroker = new Map<number, Item[]>()
    for (const item of items) {
      const brokerId = this.#coordinatorOf(groupId, item)
      if (brokerId < 0) results.set(item, failed(item, ErrorCode.COORDINATOR_NOT_AVAILABLE))
      else byBroker.set(brokerId, [...(byBroker.get(brokerId) ?? []), item])
    }
    const calls = [...byBroker].map(([brokerId, asked]) =>
      api.send(brokerId, groupId, byTopic(asked)).map((answer) => ({ asked, answer })),
    )
    return Deferred.all(calls).map((answered) => {
      for (const { asked, answer } of answered) {
        for (const item of asked) {
          const found = answer
            ?.find(({ topicId }) => topicId === item.topicId)
            ?.partitions.find(({ partition }) => partition === item.partition)
          results.set(item, found ?? failed(item, ErrorCode.COORDINATOR_NOT_AVAILABLE))
        }
      }
      return items.map((item) => results.get(item) as PartitionError)
    })
  }

  /** @returns -1 while nobody leads the partition; asks for the topic when it is missing */
  #coordinatorOf(groupId: string, { topicId, partition }: TopicPartitionId): number {
    const topic = this.#options.metadata().topicsByName.get(SHARE_STATE_TOPIC)
    if (topic === undefined) {
      this.#options.createStateTopic()
      return -1
    }
    const key = coordinatorKeyOf({ groupId, topicId, partition })
    return topic.partitions[partitionForKey(key, topic.partitions.length)]?.leaderId ?? -1
  }
}

function isTransient(error: ErrorCode): boolean {
  switch (error) {
    case ErrorCode.NOT_COORDINATOR:
    case ErrorCode.COORDINATOR_NOT_AVAILABLE:
    case ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
      return true
    default:
      return false
  }
}

function failed({ partition }: TopicPartitionId, errorCode: ErrorCode): PartitionError {
  return { partition, errorCode, errorMessage: null }
}

function byTopic<Item extends TopicPartitionId>(items: readonly Item[]): TopicItems<Item>[] {
  const topics = new Map<string, Item[]>()
  for (const item of items) topics.set(item.topicId, [...(topics.get(item.topicId) ?? []), item])
  return [...topics].map(([topicId, partitions]) => ({ topicId, partitions }))
}
