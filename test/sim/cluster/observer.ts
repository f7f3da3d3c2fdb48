/**
 * Looks at every replica and every broker's metadata after each turn, keeps the ledger of what is committed, and applies the invariants to what
 * has changed.
 */
import type { PartitionImage, TopicImage } from '../../../broker/metadata/image.ts'
import type { Partition } from '../../../broker/replica/partition.ts'
import { BatchCursor, type BatchView } from '../../../common/record/batch.ts'
import { ControlRecordType, controlRecordTypeOf } from '../../../common/record/control-record.ts'
import { RecordReader } from '../../../common/record/record-reader.ts'
import type { Log } from '../../../storage/log.ts'
import {
  epochCacheEndsWithTheLog,
  epochsNeverGoBack,
  followersFollowTheWatermark,
  inSyncReplicasAreComplete,
  leaderIsInSync,
  logsAgree,
  oneLeaderPerEpoch,
  partitionEpochGrows,
  producersAreOfTheLog,
  type ReplicaView,
  stateText,
  watermarkNeverGoesBack,
  watermarksAreInOrder,
} from './invariants.ts'
import { type CommittedBatch, type CommittedLog, keyOf, type Ledger } from './ledger.ts'
import type { SimCluster } from './sim-cluster.ts'
import type { SimNode } from './sim-node.ts'

const READ_BYTES = 1 << 20

/** What was seen of a replica last; one a life of a partition object. */
interface Seen {
  readonly committed: CommittedLog
  readonly key: string
  view: ReplicaView | undefined
  /** Below this offset the log was compared with what is committed. */
  verifiedTo: number
  /** What the check of its membership was made against. */
  checkedEnd: number
  checkedState: PartitionImage | undefined
}

/** What is in a batch. */
export function committedBatch(batch: BatchView, topic: string): CommittedBatch {
  const values: string[] = []
  let control: CommittedBatch['control']
  if (batch.isControl || !topic.startsWith('__')) {
    const reader = new RecordReader(batch)
    while (reader.next()) {
      if (!batch.isControl) {
        values.push(reader.value?.toString() ?? '')
        continue
      }
      const type = controlRecordTypeOf(reader.key)
      control =
        type === ControlRecordType.COMMIT ? 'commit' : type === ControlRecordType.ABORT ? 'abort' : 'other'
    }
  }
  return {
    baseOffset: batch.baseOffset,
    nextOffset: batch.nextOffset,
    leaderEpoch: batch.partitionLeaderEpoch,
    crc: batch.crc,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    isTransactional: batch.isTransactional,
    control,
    values,
  }
}

/** Whole batches between two offsets of a log. */
export function* batchesOf(log: Log, from: number, upTo: number, topic: string): Generator<CommittedBatch> {
  for (let offset = Math.max(from, log.logStartOffset); offset < upTo; ) {
    const read = log.read({ offset, maxBytes: READ_BYTES, upTo: 'logEnd', atLeastOneBatch: true })
    if (read.error !== 0) throw new Error(`${topic} cannot be read at offset ${offset}: error ${read.error}`)
    const cursor = new BatchCursor(read.records)
    const start = offset
    while (cursor.next()) {
      if (cursor.batch.nextOffset > upTo) return
      if (cursor.batch.nextOffset <= from) continue
      yield committedBatch(cursor.batch, topic)
      offset = cursor.batch.nextOffset
    }
    if (offset === start) return
  }
}

function lastProducedOffset(log: Log): number {
  let last = -1
  for (const { producerId } of log.activeProducers())
    last = Math.max(last, log.producerEntry(producerId)?.batches.at(-1)?.lastOffset ?? -1)
  return last
}

export class Observer {
  readonly #cluster: SimCluster
  readonly #ledger: Ledger
  readonly #seen = new WeakMap<Partition, Seen>()
  /** Per node: the state of each partition that its metadata showed last. */
  readonly #states = new Map<number, { life: number; topics: Map<string, TopicImage>; offset: number }>()
  /** The newest state of each partition that any broker knows. */
  readonly #latest = new Map<string, { topic: TopicImage; index: number; state: PartitionImage }>()

  constructor(cluster: SimCluster, ledger: Ledger) {
    this.#cluster = cluster
    this.#ledger = ledger
  }

  /** To be called after every turn. */
  look(): void {
    for (const node of this.#cluster.nodes) this.#lookAtMetadata(node)
    const followers: [SimNode, Partition, Seen][] = []
    for (const node of this.#cluster.nodes) {
      for (const partition of node.broker?.services.replicas.partitions() ?? []) {
        const seen = this.#seenOf(partition)
        // Leaders first: what they committed is what followers are compared with.
        if (partition.isLeader) this.#lookAtReplica(node, partition, seen)
        else followers.push([node, partition, seen])
      }
    }
    for (const [node, partition, seen] of followers) this.#lookAtReplica(node, partition, seen)
  }

  #seenOf(partition: Partition): Seen {
    let seen = this.#seen.get(partition)
    if (seen === undefined) {
      seen = {
        committed: this.#ledger.log(partition),
        key: keyOf(partition),
        view: undefined,
        verifiedTo: 0,
        checkedEnd: -1,
        checkedState: undefined,
      }
      this.#seen.set(partition, seen)
    }
    return seen
  }

