/** Asking leaders for offsets by time: the beginning, the end, or the first record at or after a timestamp. */
import { ListOffsets } from '../../common/protocol/apis/02-list-offsets.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { ClientCore } from '../client-core.ts'
import type { Broker } from '../connections/broker.ts'
import { KafkaError, KafkaException } from '../errors.ts'
import { passingLeaderCodes } from '../metadata/leader-errors.ts'
import type { CallLimits } from '../timeouts.ts'
import { topicPartitionKey } from '../values/topic-partition.ts'
import { wireOffsetError } from '../values/wire-offset.ts'

export interface OffsetQuestion {
  readonly topic: string
  readonly partition: number
  /** `OFFSET_SPEC_EARLIEST`, `OFFSET_SPEC_LATEST`, or milliseconds. */
  readonly timestamp: number
}

export interface FoundOffset {
  /** -1 when no record is late enough. */
  readonly offset: number
  readonly leaderEpoch: number
}

export type OffsetAnswer = FoundOffset | KafkaError

/** Errors after which the same may be asked again. */
const retriableCodes: ReadonlySet<number> = new Set([
  ...passingLeaderCodes,
  ErrorCode.REQUEST_TIMED_OUT,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
])

export function mayAskAgain(error: KafkaError): boolean {
  const code = error.code()
  if (code < -1) return code !== KafkaError._UNSUPPORTED_FEATURE && code !== KafkaError._DESTROY
  return retriableCodes.has(code)
}

/** One request to one leader. `done` gets an answer for every question, by topic and partition. */
export function requestOffsets(
  core: ClientCore,
  broker: Broker,
  questions: readonly OffsetQuestion[],
  timeoutMs: number,
  done: (answers: ReadonlyMap<string, OffsetAnswer>) => void,
): void {
  const topics = new Map<string, OffsetQuestion[]>()
  for (const question of questions) {
    const known = topics.get(question.topic)
    if (known === undefined) topics.set(question.topic, [question])
    else known.push(question)
  }
  broker.request({
    api: ListOffsets,
    minVersion: 1,
    body: {
      replicaId: -1,
      isolationLevel: core.config.get('isolation.level') === 'read_committed' ? 1 : 0,
      topics: [...topics].map(([name, partitions]) => ({
        name,
        partitions: partitions.map(({ topic, partition, timestamp }) => ({
          partitionIndex: partition,
          currentLeaderEpoch: core.metadata.cache.partition(topic, partition)?.leaderEpoch ?? -1,
          timestamp,
        })),
      })),
      timeoutMs: Math.min(0x7fffffff, Math.round(timeoutMs)),
    },
    timeoutMs,
    done: (result) => {
      const answers = new Map<string, OffsetAnswer>()
      const missing = result.ok ? new KafkaError(KafkaError._BAD_MSG, 'not in the answer') : result.error
      for (const { topic, partition } of questions) answers.set(topicPartitionKey(topic, partition), missing)
      if (result.ok) {
        for (const { name, partitions } of result.response.topics) {
          for (const { partitionIndex, errorCode, offset, leaderEpoch } of partitions) {
            const key = topicPartitionKey(name, partitionIndex)
            const error = errorCode === ErrorCode.NONE ? wireOffsetError(offset) : new KafkaError(errorCode)
            answers.set(key, error ?? { offset, leaderEpoch })
          }
        }
      }
      done(answers)
    },
  })
}

/**
 * Look-ups of the application: goes on until every question has an answer that asking again cannot change, or time is
 * over. Topics are looked after while it runs. Throws `_TIMED_OUT` when not one answer came.
 */
