/**
 * A producer without transactions. With `isIdempotent` it sends several batches ahead under sequence numbers and sends them again until it
 * knows their fate or gives up; a record that was given up is never sent under another number. Without, every record is sent once.
 */
import { Produce } from '../../../common/protocol/apis/00-produce.ts'
import { InitProducerId } from '../../../common/protocol/apis/22-init-producer-id.ts'
import { ErrorCode, errorName } from '../../../common/protocol/errors.ts'
import { BatchBuilder } from '../../../common/record/batch-builder.ts'
import { acknowledgedIsCommitted } from '../cluster/invariants.ts'
import { keyOf, type SentRecord } from '../cluster/ledger.ts'
import type { SimCluster } from '../cluster/sim-cluster.ts'
import { Violation } from '../cluster/violation.ts'
import { type KnownPartition, SimClient } from './sim-client.ts'

const INIT_VERSION = 5
const DELIVERY_TIMEOUT_MS = 12_000
const MAX_AHEAD = 4

interface Batch {
  readonly records: readonly SentRecord[]
  readonly sequence: number
  readonly madeMs: number
}

interface Lane {
  readonly topicId: string
  readonly index: number
  nextSequence: number
  /** Not acknowledged, oldest first. */
  waiting: Batch[]
  inFlight: number
  /** How many of `waiting` are under way. */
  sent: number
  hasFailed: boolean
  /** The broker knows this producer in this partition. */
  isKnown: boolean
}

export interface ProducerOptions {
  readonly name: string
  readonly cluster: SimCluster
  readonly ledger: SimClient['ledger']
  readonly topics: readonly string[]
  readonly acks: 0 | 1 | -1
  readonly isIdempotent: boolean
  readonly intervalMs: number
}

export function batchBytes(
  values: readonly string[],
  options: {
    timestampMs: number
    producerId?: number
    producerEpoch?: number
    baseSequence?: number
    isTransactional?: boolean
  },
): Buffer {
  const { timestampMs, ...rest } = options
  const builder = new BatchBuilder(rest)
  for (const value of values) builder.append(timestampMs, null, Buffer.from(value))
  return builder.build()
}

export class Producer extends SimClient {
  readonly #options: ProducerOptions
  readonly #lanes = new Map<string, Lane>()
  #producerId = -1
  #producerEpoch = -1
  #made = 0
  #isStopped = false
  #isPreparing = false

  constructor(options: ProducerOptions) {
    super(options)
    this.#options = options
  }

  /** Makes nothing new any more. */
  stopProducing(): void {
    this.#isStopped = true
  }

