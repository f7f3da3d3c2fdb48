/**
 * Copies the partitions that this broker follows from one leader: a loop of ordinary Fetch requests with this broker's replica id and epoch.
 * Its next request is what acknowledges the records of the one before.
 *
 * Owner: the fetchers of this broker. Invariants: one request at a time; a partition that changed its leader epoch starts anew. Limits:
 * `replica.fetch.max.bytes` a partition, `replica.fetch.response.max.bytes` an answer.
 */
import { Fetch } from '../../common/protocol/apis/01-fetch.ts'
import { ListOffsets } from '../../common/protocol/apis/02-list-offsets.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { ResponseOf } from '../../common/protocol/schema.ts'
import type { Runtime } from '../../common/runtime/runtime.ts'
import type { SchedulerScope, Timer } from '../../common/runtime/scheduler.ts'
import type { Address } from '../../common/runtime/transport.ts'
import type { PeerClient } from '../peer/peer-client.ts'
import { FetchedPartition } from './fetched-partition.ts'
import { type FetchPlan, FollowerSession } from './follower-session.ts'
import type { Partition } from './partition.ts'
import type { ReplicationThrottle } from './replication-throttle.ts'

export interface FetcherSettings {
  readonly maxWaitMs: number
  readonly minBytes: number
  readonly maxBytes: number
  readonly responseMaxBytes: number
  readonly backoffMs: number
}

export interface FollowerFetcherOptions {
  readonly nodeId: number
  readonly leaderId: number
  readonly runtime: Runtime
  readonly scheduler: SchedulerScope
  /** A client of its own: a long poll must not stand in the way of other requests. */
  readonly peer: PeerClient
  readonly leaderAddress: () => Address | undefined
  readonly brokerEpoch: () => number
  readonly settings: () => FetcherSettings
  /** What this broker's replicas may copy from their leaders. */
  readonly throttle: ReplicationThrottle
}

const REQUEST_TIMEOUT_MS = 30_000
const LATEST = -1
const EARLIEST = -2
/** The pause after the first failure of a partition; doubles up to `replica.fetch.backoff.ms`. */
const FIRST_BACKOFF_MS = 1

export class FollowerFetcher {
  readonly leaderId: number
  readonly #options: FollowerFetcherOptions
  readonly #partitions = new Map<Partition, FetchedPartition>()
  /** Those whose request may differ from what the leader was told, or may soon: the others are asked for, and watched. */
  readonly #changed = new Set<FetchedPartition>()
  #toldMaxBytes = -1
  #session = new FollowerSession()
  #isInFlight = false
  #isPaused = false
  #isAddPosted = false
  /** The request on its way does not name a partition that is to be fetched now. */
  #isSuperseded = false
  #timer: Timer | undefined

  constructor(options: FollowerFetcherOptions) {
    this.#options = options
    this.leaderId = options.leaderId
  }

  get isEmpty(): boolean {
    return this.#partitions.size === 0
  }

  add(partition: Partition): void {
    this.#drop(partition)
    const fetched = new FetchedPartition(partition, (it) => this.#changed.add(it))
    this.#partitions.set(partition, fetched)
    this.#changed.add(fetched)
    // In a turn of its own, for all the partitions of one step of the metadata together.
    if (this.#isAddPosted) return
    this.#isAddPosted = true
    this.#options.runtime.reactor.post(() => {
      this.#isAddPosted = false
      this.#supersede()
      this.#fetchLater(0)
    })
  }

  /** A long poll on its way would hold up the new partition, and whoever waits for its records to be copied, until its end. */
  #supersede(): void {
    if (!this.#isInFlight || this.#isPaused) return
    this.#isSuperseded = true
    this.#options.peer.disconnect()
  }

  remove(partition: Partition): void {
    this.#drop(partition)
    this.#partitions.delete(partition)
  }

