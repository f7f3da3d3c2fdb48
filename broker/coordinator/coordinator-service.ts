/**
 * The coordinators of one kind on one broker: a state machine for each partition of the internal topic that this broker
 * leads. Group, transaction and share coordinators are three instances of it.
 *
 * Owner: the broker, which tells it of leadership and watermarks. Invariants: at most one machine a partition, of the
 * newest leader epoch seen; a machine that lost its partition answers nobody any more.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import { Deferred } from '../../common/runtime/deferred.ts'
import type { Runtime } from '../../common/runtime/runtime.ts'
import type { ReplicatedLog } from '../statemachine/replicated-log.ts'
import { type MachineTimers, type RuntimeErrors, StateMachineRuntime } from '../statemachine/runtime.ts'
import type {
  Outcome,
  ProducerIdentity,
  Result,
  StateMachine,
  StateRecordFormat,
  TransactionMarker,
} from '../statemachine/state-machine.ts'
import { accepted } from '../statemachine/state-machine.ts'
import type { CoordinatorRecord } from './coordinator-record.ts'

/** What one shard is told when it is made. */
export interface ShardContext {
  readonly partitionIndex: number
  readonly leaderEpoch: number
  readonly timers: MachineTimers<CoordinatorRecord>
}

export interface CoordinatorServiceOptions<Shard extends StateMachine<CoordinatorRecord>> {
  /** Names machines in timers and traces: `group coordinator`. */
  readonly name: string
  /** The internal topic: `__consumer_offsets`. */
  readonly topic: string
  readonly runtime: Runtime
  readonly format: StateRecordFormat<CoordinatorRecord>
  /** Partitions of the internal topic; 0 while it does not exist. */
  readonly partitionCount: () => number
  readonly createShard: (context: ShardContext) => Shard
  /** How long an answer waits for its records to be committed. */
  readonly writeTimeoutMs: () => number
  readonly loadBytesPerSlice?: () => number
  readonly errors?: Partial<RuntimeErrors>
}

export class CoordinatorService<Shard extends StateMachine<CoordinatorRecord>> {
  readonly topic: string
  readonly #options: CoordinatorServiceOptions<Shard>
  readonly #shards = new Map<number, LedShard<Shard>>()
  #isClosed = false

  constructor(options: CoordinatorServiceOptions<Shard>) {
    this.topic = options.topic
    this.#options = options
  }

  // --- what the broker tells ---------------------------------------------------------------------------------------