  /** Nothing is under way. */
  get isIdle(): boolean {
    if (this.#isPreparing) return false
    for (const { waiting, inFlight } of this.#lanes.values())
      if (waiting.length > 0 || inFlight > 0) return false
    return true
  }

  override start(): void {
    this.#prepare(() => this.#tick())
  }

  /** Gets a producer id, when it needs one. */
  #prepare(done: () => void): void {
    if (!this.#options.isIdempotent) {
      done()
      return
    }
    this.#isPreparing = true
    this.call(
      this.anyNode(),
      InitProducerId,
      { transactionalId: null, transactionTimeoutMs: 10_000 },
      { version: INIT_VERSION },
    ).whenDone((answer) => {
      if (this.isClosed) return
      if (!answer.ok || answer.response.errorCode !== 0) {
        this.later(100, 'producer id again', () => this.#prepare(done))
        return
      }
      this.#isPreparing = false
      this.#producerId = answer.response.producerId
      this.#producerEpoch = answer.response.producerEpoch
      this.#lanes.clear()
      done()
    })
  }

  #tick(): void {
    if (this.#isStopped) return
    this.withMetadata(() => {
      const known = this.pick(this.partitions)
      if (known !== undefined && !this.#isStopped && !this.#isPreparing) this.#make(known)
    })
    const { intervalMs } = this.#options
    this.later(1 + this.random.int(2 * intervalMs), 'next record', () => this.#tick())
  }

  #make(known: KnownPartition): void {
    const { acks, isIdempotent } = this.#options
    const lane = this.#lane(known)
    const records = Array.from({ length: 1 + this.random.int(3) }, (): SentRecord => {
      this.#made += 1
      return {
        value: `${this.name}:${this.#made}`,
        partition: keyOf(known),
        acks,
        isIdempotent,
        transaction: undefined,
        state: 'pending',
      }
    })
    for (const record of records) this.ledger.sent.set(record.value, record)
    lane.waiting.push({ records, sequence: lane.nextSequence, madeMs: this.cluster.nowMs })
    lane.nextSequence += records.length
    this.#pump(lane)
  }

  #lane(known: KnownPartition): Lane {
    const key = keyOf(known)
    let lane = this.#lanes.get(key)
    if (lane === undefined) {
      lane = {
        topicId: known.topicId,
        index: known.index,
        nextSequence: 0,
        waiting: [],
        inFlight: 0,
        sent: 0,
        hasFailed: false,
        isKnown: false,
      }
      this.#lanes.set(key, lane)
    }
    return lane
  }

  #pump(lane: Lane): void {
    if (this.isClosed) return
    const { isIdempotent, acks } = this.#options
    const maxAhead = isIdempotent && lane.isKnown ? MAX_AHEAD : 1
    while (!lane.hasFailed && lane.inFlight < maxAhead && lane.sent < lane.waiting.length) {
      const known = this.partition(lane.topicId, lane.index)
      if (known === undefined || known.leaderId < 0) {
        lane.hasFailed = true
        this.#recover(lane)
        return
      }
      const batch = lane.waiting[lane.sent] as Batch
      lane.sent += 1
      if (acks === 0) {
        this.#send(known, batch, lane)
        lane.waiting.shift()
        lane.sent -= 1
        for (const record of batch.records) record.state = 'unknown'
        continue
      }
      lane.inFlight += 1
      this.#send(known, batch, lane)
    }
  }

  #send(known: KnownPartition, batch: Batch, lane: Lane): void {
    const { acks, isIdempotent } = this.#options
    const values = batch.records.map(({ value }) => value)
    const identity = isIdempotent
      ? { producerId: this.#producerId, producerEpoch: this.#producerEpoch, baseSequence: batch.sequence }
      : {}
    const records = batchBytes(values, { timestampMs: this.cluster.world.clock.wallMs(), ...identity })
    const request = {
      acks,
      timeoutMs: 1_500,
      topicData: [{ topicId: known.topicId, partitionData: [{ index: known.index, records }] }],
    }
    const { producerId } = { producerId: this.#producerId }
    const answer = this.call(known.leaderId, Produce, request)
    if (acks === 0) return
    answer.whenDone((result) => {
      if (this.isClosed) return
      lane.inFlight -= 1
      const partition = result.ok ? result.response.responses[0]?.partitionResponses[0] : undefined
      const error = partition?.errorCode
      if (producerId !== this.#producerId || !lane.waiting.includes(batch)) {
        // Given up in the meantime.
      } else if (error === ErrorCode.NONE) this.#acknowledged(known, batch, lane, partition?.baseOffset ?? -1)
      else this.#failed(known, batch, lane, error)
      this.#recover(lane)
    })
  }

  #acknowledged(known: KnownPartition, batch: Batch, lane: Lane, baseOffset: number): void {
    const at = lane.waiting.indexOf(batch)
    lane.waiting.splice(at, 1)
    lane.sent = Math.max(0, lane.sent - 1)
    lane.isKnown = true
    this.event(
      `acked ${batch.records.map(({ value }) => value).join(' ')} at ${baseOffset} of ${known.topic}-${known.index}`,
    )
    const log = this.ledger.log(known)
    batch.records.forEach((record, index) => {
      record.state = 'acknowledged'
      if (this.#options.acks !== -1) return
      acknowledgedIsCommitted(log, record, baseOffset + index)
      log.acknowledged.set(baseOffset + index, record.value)
      this.ledger.acknowledgedCount += 1
    })
  }

  #failed(known: KnownPartition, batch: Batch, lane: Lane, error: ErrorCode | undefined): void {
    this.event(`failed ${batch.records[0]?.value} ${error === undefined ? 'disconnected' : errorName(error)}`)
    lane.hasFailed = true
    this.staleMetadata()
    if (!this.#options.isIdempotent) {
      const isRefused = error === ErrorCode.NOT_LEADER_OR_FOLLOWER || error === ErrorCode.NOT_ENOUGH_REPLICAS
      for (const record of batch.records) record.state = isRefused ? 'refused' : 'unknown'
      lane.waiting.splice(lane.waiting.indexOf(batch), 1)
      lane.sent = Math.max(0, lane.sent - 1)
      return
    }
    const isHead = lane.waiting[0] === batch
    if (error === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER && isHead && this.#isRemembered(known, batch)) {
      throw new Violation(
        'a repeated batch is recognized',
        `${this.name} sent ${batch.records[0]?.value} again and was told that it is out of order`,
      )
    }
    // A leader that was deposed and has not heard of it misses what others acknowledged since.
    const isGap = error === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER && isHead && lane.isKnown
    if (isGap && isTrueLeader(this.cluster, known) && this.#isMissed(known, batch)) {
      throw new Violation(
        'nothing that was acknowledged is lost',
        `${this.name} misses a sequence in partition ${batch.records[0]?.partition} before ${batch.records[0]?.value} (${batch.sequence}) though all before it was acknowledged`,
      )
    }
  }

  /**
   * Whether the leader lacks what came before the batch. It may also have more: after a restart it remembers only the last batch of a
   * producer, as the snapshots of its state do in Kafka, and takes a repeated one before that for out of order.
   */
  #isMissed({ leaderId, topic, index }: KnownPartition, batch: Batch): boolean {
    const log = this.cluster.node(leaderId).broker?.services.replicas.partition(topic, index)?.log
    const last = log?.producerEntry(this.#producerId)?.batches.at(-1)?.lastSequence ?? -1
    return last < batch.sequence - 1
  }

  /** Whether the batch is among the last ones that the leader remembers. */
  #isRemembered({ leaderId, topic, index }: KnownPartition, { sequence, records }: Batch): boolean {
    const log = this.cluster.node(leaderId).broker?.services.replicas.partition(topic, index)?.log
    const batches = log?.producerEntry(this.#producerId)?.batches ?? []
    return batches.some(({ lastSequence }) => lastSequence === sequence + records.length - 1)
  }

  /** When nothing is under way any more, begins anew with the oldest that has no answer. */
  #recover(lane: Lane): void {
    if (!lane.hasFailed) {
      this.#pump(lane)
      return
    }
    if (lane.inFlight > 0) return
    const [oldest] = lane.waiting
    if (oldest !== undefined && this.cluster.nowMs - oldest.madeMs > DELIVERY_TIMEOUT_MS) {
      this.#giveUp()
      return
    }
    this.later(20 + this.random.int(200), 'retry', () => {
      this.refresh(() => {
        if (!lane.hasFailed || lane.inFlight > 0) return
        lane.hasFailed = false
        lane.sent = 0
        this.#pump(lane)
      })
    })
  }

  /** Nobody knows what became of what is waiting; a new identity cannot be confused with the old one. */
  #giveUp(): void {
    this.event('gives up')
    for (const lane of this.#lanes.values()) {
      for (const { records } of lane.waiting) for (const record of records) record.state = 'unknown'
      lane.waiting = []
      lane.sent = 0
      lane.hasFailed = false
    }
    if (!this.#options.isIdempotent) return
    this.#producerId = -1
    this.#prepare(() => {})
  }
}

/** Whether the broker leads the partition in the newest epoch that there is. */
function isTrueLeader(cluster: SimCluster, { leaderId, topic, index }: KnownPartition): boolean {
  const state = cluster.image?.topicsByName.get(topic)?.partitions[index]
  const replica = cluster.node(leaderId).broker?.services.replicas.partition(topic, index)
  return (
    state?.leaderId === leaderId && replica?.isLeader === true && replica.leaderEpoch === state.leaderEpoch
  )
}