  #drop(partition: Partition): void {
    const fetched = this.#partitions.get(partition)
    if (fetched === undefined) return
    fetched.unwatch()
    this.#changed.delete(fetched)
    this.#session.drop(fetched)
  }

  /**
   * Holds back further requests.
   * @param cutsShort whether the request that is on its way ends unanswered; else its answer is still taken
   */
  pause(cutsShort = false): void {
    this.#isPaused = true
    this.#timer?.cancel()
    this.#timer = undefined
    if (cutsShort && this.#isInFlight) this.#options.peer.disconnect()
  }

  resume(): void {
    this.#isPaused = false
    this.#fetchLater(0)
  }

  /** One request although it is paused, answered at once: a long poll would hide what one fetch brings and the next one tells. */
  step(): void {
    if (!this.#isPaused) return
    if (this.#isInFlight) this.#options.peer.disconnect()
    this.#isPaused = false
    this.#fetch(0)
    this.#isPaused = true
  }

  /**
   * The records of this turn could not be written: the request that would acknowledge them, and stands ready to be sent, must not leave.
   */
  onFlushFailed(): void {
    this.#options.peer.disconnect()
  }

  close(): void {
    for (const fetched of this.#partitions.values()) fetched.unwatch()
    this.#partitions.clear()
    this.#changed.clear()
    this.#timer?.cancel()
    this.#options.peer.close()
  }

  #fetchLater(delayMs: number): void {
    if (this.#isInFlight || this.#isPaused || this.isEmpty) return
    this.#timer?.cancel()
    if (delayMs === 0) {
      // Not by a timer: the next request is what acknowledges, and somebody waits for that.
      this.#fetch()
      return
    }
    const { scheduler, nodeId, leaderId } = this.#options
    const label = `fetch of broker ${nodeId} from broker ${leaderId}`
    this.#timer = scheduler.schedule(label, delayMs, () => this.#fetch())
  }

  #fetch(longestWaitMs = Number.POSITIVE_INFINITY): void {
    if (this.#isInFlight || this.#isPaused || this.isEmpty) return
    const { peer, leaderAddress, settings, nodeId, brokerEpoch, runtime } = this.#options
    const { minBytes, maxBytes, responseMaxBytes, backoffMs, ...limits } = settings()
    const maxWaitMs = Math.min(limits.maxWaitMs, longestWaitMs)
    const address = leaderAddress()
    if (address === undefined) {
      this.#fetchLater(backoffMs)
      return
    }
    const nowMs = runtime.clock.monotonicMs()
    if (this.#session.isWhole || maxBytes !== this.#toldMaxBytes)
      for (const fetched of this.#partitions.values()) this.#changed.add(fetched)
    const changed = [...this.#changed]
    const isWanted = (fetched: FetchedPartition): boolean =>
      fetched.delayedUntilMs <= nowMs && !this.#mustHoldBack(fetched)
    const nextDelayMs = this.#nextDelayMs(nowMs)
    if (changed.length === this.#partitions.size && !changed.some(isWanted)) {
      this.#fetchLater(Math.min(nextDelayMs, backoffMs))
      return
    }
    const plan = this.#session.plan(changed, isWanted, maxBytes)
    this.#toldMaxBytes = maxBytes
    for (const fetched of changed) this.#maybeRest(fetched, nowMs)
    this.#isInFlight = true
    peer
      .call(
        address,
        Fetch,
        {
          replicaState: { replicaId: nodeId, replicaEpoch: brokerEpoch() },
          maxWaitMs: Math.min(maxWaitMs, nextDelayMs),
          minBytes,
          maxBytes: responseMaxBytes,
          isolationLevel: 0,
          sessionId: plan.sessionId,
          sessionEpoch: plan.sessionEpoch,
          topics: plan.topics,
          forgottenTopicsData: plan.forgotten,
        },
        { timeoutMs: REQUEST_TIMEOUT_MS },
      )
      .whenDone((answer) => {
        this.#isInFlight = false
        if (this.#isSuperseded) {
          this.#isSuperseded = false
          this.#session.restart()
          this.#fetchLater(0)
          return
        }
        if (!answer.ok || answer.response.errorCode !== ErrorCode.NONE) {
          this.#session = new FollowerSession()
          // A session that the leader has forgotten is simply begun anew.
          this.#fetchLater(answer.ok ? 0 : backoffMs)
          return
        }
        this.#session.onAnswered(answer.response.sessionId)
        if (runtime.trace.enabled) this.#traceAnswers(plan.asked, answer.response)
        for (const { topicId, partitions } of answer.response.responses) {
          for (const partitionAnswer of partitions) {
            const asked = plan.asked.get(`${topicId}-${partitionAnswer.partitionIndex}`)
            if (asked === undefined || !this.#isHere(asked.fetched)) continue
            this.#changed.add(asked.fetched)
            this.#count(asked.fetched, partitionAnswer.records?.length ?? 0)
            this.#onVerdict(asked.fetched, asked.fetched.onAnswer(partitionAnswer, asked.request.fetchOffset))
          }
        }
        this.#fetchLater(0)
      })
  }

  /** Also of partitions that the answer does not name, because there is nothing new about them (KIP-227). */
  #traceAnswers(asked: FetchPlan['asked'], response: ResponseOf<typeof Fetch>): void {
    const { nodeId, leaderId, runtime } = this.#options
    for (const { fetched, request } of asked.values()) {
      const { topic, topicId, index } = fetched.partition
      const answer = response.responses
        .find((ofTopic) => ofTopic.topicId === topicId)
        ?.partitions.find(({ partitionIndex }) => partitionIndex === index)
      runtime.trace.emit({
        level: 'debug',
        kind: 'replica.fetched',
        nodeId,
        message: `Broker ${nodeId} fetched ${topic}-${index} at ${request.fetchOffset} from broker ${leaderId}.`,
        data: {
          topic,
          partition: index,
          fetchOffset: request.fetchOffset,
          lastFetchedEpoch: request.lastFetchedEpoch,
          errorCode: answer?.errorCode ?? ErrorCode.NONE,
          divergingEpoch: answer?.divergingEpoch,
          recordsBytes: answer?.records?.length ?? 0,
          highWatermark: answer?.highWatermark,
        },
      })
    }
  }

  #isHere(fetched: FetchedPartition): boolean {
    return this.#partitions.get(fetched.partition) === fetched
  }

  /** One that has all that the leader has committed is asked for until it changes; the others may be held back. */
  #maybeRest(fetched: FetchedPartition, nowMs: number): void {
    const { log } = fetched.partition
    if (fetched.lag !== 0 || fetched.delayedUntilMs > nowMs || log === undefined || log.isFailed) return
    this.#changed.delete(fetched)
    fetched.watch()
  }

  /** A replica that is behind has had its share (KIP-73). */
  #mustHoldBack({ partition, lag }: FetchedPartition): boolean {
    const { throttle } = this.#options
    return lag !== 0 && throttle.isThrottled(partition.topic, partition.index) && throttle.isExceeded
  }

  #count({ partition }: FetchedPartition, bytes: number): void {
    const { throttle } = this.#options
    if (bytes > 0 && throttle.isThrottled(partition.topic, partition.index)) throttle.record(bytes)
  }

  /** Until the first of the partitions that wait may be asked for again, in whole milliseconds; infinite when none waits. */
  #nextDelayMs(nowMs: number): number {
    let nextMs = Number.POSITIVE_INFINITY
    for (const { delayedUntilMs } of this.#changed) {
      if (delayedUntilMs > nowMs) nextMs = Math.min(nextMs, delayedUntilMs - nowMs)
    }
    return Math.ceil(nextMs)
  }

  #onVerdict(fetched: FetchedPartition, verdict: 'continue' | 'back-off' | 'out-of-range'): void {
    if (verdict === 'continue') {
      fetched.failures = 0
      return
    }
    const { runtime, settings } = this.#options
    // Mostly the leader has not read the metadata yet, which takes it moments: Kafka waits the whole back-off.
    const delayMs = Math.min(settings().backoffMs, FIRST_BACKOFF_MS * 2 ** fetched.failures)
    fetched.failures += 1
    fetched.delayedUntilMs = runtime.clock.monotonicMs() + delayMs
    if (verdict === 'out-of-range') this.#askForRange(fetched)
  }

  #askForRange(fetched: FetchedPartition): void {
    const { peer, leaderAddress, nodeId } = this.#options
    const address = leaderAddress()
    if (address === undefined) return
    const { topic, index } = fetched.partition
    const ask = (timestamp: number) =>
      peer
        .call(address, ListOffsets, {
          replicaId: nodeId,
          topics: [
            {
              name: topic,
              partitions: [{ partitionIndex: index, timestamp, currentLeaderEpoch: fetched.leaderEpoch }],
            },
          ],
        })
        .map((answer) => {
          const found = answer.ok ? answer.response.topics[0]?.partitions[0] : undefined
          return found?.errorCode === ErrorCode.NONE ? found.offset : undefined
        })
    ask(LATEST).whenDone((endOffset) => {
      if (endOffset === undefined) return
      ask(EARLIEST).whenDone((startOffset) => {
        if (startOffset === undefined || !this.#isHere(fetched)) return
        fetched.onLeaderRange({ startOffset, endOffset })
        fetched.delayedUntilMs = 0
        this.#fetchLater(0)
      })
    })
  }
}
