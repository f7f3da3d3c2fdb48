/**
 * Finds out where partitions start: the committed offset, else what `auto.offset.reset` says (ListOffsets), and whether a
 * position still is what it was after the leader changed (OffsetForLeaderEpoch, KIP-320). Runs in the wake phase; failures
 * are tried again after a back-off. Whoever starts, resets or moves partitions touches it.
 */
import { OffsetForLeaderEpoch } from '../../common/protocol/apis/23-offset-for-leader-epoch.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { Wakeable } from '../../common/runtime/reactor.ts'
import type { Timer } from '../../common/runtime/scheduler.ts'
import type { ClientCore } from '../client-core.ts'
import type { Broker } from '../connections/broker.ts'
import { OFFSET_SPEC_LATEST } from '../constants.ts'
import { KafkaError } from '../errors.ts'
import { Message } from '../values/message.ts'
import { topicPartitionKey } from '../values/topic-partition.ts'
import type { AssignedPartition } from './assigned-partition.ts'
import type { Assignment } from './assignment.ts'
import type { CommittedOffsets } from './committed-offsets.ts'
import type { DeliveryQueue } from './delivery-queue.ts'
import { leaderOf, mayAskAgain, type OffsetAnswer, requestOffsets } from './list-offsets.ts'
import { resetLookup } from './reset-policy.ts'

export interface PositionResolverOptions {
  readonly core: ClientCore
  readonly assignment: Assignment
  readonly delivery: DeliveryQueue
  readonly committed: CommittedOffsets
  /** A partition became active. */
  readonly onReady: () => void
}

interface Open {
  readonly partition: AssignedPartition
  readonly version: number
}

export class PositionResolver implements Wakeable {
  readonly #options: PositionResolverOptions
  #timer: Timer | undefined
  #isStopped = false

  constructor(options: PositionResolverOptions) {
    this.#options = options
  }

  touch(): void {
    if (!this.#isStopped) this.#options.core.runtime.reactor.touch(this)
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  /** No usable offset: begins where the policy says, or tells the application. */
  reset(partition: AssignedPartition, reason: KafkaError): void {
    const { core, delivery } = this.#options
    const lookup = resetLookup(core.config.get('auto.offset.reset'), core.runtime.clock.wallMs())
    partition.version++
    partition.isResolving = false
    partition.eofOffset = -1001
    if (lookup !== undefined) {
      core.logger.debug('consumer', 'OFFSET', `${partition.key}: ${reason.str()}: resetting the offset`)
      partition.lookUp(lookup)
      this.touch()
      return
    }
    partition.state = 'stopped'
    const error = new KafkaError(KafkaError._AUTO_OFFSET_RESET, `${reason.str()} (auto.offset.reset=error)`)
    const { topic, id, fetchOffset: offset } = partition
    delivery.push(partition, new Message({ topic, partition: id, offset, error }))
    core.events.notify()
  }

  /** Leaders may have changed: positions of active partitions with an older epoch are validated. */
  leadersChanged(): void {
    const { core, assignment } = this.#options
    for (const partition of assignment.all()) {
      if (partition.state !== 'active' || partition.fetchEpoch < 0) continue
      const epoch = core.metadata.cache.partition(partition.topic, partition.id)?.leaderEpoch ?? -1
      if (epoch > partition.fetchEpoch && epoch > partition.validatedEpoch) {
        partition.state = 'validating'
        partition.preferredReplica = undefined
      }
    }
    this.touch()
  }

  wake(): void {
    if (this.#isStopped) return
    this.#timer?.cancel()
    const nowMs = this.#options.core.runtime.clock.monotonicMs()
    let nextMs = Number.POSITIVE_INFINITY
    const toFetch: Open[] = []
    const toLookUp: Open[] = []
    const toValidate: Open[] = []
    for (const partition of this.#options.assignment.all()) {
      const { state, isResolving, retryAtMs, version } = partition
      if (isResolving || state === 'active' || state === 'stopped') continue
      if (retryAtMs > nowMs) {
        nextMs = Math.min(nextMs, retryAtMs)
        continue
      }
      const group = state === 'offset-query' ? toFetch : state === 'offset-wait' ? toLookUp : toValidate
      group.push({ partition, version })
    }
    if (toFetch.length > 0) this.#fetchCommitted(toFetch)
    this.#byLeader(toLookUp, (broker, open) => this.#lookUp(broker, open))
    this.#byLeader(toValidate, (broker, open) => this.#validate(broker, open))
    if (nextMs !== Number.POSITIVE_INFINITY) {
      const { scheduler } = this.#options.core.runtime
      this.#timer = scheduler.schedule('resolving positions again', nextMs - nowMs, () => this.touch())
    }
  }

  #fetchCommitted(open: readonly Open[]): void {
    for (const { partition } of open) partition.isResolving = true
    const partitions = open.map(({ partition: { topic, id } }) => ({ topic, partition: id }))
    this.#options.committed.fetch(partitions, (result) => {
      for (const { partition, version } of open) {
        if (partition.version !== version) continue
        partition.isResolving = false
        const found = KafkaError.is(result) ? result : result.get(partition.key)
        if (found === undefined || KafkaError.is(found)) this.#retry(partition, found)
        else if (found.offset >= 0) {
          partition.committed = found
          partition.version++
          partition.moveTo(found.offset, found.leaderEpoch)
        } else this.reset(partition, new KafkaError(KafkaError._NO_OFFSET, 'no offset is committed'))
      }
      this.#settled()
    })
  }

