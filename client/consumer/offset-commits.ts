/**
 * Commits, one after the other: a repeated one never overtakes a newer one. What passes (a coordinator that moves or loads,
 * a member epoch behind) is tried again until the time of the commit is over.
 */
import { OffsetCommit } from '../../common/protocol/apis/08-offset-commit.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { ZERO_UUID } from '../../common/protocol/schema.ts'
import type { Timer } from '../../common/runtime/scheduler.ts'
import type { ClientCore } from '../client-core.ts'
import { pauseMs, retryJitter } from '../connections/backoff.ts'
import { KafkaError } from '../errors.ts'
import { topicIds, topicNameOf } from '../metadata/topic-ids.ts'
import { TopicPartition, topicPartitionKey } from '../values/topic-partition.ts'
import type { Assignment } from './assignment.ts'
import { type GroupCoordinator, isCoordinatorCode } from './group-coordinator.ts'
import type { MemberIdentity } from './membership.ts'

/** `error` is set when nothing was committed; otherwise look at each partition's. */
export type CommitDone = (error: KafkaError | null, partitions: TopicPartition[]) => void

interface Commit {
  readonly offsets: readonly TopicPartition[]
  readonly deadlineMs: number
  readonly done: CommitDone
  attempts: number
}

export class OffsetCommits {
  readonly #core: ClientCore
  readonly #coordinator: GroupCoordinator
  readonly #assignment: Assignment
  readonly #identity: () => MemberIdentity
  readonly #queue: Commit[] = []
  readonly #waiting: (() => void)[] = []
  #isRunning = false
  #timer: Timer | undefined
  #isClosed = false

  constructor(
    core: ClientCore,
    coordinator: GroupCoordinator,
    assignment: Assignment,
    identity: () => MemberIdentity,
  ) {
    this.#core = core
    this.#coordinator = coordinator
    this.#assignment = assignment
    this.#identity = identity
  }

  /** Whether commits are still to be answered. */
  get isBusy(): boolean {
    return this.#queue.length > 0
  }

  commit(offsets: readonly TopicPartition[], timeoutMs: number, done: CommitDone): void {
    const deadlineMs = this.#core.runtime.clock.monotonicMs() + timeoutMs
    this.#queue.push({ offsets, deadlineMs, done, attempts: 0 })
    this.#run()
  }

  /** Called when every commit made so far is done. */
  whenIdle(done: () => void): void {
    if (this.isBusy) this.#waiting.push(done)
    else done()
  }

  /** What waits is told `_DESTROY`. */
  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
    const error = new KafkaError(KafkaError._DESTROY)
    for (const { done, offsets } of this.#queue.splice(0)) done(error, withError(offsets, error))
  }