  /** Begins to replay the partition; who asks meanwhile is told COORDINATOR_LOAD_IN_PROGRESS. */
  onLeadershipGained(partitionIndex: number, leaderEpoch: number, log: ReplicatedLog): void {
    if (this.#isClosed) return
    const known = this.#shards.get(partitionIndex)
    if (known !== undefined) {
      if (known.leaderEpoch >= leaderEpoch) return
      known.runtime.unload()
    }
    const { name, topic, runtime, format, createShard, writeTimeoutMs, loadBytesPerSlice } = this.#options
    const loadBytes = loadBytesPerSlice?.()
    const machine = new StateMachineRuntime<CoordinatorRecord, Shard>({
      name: `${name} ${topic}-${partitionIndex}`,
      runtime,
      log,
      format,
      createMachine: (timers) => createShard({ partitionIndex, leaderEpoch, timers }),
      errors: { ...COORDINATOR_ERRORS, ...this.#options.errors },
      writeTimeoutMs: writeTimeoutMs(),
      ...(loadBytes === undefined ? {} : { loadBytesPerSlice: loadBytes }),
    })
    this.#shards.set(partitionIndex, { leaderEpoch, runtime: machine })
    machine.startLoading()
  }

  /** @param leaderEpoch the epoch that begins without this broker; undefined when the replica is gone */
  onLeadershipLost(partitionIndex: number, leaderEpoch: number | undefined): void {
    const known = this.#shards.get(partitionIndex)
    if (known === undefined || (leaderEpoch !== undefined && known.leaderEpoch > leaderEpoch)) return
    this.#shards.delete(partitionIndex)
    known.runtime.unload()
  }

  /** The high watermark of a led partition has moved. */
  onHighWatermark(partitionIndex: number): void {
    this.#shards.get(partitionIndex)?.runtime.onHighWatermark()
  }

  /** A transaction marker was appended to a led partition at this offset (WriteTxnMarkers). */
  onTransactionMarker(partitionIndex: number, marker: TransactionMarker, offset: number): void {
    this.#shards.get(partitionIndex)?.runtime.replayTransactionMarker(marker, offset)
  }

  close(): void {
    this.#isClosed = true
    for (const { runtime } of this.#shards.values()) runtime.unload()
    this.#shards.clear()
  }

  // --- questions and changes ---------------------------------------------------------------------------------------

  /** @returns undefined while the internal topic does not exist */
  partitionFor(key: string): number | undefined {
    const count = this.#options.partitionCount()
    return count > 0 ? partitionForKey(key, count) : undefined
  }

  /**
   * @returns the machine that answers for the key, or NOT_COORDINATOR (also while the internal topic does not exist: finding a
   * coordinator is what creates it), COORDINATOR_NOT_AVAILABLE when this broker stops, COORDINATOR_LOAD_IN_PROGRESS
   */
  shardFor(key: string): Result<StateMachineRuntime<CoordinatorRecord, Shard>> {
    if (this.#isClosed) return { error: ErrorCode.COORDINATOR_NOT_AVAILABLE }
    const partitionIndex = this.partitionFor(key)
    const shard = partitionIndex === undefined ? undefined : this.#shards.get(partitionIndex)?.runtime
    if (shard === undefined || shard.state === 'unloaded') return { error: ErrorCode.NOT_COORDINATOR }
    if (shard.state === 'loading') return { error: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS }
    return accepted(shard)
  }

  /** Decides on the shard of `key`, appends, replays, answers when committed. */
  write<Response>(
    key: string,
    label: string,
    operation: (shard: Shard) => Outcome<Response, CoordinatorRecord>,
    producer?: ProducerIdentity,
  ): Deferred<Result<Response>> {
    const found = this.shardFor(key)
    if (found.error !== ErrorCode.NONE) return Deferred.of<Result<Response>>(found)
    return found.value.write(label, operation, producer)
  }

  /** Answers from the shard of `key` when all earlier writes are committed. */
  read<Response>(
    key: string,
    label: string,
    operation: (shard: Shard) => Response,
  ): Deferred<Result<Response>> {
    const found = this.shardFor(key)
    if (found.error !== ErrorCode.NONE) return Deferred.of<Result<Response>>(found)
    return found.value.read(label, operation)
  }

  /** The same question to every led shard; those that load or stop answer with their error. */
  readAll<Response>(label: string, operation: (shard: Shard) => Response): Deferred<Result<Response>[]> {
    return Deferred.all(this.#inOrder().map(({ runtime }) => runtime.read(label, operation)))
  }

  /** The same change on every led and loaded shard. */
  writeAll(
    label: string,
    operation: (shard: Shard) => Outcome<void, CoordinatorRecord>,
  ): Deferred<Result<void>[]> {
    return Deferred.all(this.#inOrder().map(({ runtime }) => runtime.write(label, operation)))
  }

  /** The machines by partition, for views and tests. */
  ledPartitions(): ReadonlyMap<number, StateMachineRuntime<CoordinatorRecord, Shard>> {
    return new Map([...this.#shards].map(([partitionIndex, { runtime }]) => [partitionIndex, runtime]))
  }

  #inOrder(): LedShard<Shard>[] {
    return [...this.#shards].sort(([left], [right]) => left - right).map(([, shard]) => shard)
  }
}

interface LedShard<Shard extends StateMachine<CoordinatorRecord>> {
  readonly leaderEpoch: number
  readonly runtime: StateMachineRuntime<CoordinatorRecord, Shard>
}

/** `String.hashCode` of Java: 31-polynomial over UTF-16 code units, in 32 bits. */
export function javaStringHash(text: string): number {
  let hash = 0
  for (let index = 0; index < text.length; index++) hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0
  return hash
}

/** The partition of an internal topic that a key belongs to. Kafka's `abs` turns the smallest int32 into 0. */
export function partitionForKey(key: string, partitionCount: number): number {
  const hash = javaStringHash(key)
  const positive = hash === -0x8000_0000 ? 0 : Math.abs(hash)
  return positive % partitionCount
}

/** How the coordinators name what their log refused. */
const COORDINATOR_ERRORS: RuntimeErrors = {
  loading: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  notLeader: ErrorCode.NOT_COORDINATOR,
  timedOut: ErrorCode.COORDINATOR_NOT_AVAILABLE,
  fromAppend: (error) => {
    switch (error) {
      case ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
      case ErrorCode.NOT_ENOUGH_REPLICAS:
      case ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND:
      case ErrorCode.REQUEST_TIMED_OUT:
        return ErrorCode.COORDINATOR_NOT_AVAILABLE
      case ErrorCode.NOT_LEADER_OR_FOLLOWER:
      case ErrorCode.KAFKA_STORAGE_ERROR:
        return ErrorCode.NOT_COORDINATOR
      case ErrorCode.MESSAGE_TOO_LARGE:
      case ErrorCode.RECORD_LIST_TOO_LARGE:
      case ErrorCode.INVALID_FETCH_SIZE:
        return ErrorCode.UNKNOWN_SERVER_ERROR
      case ErrorCode.NONE:
        throw new Error('an accepted append has no error')
      default:
        return error
    }
  },
}