  #byLeader(open: readonly Open[], ask: (broker: Broker, open: readonly Open[]) => void): void {
    const { core } = this.#options
    const groups = new Map<Broker, Open[]>()
    for (const one of open) {
      const leader = leaderOf(core, one.partition.topic, one.partition.id)
      // Metadata leads on; an unknown topic is told by the one who watches topics.
      if (KafkaError.is(leader)) continue
      const group = groups.get(leader)
      if (group === undefined) groups.set(leader, [one])
      else group.push(one)
    }
    for (const [broker, group] of groups) {
      for (const { partition } of group) partition.isResolving = true
      ask(broker, group)
    }
  }

  #lookUp(broker: Broker, open: readonly Open[]): void {
    const { core } = this.#options
    const questions = open.map(({ partition: { topic, id, lookup } }) => ({
      topic,
      partition: id,
      timestamp: lookup?.timestamp ?? -1,
    }))
    requestOffsets(core, broker, questions, core.config.get('socket.timeout.ms'), (answers) => {
      for (const { partition, version } of open) {
        if (partition.version !== version) continue
        partition.isResolving = false
        this.#found(partition, answers.get(partition.key))
      }
      this.#settled()
    })
  }

  #found(partition: AssignedPartition, answer: OffsetAnswer | undefined): void {
    if (answer === undefined || KafkaError.is(answer)) {
      this.#retry(partition, answer)
      return
    }
    const { lookup } = partition
    if (answer.offset < 0) {
      // Nothing is that late: the end.
      partition.lookUp({ timestamp: OFFSET_SPEC_LATEST, tailCount: 0 })
      return
    }
    partition.version++
    partition.moveTo(Math.max(0, answer.offset - (lookup?.tailCount ?? 0)), -1)
    if (lookup?.tailCount === 0) partition.fetchEpoch = answer.leaderEpoch
  }

  #validate(broker: Broker, open: readonly Open[]): void {
    const { core } = this.#options
    const epochOf = ({ topic, id }: AssignedPartition): number =>
      core.metadata.cache.partition(topic, id)?.leaderEpoch ?? -1
    const epochs = new Map(open.map(({ partition }) => [partition.key, epochOf(partition)]))
    broker.request({
      api: OffsetForLeaderEpoch,
      body: {
        replicaId: -1,
        topics: open.map(({ partition }) => ({
          topic: partition.topic,
          partitions: [
            {
              partition: partition.id,
              currentLeaderEpoch: epochs.get(partition.key) ?? -1,
              leaderEpoch: partition.fetchEpoch,
            },
          ],
        })),
      },
      timeoutMs: core.config.get('socket.timeout.ms'),
      done: (result) => {
        const isUnsupported = !result.ok && result.error.code() === KafkaError._UNSUPPORTED_FEATURE
        const ends = new Map<string, { leaderEpoch: number; endOffset: number; errorCode: number }>()
        for (const { topic, partitions } of result.ok ? result.response.topics : [])
          for (const answer of partitions) ends.set(topicPartitionKey(topic, answer.partition), answer)
        for (const { partition, version } of open) {
          if (partition.version !== version) continue
          partition.isResolving = false
          const end = ends.get(partition.key)
          if (isUnsupported) this.#isValid(partition, epochs.get(partition.key) ?? -1)
          else if (end === undefined) this.#retry(partition, result.ok ? undefined : result.error)
          else if (end.errorCode !== ErrorCode.NONE)
            this.#notValidated(partition, new KafkaError(end.errorCode))
          else this.#validated(partition, end, epochs.get(partition.key) ?? -1)
        }
        this.#settled()
      },
    })
  }

  #isValid(partition: AssignedPartition, epoch: number): void {
    partition.validatedEpoch = epoch
    partition.state = 'active'
  }

  #notValidated(partition: AssignedPartition, error: KafkaError): void {
    if (error.code() === ErrorCode.TOPIC_AUTHORIZATION_FAILED) this.#isValid(partition, -1)
    else this.#retry(partition, error)
  }

  #validated(
    partition: AssignedPartition,
    end: { readonly leaderEpoch: number; readonly endOffset: number },
    epoch: number,
  ): void {
    const isKnown = end.endOffset >= 0 && end.leaderEpoch >= 0
    if (isKnown && end.endOffset >= partition.fetchOffset) {
      this.#isValid(partition, epoch)
      return
    }
    const { core, delivery } = this.#options
    const lost = partition.fetchOffset
    const text = `records before offset ${lost} are gone: the log of epoch ${partition.fetchEpoch} ends at ${end.endOffset}`
    const error = new KafkaError(KafkaError._LOG_TRUNCATION, text)
    if (!isKnown || core.config.get('auto.offset.reset') === 'error') {
      this.reset(partition, error)
      if (partition.state === 'stopped') return
    } else {
      partition.version++
      partition.fetchOffset = end.endOffset
      partition.fetchEpoch = end.leaderEpoch
      this.#isValid(partition, epoch)
    }
    const { topic, id } = partition
    delivery.push(partition, new Message({ topic, partition: id, offset: lost, error }))
    core.events.notify()
  }

  #retry(partition: AssignedPartition, error: KafkaError | undefined): void {
    const { core, delivery } = this.#options
    const { config, runtime, metadata } = core
    const isPassing = error === undefined || mayAskAgain(error) || isCoordinatorError(error)
    const pauseMs = isPassing ? config.get('retry.backoff.ms') : config.get('fetch.error.backoff.ms')
    partition.retryAtMs = runtime.clock.monotonicMs() + Math.max(1, pauseMs)
    if (partition.state !== 'offset-query') metadata.refreshSoon(`the position of ${partition.key} is open`)
    if (isPassing || error === undefined || partition.toldCode === error.code()) return
    partition.toldCode = error.code()
    const { topic, id } = partition
    delivery.push(partition, new Message({ topic, partition: id, error }))
    core.events.notify()
  }

  #settled(): void {
    this.#options.onReady()
    this.touch()
  }
}

/** Passes when the coordinator is found, has loaded, or the member is in step again. */
function isCoordinatorError(error: KafkaError): boolean {
  const passing: readonly number[] = [
    ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
    ErrorCode.COORDINATOR_NOT_AVAILABLE,
    ErrorCode.NOT_COORDINATOR,
    ErrorCode.UNSTABLE_OFFSET_COMMIT,
    ErrorCode.STALE_MEMBER_EPOCH,
    ErrorCode.UNKNOWN_MEMBER_ID,
    ErrorCode.ILLEGAL_GENERATION,
    ErrorCode.REBALANCE_IN_PROGRESS,
  ]
  return passing.includes(error.code())
}