  #lookAtMetadata(node: SimNode): void {
    const { broker, nodeId, life } = node
    if (broker === undefined) return
    const image = broker.services.metadata
    let states = this.#states.get(nodeId)
    if (states === undefined || states.life !== life) {
      states = { life, topics: new Map(), offset: -2 }
      this.#states.set(nodeId, states)
    }
    if (states.offset === image.offset) return
    states.offset = image.offset
    for (const topic of image.topicsById.values()) {
      const before = states.topics.get(topic.id)
      if (before === topic) continue
      states.topics.set(topic.id, topic)
      topic.partitions.forEach((state, index) => {
        const stateBefore = before?.partitions[index]
        if (stateBefore === state) return
        partitionEpochGrows(this.#ledger, topic, index, state, stateBefore)
        leaderIsInSync(topic, index, state)
        const key = keyOf({ topicId: topic.id, index })
        const latest = this.#latest.get(key)
        if (latest !== undefined && latest.state.partitionEpoch >= state.partitionEpoch) return
        this.#latest.set(key, { topic, index, state })
        this.#cluster.events.add(`${topic.name}-${index}: ${stateText(state)}`)
      })
    }
  }

  #lookAtReplica(node: SimNode, partition: Partition, seen: Seen): void {
    const { log } = partition
    if (log === undefined || log.isFailed) return
    const before = seen.view
    if (
      before !== undefined &&
      before.highWatermark === log.highWatermark &&
      before.logEndOffset === log.logEndOffset &&
      before.isLeader === partition.isLeader &&
      before.leaderEpoch === partition.leaderEpoch &&
      before.lastStableOffset === log.lastStableOffset
    ) {
      this.#checkMember(node, before, seen, false)
      return
    }
    const view: ReplicaView = {
      nodeId: node.nodeId,
      topic: partition.topic,
      topicId: partition.topicId,
      index: partition.index,
      isLeader: partition.isLeader,
      leaderEpoch: partition.leaderEpoch,
      highWatermark: log.highWatermark,
      lastStableOffset: log.lastStableOffset,
      logEndOffset: log.logEndOffset,
      logStartOffset: log.logStartOffset,
      lastEpochStart: log.epochEntries.at(-1)?.startOffset ?? -1,
      lastProducedOffset: lastProducedOffset(log),
    }
    epochCacheEndsWithTheLog(view)
    producersAreOfTheLog(view)
    watermarksAreInOrder(view)
    const { committed } = seen
    if (view.isLeader) {
      oneLeaderPerEpoch(this.#ledger, view)
    }
    // In one turn it may have committed more and then been deposed.
    if (view.isLeader || before?.isLeader === true)
      committed.endOffset = Math.max(committed.endOffset, view.highWatermark)
    followersFollowTheWatermark(committed, view)
    if (before !== undefined) {
      epochsNeverGoBack(view, before)
      watermarkNeverGoesBack(view, before)
    }
    const verifiedTo = Math.min(seen.verifiedTo, view.logEndOffset)
    seen.view = view
    seen.verifiedTo = node.observe(() => this.#verify(node, committed, log, verifiedTo, view))
    this.#checkMember(node, view, seen, true)
    this.#cluster.events.add(
      `${view.topic}-${view.index} on ${node.nodeId}: ${view.isLeader ? 'L' : 'F'} LE ${view.leaderEpoch} ${view.logEndOffset}/${view.highWatermark}/${view.lastStableOffset}`,
    )
  }

  /** Compares the log below its watermark, or learns from a leader what is committed. */
  #verify(node: SimNode, committed: CommittedLog, log: Log, from: number, view: ReplicaView): number {
    let verifiedTo = from
    for (const batch of batchesOf(log, from, view.highWatermark, view.topic)) {
      const isNew = batch.baseOffset >= (committed.batches.at(-1)?.nextOffset ?? 0)
      if (isNew) this.#ledger.add(committed, batch)
      logsAgree(committed, node.nodeId, batch)
      verifiedTo = batch.nextOffset
    }
    return verifiedTo
  }

  #checkMember(node: SimNode, view: ReplicaView, seen: Seen, isChanged: boolean): void {
    const state = this.#latest.get(seen.key)?.state
    const { endOffset } = seen.committed
    if (state === undefined) return
    if (!isChanged && seen.checkedEnd === endOffset && seen.checkedState === state) return
    // The controller does not know yet that this is another life.
    const registered = this.#cluster.image?.brokers.get(node.nodeId)?.epoch
    if (registered === undefined || registered !== node.broker?.lifecycle.brokerEpoch) return
    seen.checkedEnd = endOffset
    seen.checkedState = state
    inSyncReplicasAreComplete(seen.committed, state, view)
  }
}