  #run(): void {
    if (this.#queue.length === 0) for (const done of this.#waiting.splice(0)) done()
    const commit = this.#queue[0]
    if (commit === undefined || this.#isRunning || this.#isClosed) return
    this.#isRunning = true
    const leftMs = commit.deadlineMs - this.#core.runtime.clock.monotonicMs()
    const { memberId, generationId, groupInstanceId } = this.#identity()
    const { metadata } = this.#core
    const ids = topicIds(
      metadata.cache,
      commit.offsets.map(({ topic }) => topic),
    )
    this.#coordinator.request({
      api: OffsetCommit,
      // Version 10 names topics by id, so that nothing is committed to another topic of the name.
      ...(ids === undefined ? { maxVersion: 9 } : {}),
      body: (version) => ({
        groupId: this.#coordinator.groupId,
        generationIdOrMemberEpoch: generationId,
        memberId,
        ...(version >= 7 ? { groupInstanceId } : {}),
        topics: topicsOf(commit.offsets, version >= 10 ? ids : undefined),
      }),
      timeoutMs: Math.max(1, Math.min(leftMs, this.#core.config.get('socket.timeout.ms'))),
      done: (result) => {
        this.#isRunning = false
        if (this.#isClosed) return
        if (!result.ok) {
          this.#maybeAgain(commit, result.error)
          return
        }
        const codes = new Map<string, number>()
        for (const topic of result.response.topics) {
          const name = topicNameOf(topic, ids)
          for (const { partitionIndex, errorCode } of topic.partitions) {
            codes.set(topicPartitionKey(name, partitionIndex), errorCode)
          }
        }
        const passing = [...codes.values()].find(isPassing)
        if (passing !== undefined) {
          this.#coordinator.note(passing)
          if (passing === ErrorCode.UNKNOWN_TOPIC_ID) metadata.refreshSoon('a topic has another id')
          this.#maybeAgain(commit, new KafkaError(passing))
        } else this.#finish(commit, codes)
      },
    })
  }

  #maybeAgain(commit: Commit, error: KafkaError): void {
    const { config, runtime } = this.#core
    const delayMs = pauseMs(
      {
        firstMs: config.get('retry.backoff.ms'),
        maxMs: config.get('retry.backoff.max.ms'),
        random: runtime.random,
        ...retryJitter,
      },
      commit.attempts++,
    )
    const isFinal = error.code() < -1 && error.code() === KafkaError._UNSUPPORTED_FEATURE
    const isLocal = error.code() < -1
    const mayRepeat = !isFinal && (isLocal || isPassing(error.code()))
    if (!mayRepeat || runtime.clock.monotonicMs() + delayMs >= commit.deadlineMs) {
      this.#queue.shift()
      this.#done(commit, error, withError(commit.offsets, error))
      this.#run()
      return
    }
    this.#isRunning = true
    this.#timer = runtime.scheduler.schedule('committing offsets again', delayMs, () => {
      this.#isRunning = false
      this.#run()
    })
  }

  #finish(commit: Commit, codes: ReadonlyMap<string, number>): void {
    this.#queue.shift()
    const partitions: TopicPartition[] = []
    let failed: KafkaError | undefined
    let failures = 0
    for (const { topic, partition, offset, metadata, leaderEpoch } of commit.offsets) {
      const code = codes.get(topicPartitionKey(topic, partition)) ?? ErrorCode.UNKNOWN_SERVER_ERROR
      const error = code === ErrorCode.NONE ? null : new KafkaError(code)
      partitions.push(new TopicPartition(topic, partition, offset, { metadata, leaderEpoch, error }))
      if (error === null) this.#committed(topic, partition, offset, leaderEpoch)
      else {
        failures++
        failed = error
      }
    }
    // All of them failed: the commit as a whole did.
    this.#done(commit, failures === partitions.length ? (failed ?? null) : null, partitions)
    this.#run()
  }

  #done(commit: Commit, error: KafkaError | null, partitions: TopicPartition[]): void {
    const { groupId } = this.#coordinator
    this.#core.notifier.tell('offset-commit', { groupId, error, partitions })
    commit.done(error, partitions)
  }

  #committed(topic: string, id: number, offset: number, leaderEpoch: number | null): void {
    const partition = this.#assignment.get(topic, id)
    if (partition !== undefined) partition.committed = { offset, leaderEpoch: leaderEpoch ?? -1 }
  }
}

/** Passes by itself, soon. */
function isPassing(code: number): boolean {
  return (
    isCoordinatorCode(code) ||
    code === ErrorCode.STALE_MEMBER_EPOCH ||
    code === ErrorCode.REQUEST_TIMED_OUT ||
    code === ErrorCode.UNKNOWN_TOPIC_ID
  )
}

function withError(offsets: readonly TopicPartition[], error: KafkaError): TopicPartition[] {
  return offsets.map(
    ({ topic, partition, offset, metadata, leaderEpoch }) =>
      new TopicPartition(topic, partition, offset, { metadata, leaderEpoch, error }),
  )
}

function topicsOf(offsets: readonly TopicPartition[], ids: ReadonlyMap<string, string> | undefined) {
  const topics = new Map<string, TopicPartition[]>()
  for (const entry of offsets) {
    const known = topics.get(entry.topic)
    if (known === undefined) topics.set(entry.topic, [entry])
    else known.push(entry)
  }
  return [...topics].map(([name, entries]) => ({
    ...(ids === undefined ? { name } : { topicId: ids.get(name) ?? ZERO_UUID }),
    partitions: entries.map(({ partition, offset, leaderEpoch, metadata }) => ({
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: leaderEpoch ?? -1,
      committedMetadata: metadata,
    })),
  }))
}
