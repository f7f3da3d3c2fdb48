/** Reading what the group has committed (OffsetFetch). */
import { OffsetFetch } from '../../common/protocol/apis/09-offset-fetch.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { ZERO_UUID } from '../../common/protocol/schema.ts'
import type { ClientCore } from '../client-core.ts'
import { KafkaError, KafkaException } from '../errors.ts'
import { topicIds, topicNameOf } from '../metadata/topic-ids.ts'
import type { CallLimits } from '../timeouts.ts'
import { topicPartitionKey } from '../values/topic-partition.ts'
import { wireOffsetError } from '../values/wire-offset.ts'
import { type GroupCoordinator, isCoordinatorCode } from './group-coordinator.ts'
import type { MemberIdentity } from './membership.ts'

export interface CommittedOffset {
  /** -1 when there is none. */
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string | null
}

export type CommittedAnswer = ReadonlyMap<string, CommittedOffset | KafkaError>

interface Place {
  readonly topic: string
  readonly partition: number
}

export class CommittedOffsets {
  readonly #core: ClientCore
  readonly #coordinator: GroupCoordinator
  readonly #identity: () => MemberIdentity

  constructor(core: ClientCore, coordinator: GroupCoordinator, identity: () => MemberIdentity) {
    this.#core = core
    this.#coordinator = coordinator
    this.#identity = identity
  }

  /** One attempt. With `read_committed`, offsets of open transactions are UNSTABLE_OFFSET_COMMIT (KIP-447). */
  fetch(
    places: readonly Place[],
    done: (answer: CommittedAnswer | KafkaError) => void,
    timeoutMs = this.#core.config.get('socket.timeout.ms'),
  ): void {
    const { config } = this.#core
    const requireStable = config.get('isolation.level') === 'read_committed'
    const { metadata } = this.#core
    const ids = topicIds(
      metadata.cache,
      places.map(({ topic }) => topic),
    )
    const topics = topicsOf(places)
    const { groupId } = this.#coordinator
    this.#coordinator.request({
      api: OffsetFetch,
      // Version 10 names topics by id.
      ...(ids === undefined ? { maxVersion: 9 } : {}),
      body: (version) => {
        const stable = version >= 7 ? { requireStable } : {}
        if (version < 8) return { groupId, topics, ...stable }
        const { memberId, generationId } = this.#identity()
        const isMember = config.get('group.protocol') === 'consumer' && generationId > 0
        const member = isMember ? { memberId, memberEpoch: generationId } : {}
        const named = version >= 10 ? byId(topics, ids) : topics
        return { groups: [{ groupId, ...member, topics: named }], ...stable }
      },
      timeoutMs,
      done: (result) => {
        if (!result.ok) {
          done(result.error)
          return
        }
        const answer = result.response.groups[0] ?? result.response
        this.#coordinator.note(answer.errorCode)
        if (answer.errorCode !== ErrorCode.NONE) {
          done(new KafkaError(answer.errorCode))
          return
        }
        const found = answerOf(answer.topics, ids)
        if (firstPassing(found)?.code() === ErrorCode.UNKNOWN_TOPIC_ID) {
          metadata.refreshSoon('a topic has another id')
        }
        done(found)
      },
    })
  }

  /** For the application: goes on while the coordinator is looked for, loads, or waits for transactions. */
  async look(places: readonly Place[], { timeoutMs, signal }: CallLimits): Promise<CommittedAnswer> {
    const { clock } = this.#core.runtime
    const deadlineMs = clock.monotonicMs() + timeoutMs
    for (;;) {
      signal?.throwIfAborted()
      const leftMs = Math.min(deadlineMs - clock.monotonicMs(), this.#core.config.get('socket.timeout.ms'))
      if (leftMs <= 0) throw new KafkaException(this.#core.lateError(KafkaError._TIMED_OUT))
      const answer = await new Promise<CommittedAnswer | KafkaError>((resolve) => {
        this.fetch(places, resolve, leftMs)
      })
      const error = KafkaError.is(answer) ? answer : firstPassing(answer)
      if (!KafkaError.is(answer) && error === undefined) return answer
      const code = error?.code() ?? ErrorCode.NONE
      if (code === KafkaError._DESTROY || this.#core.isClosed)
        throw new KafkaException(new KafkaError(KafkaError._DESTROY))
      const pauseMs = this.#core.config.get('retry.backoff.ms')
      const isOver = deadlineMs - clock.monotonicMs() <= pauseMs
      if (!mayAskAgain(code) || (isOver && timeoutMs !== Number.POSITIVE_INFINITY)) {
        const isLate =
          code === KafkaError._TIMED_OUT_QUEUE || code === KafkaError._WAIT_COORD || mayAskAgain(code)
        throw new KafkaException(isLate ? this.#core.lateError(KafkaError._TIMED_OUT) : (error as KafkaError))
      }
      await this.#core.pause('fetching committed offsets again', pauseMs, signal)
    }
  }
}

function mayAskAgain(code: number): boolean {
  if (isCoordinatorCode(code) || code === ErrorCode.UNSTABLE_OFFSET_COMMIT) return true
  if (code === ErrorCode.STALE_MEMBER_EPOCH || code === ErrorCode.UNKNOWN_TOPIC_ID) return true
  return code < -1 && code !== KafkaError._UNSUPPORTED_FEATURE
}

/** An entry that will be another one soon: an open transaction ends, a topic's new id becomes known. */
function firstPassing(answer: CommittedAnswer): KafkaError | undefined {
  for (const entry of answer.values()) {
    if (!KafkaError.is(entry)) continue
    const code = entry.code()
    if (code === ErrorCode.UNSTABLE_OFFSET_COMMIT || code === ErrorCode.UNKNOWN_TOPIC_ID) return entry
  }
  return undefined
}

function byId(
  topics: readonly { readonly name: string; readonly partitionIndexes: number[] }[],
  ids: ReadonlyMap<string, string> | undefined,
): { topicId: string; partitionIndexes: number[] }[] {
  return topics.map(({ name, partitionIndexes }) => ({
    topicId: ids?.get(name) ?? ZERO_UUID,
    partitionIndexes,
  }))
}

function topicsOf(places: readonly Place[]): { name: string; partitionIndexes: number[] }[] {
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of places) {
    const known = topics.get(topic)
    if (known === undefined) topics.set(topic, [partition])
    else known.push(partition)
  }
  return [...topics].map(([name, partitionIndexes]) => ({ name, partitionIndexes }))
}

function answerOf(
  topics: readonly {
    readonly name: string
    readonly topicId?: string
    readonly partitions: readonly {
      readonly partitionIndex: number
      readonly committedOffset: number
      readonly committedLeaderEpoch: number
      readonly metadata: string | null
      readonly errorCode: number
    }[]
  }[],
  ids: ReadonlyMap<string, string> | undefined,
): CommittedAnswer {
  const answer = new Map<string, CommittedOffset | KafkaError>()
  for (const { name: given, topicId = ZERO_UUID, partitions } of topics) {
    const name = topicNameOf({ name: given, topicId }, ids)
    for (const { partitionIndex, committedOffset, committedLeaderEpoch, metadata, errorCode } of partitions) {
      const error =
        errorCode === ErrorCode.NONE ? wireOffsetError(committedOffset) : new KafkaError(errorCode)
      const committed = { offset: committedOffset, leaderEpoch: committedLeaderEpoch, metadata }
      answer.set(topicPartitionKey(name, partitionIndex), error ?? committed)
    }
  }
  return answer
}