export async function lookUpOffsets(
  core: ClientCore,
  questions: readonly OffsetQuestion[],
  { timeoutMs, signal }: CallLimits,
): Promise<ReadonlyMap<string, OffsetAnswer>> {
  const { clock } = core.runtime
  const deadlineMs = clock.monotonicMs() + timeoutMs
  const final = new Map<string, OffsetAnswer>()
  const topics = new Set(questions.map(({ topic }) => topic))
  for (const topic of topics) core.metadata.want(topic)
  try {
    for (let open = [...questions]; ; ) {
      signal?.throwIfAborted()
      const leftMs = Math.min(deadlineMs - clock.monotonicMs(), core.config.get('socket.timeout.ms'))
      if (leftMs <= 0) throw new KafkaException(core.lateError(KafkaError._TIMED_OUT))
      const asked = await askLeaders(core, open, leftMs)
      for (const [key, answer] of asked) {
        if (!KafkaError.is(answer) || !mayAskAgain(answer) || isMissing(core, answer, key, open))
          final.set(key, answer)
      }
      open = open.filter(({ topic, partition }) => !final.has(topicPartitionKey(topic, partition)))
      if (open.length === 0) return final
      if (core.isClosed) throw new KafkaException(new KafkaError(KafkaError._DESTROY))
      core.metadata.refreshSoon('offsets are looked up')
      const pauseMs = Math.max(
        0,
        Math.min(core.config.get('retry.backoff.ms'), deadlineMs - clock.monotonicMs()),
      )
      const updated = new AbortController()
      const unlisten = core.metadata.onUpdate(() => updated.abort())
      const ends = signal === undefined ? updated.signal : AbortSignal.any([signal, updated.signal])
      await core.pause('looking up offsets again', pauseMs, ends)
      unlisten()
    }
  } finally {
    for (const topic of topics) core.metadata.unwant(topic)
  }
}

/** Fresh metadata says that there is no such topic or partition: asking again is of no use. */
function isMissing(
  core: ClientCore,
  answer: KafkaError,
  key: string,
  questions: readonly OffsetQuestion[],
): boolean {
  const code = answer.code()
  if (code === KafkaError._UNKNOWN_PARTITION) return true
  if (code !== ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) return false
  const question = questions.find(({ topic, partition }) => topicPartitionKey(topic, partition) === key)
  const topic = question === undefined ? undefined : core.metadata.cache.topic(question.topic)
  return topic?.errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
}

function askLeaders(
  core: ClientCore,
  questions: readonly OffsetQuestion[],
  timeoutMs: number,
): Promise<ReadonlyMap<string, OffsetAnswer>> {
  return new Promise((resolve) => {
    const answers = new Map<string, OffsetAnswer>()
    const byLeader = new Map<Broker, OffsetQuestion[]>()
    for (const question of questions) {
      const leader = leaderOf(core, question.topic, question.partition)
      if (KafkaError.is(leader)) answers.set(topicPartitionKey(question.topic, question.partition), leader)
      else byLeader.set(leader, [...(byLeader.get(leader) ?? []), question])
    }
    let open = byLeader.size
    if (open === 0) resolve(answers)
    for (const [broker, own] of byLeader) {
      requestOffsets(core, broker, own, timeoutMs, (part) => {
        for (const [key, answer] of part) answers.set(key, answer)
        if (--open === 0) resolve(answers)
      })
    }
  })
}

/** The broker that leads, or why there is none. */
export function leaderOf(core: ClientCore, topic: string, partition: number): Broker | KafkaError {
  const info = core.metadata.cache.topic(topic)
  if (info === undefined) return new KafkaError(ErrorCode.LEADER_NOT_AVAILABLE)
  if (info.errorCode !== ErrorCode.NONE) return new KafkaError(info.errorCode)
  const known = info.partitions[partition]
  if (known === undefined)
    return new KafkaError(
      info.partitions.length === 0 ? ErrorCode.LEADER_NOT_AVAILABLE : KafkaError._UNKNOWN_PARTITION,
    )
  return core.pool.byId(known.leaderId) ?? new KafkaError(ErrorCode.LEADER_NOT_AVAILABLE)
}
