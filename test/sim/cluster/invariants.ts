/**
 * What always holds in a Kafka cluster. One function an invariant; each throws a `Violation` that carries its name. The first seven are those
 * of every replicated log, the others are promises to clients.
 */
import type { MetadataImage, PartitionImage, TopicImage } from '../../../broker/metadata/image.ts'
import type { CommittedBatch, CommittedLog, Ledger, SentRecord, SimTransaction } from './ledger.ts'
import { Violation } from './violation.ts'

/** A replica as one broker sees it at one moment. */
export interface ReplicaView {
  readonly nodeId: number
  readonly topic: string
  readonly topicId: string
  readonly index: number
  readonly isLeader: boolean
  readonly leaderEpoch: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logEndOffset: number
  readonly logStartOffset: number
  /** Where the newest epoch of the epoch cache begins; -1: it is empty. */
  readonly lastEpochStart: number
  /** Of the last batch that it remembers of any producer; -1: of none. */
  readonly lastProducedOffset: number
}

function place(view: { readonly topic: string; readonly index: number }): string {
  return `${view.topic}-${view.index}`
}

function check(condition: boolean, invariant: string, message: () => string): void {
  if (!condition) throw new Violation(invariant, message())
}

/** 1. Log start offset <= LSO <= HW <= LEO on every replica. */
export function watermarksAreInOrder(view: ReplicaView): void {
  const { logStartOffset, lastStableOffset, highWatermark, logEndOffset } = view
  check(
    logStartOffset <= highWatermark && lastStableOffset <= highWatermark && highWatermark <= logEndOffset,
    'watermarks are in order',
    () =>
      `${place(view)} on broker ${view.nodeId} has log start ${logStartOffset}, LSO ${lastStableOffset}, HW ${highWatermark}, LEO ${logEndOffset}`,
  )
}

/** 1b. A follower knows no higher watermark than some leader had. */
export function followersFollowTheWatermark(log: CommittedLog, view: ReplicaView): void {
  check(
    view.highWatermark <= log.endOffset,
    'followers follow the high watermark',
    () =>
      `${place(view)} on broker ${view.nodeId} has HW ${view.highWatermark}, no leader ever had more than ${log.endOffset}`,
  )
}

/** 1c. A leader's watermark does not go back in its epoch. */
export function watermarkNeverGoesBack(view: ReplicaView, before: ReplicaView): void {
  if (!view.isLeader || !before.isLeader || view.leaderEpoch !== before.leaderEpoch) return
  check(
    view.highWatermark >= before.highWatermark,
    'the high watermark never goes back in an epoch',
    () =>
      `${place(view)} on broker ${view.nodeId} went from ${before.highWatermark} to ${view.highWatermark}`,
  )
}

/** 1d. The epoch cache speaks of nothing that was cut off the log. */
export function epochCacheEndsWithTheLog(view: ReplicaView): void {
  check(
    view.lastEpochStart <= view.logEndOffset,
    'the epoch cache ends with the log',
    () =>
      `${place(view)} on broker ${view.nodeId} has an epoch that begins at ${view.lastEpochStart}, its log ends at ${view.logEndOffset}`,
  )
}

/** 1e. What a replica remembers of producers, to recognize their repetitions, is in its log. */
export function producersAreOfTheLog(view: ReplicaView): void {
  check(
    view.lastProducedOffset < view.logEndOffset,
    'producer state is of the log',
    () =>
      `${place(view)} on broker ${view.nodeId} remembers a batch at offset ${view.lastProducedOffset}, its log ends at ${view.logEndOffset}`,
  )
}

/** 2. Any two logs agree below the smaller high watermark. */
export function logsAgree(log: CommittedLog, nodeId: number, batch: CommittedBatch): void {
  const known = log.byBaseOffset.get(batch.baseOffset)
  check(
    known !== undefined &&
      known.crc === batch.crc &&
      known.nextOffset === batch.nextOffset &&
      known.leaderEpoch === batch.leaderEpoch,
    'logs agree below the high watermark',
    () =>
      `${place(log)} on broker ${nodeId} has ${describe(batch)} at ${batch.baseOffset}, committed was ${known === undefined ? 'something else' : describe(known)}`,
  )
}

function describe({ values, leaderEpoch, baseOffset, nextOffset, control }: CommittedBatch): string {
  return `[${control ?? values.join(' ')}] ${baseOffset}..${nextOffset} of epoch ${leaderEpoch}`
}

/** 3. Every member of ISR and ELR that is up holds everything below the true high watermark. */
export function inSyncReplicasAreComplete(log: CommittedLog, state: PartitionImage, view: ReplicaView): void {
  const isMember = state.isr.includes(view.nodeId) || state.elr.includes(view.nodeId)
  check(
    !isMember || view.logEndOffset >= log.endOffset,
    'members of ISR and ELR hold what is committed',
    () =>
      `${place(view)}: broker ${view.nodeId} is in ISR [${state.isr}] ELR [${state.elr}] and has LEO ${view.logEndOffset}, committed is ${log.endOffset}`,
  )
}

/** 4. At most one leader in an epoch. */
export function oneLeaderPerEpoch(ledger: Ledger, view: ReplicaView): void {
  const key = `${view.leaderEpoch} of ${view.topicId}-${view.index}`
  const other = ledger.leaders.get(key)
  check(
    other === undefined || other === view.nodeId,
    'one leader per epoch',
    () => `${place(view)}: brokers ${other} and ${view.nodeId} lead in epoch ${view.leaderEpoch}`,
  )
  ledger.leaders.set(key, view.nodeId)
}

/** 4b. Leader epochs never go back. */
export function epochsNeverGoBack(view: ReplicaView, before: ReplicaView): void {
  check(
    view.leaderEpoch >= before.leaderEpoch,
    'epochs never go back',
    () =>
      `${place(view)} on broker ${view.nodeId} went from epoch ${before.leaderEpoch} to ${view.leaderEpoch}`,
  )
}

/** 5. What was acknowledged with acks=all is committed, at the offset that the producer was told. */
export function acknowledgedIsCommitted(log: CommittedLog, record: SentRecord, offset: number): void {
  check(
    offset < log.endOffset && log.values.get(offset) === record.value,
    'what acks=all acknowledged is committed',
    () =>
      `${record.value} was acknowledged at offset ${offset} of ${place(log)}, committed is ${log.endOffset} with ${log.values.get(offset)} there`,
  )
}

/** 6. Consumers get nothing at or above the high watermark, and what they get is what was committed. */
export function consumersSeeTheCommitted(log: CommittedLog, offset: number, value: string): void {
  check(
    offset < log.endOffset,
    'consumers see nothing beyond the high watermark',
    () => `a consumer got offset ${offset} of ${place(log)}, committed is ${log.endOffset}`,
  )
  check(
    log.values.get(offset) === value,
    'consumers see what was committed',
    () => `a consumer got ${value} at ${offset} of ${place(log)}, committed was ${log.values.get(offset)}`,
  )
}

/** 7. Every change of leader, ISR, ELR or replicas has a partition epoch of its own. */
export function partitionEpochGrows(
  ledger: Ledger,
  topic: TopicImage,
  index: number,
  state: PartitionImage,
  before: PartitionImage | undefined,
): void {
  check(
    before === undefined ||
      state.partitionEpoch > before.partitionEpoch ||
      stateText(state) === stateText(before),
    'the partition epoch grows with every change',
    () => `${topic.name}-${index} went from ${before && stateText(before)} to ${stateText(state)}`,
  )
  check(
    before === undefined || state.leaderEpoch >= before.leaderEpoch,
    'epochs never go back',
    () => `${topic.name}-${index} went from ${before && stateText(before)} to ${stateText(state)}`,
  )
  const key = `${state.partitionEpoch} of ${topic.id}-${index}`
  const known = ledger.states.get(key)
  const text = stateText(state)
  check(
    known === undefined || known === text,
    'the partition epoch grows with every change',
    () => `${topic.name}-${index} has partition epoch ${state.partitionEpoch} as ${known} and as ${text}`,
  )
  ledger.states.set(key, text)
}

export function stateText(state: PartitionImage): string {
  const { leaderId, leaderEpoch, partitionEpoch, isr, elr, replicas } = state
  return `leader ${leaderId} LE ${leaderEpoch} PE ${partitionEpoch} ISR [${isr}] ELR [${elr}] of [${replicas}]`
}

/** 7b. The leader is in the ISR and the ISR among the replicas. */
export function leaderIsInSync(topic: TopicImage, index: number, state: PartitionImage): void {
  check(
    (state.leaderId < 0 || state.isr.includes(state.leaderId)) &&
      state.isr.every((member) => state.replicas.includes(member)) &&
      state.elr.every((member) => !state.isr.includes(member)),
    'the leader is in the ISR and the ISR among the replicas',
    () => `${topic.name}-${index}: ${stateText(state)}`,
  )
}

/** What all brokers that know the same metadata offset know is the same. */
export function metadataAgrees(left: MetadataImage, right: MetadataImage): void {
  if (left.offset !== right.offset) return
  for (const topic of left.topicsById.values()) {
    const other = right.topicsById.get(topic.id)
    topic.partitions.forEach((state, index) => {
      const otherState = other?.partitions[index]
      check(
        otherState !== undefined && stateText(otherState) === stateText(state),
        'brokers agree about the metadata',
        () =>
          `${topic.name}-${index} at offset ${left.offset}: ${stateText(state)} and ${otherState && stateText(otherState)}`,
      )
    })
  }
}

/** 8. Nothing that acks=all acknowledged is lost, with everything repaired. */
export function nothingAcknowledgedIsLost(log: CommittedLog, found: ReadonlyMap<number, string>): void {
  for (const [offset, value] of log.acknowledged) {
    check(
      found.get(offset) === value,
      'nothing that was acknowledged is lost',
      () => `${value} was acknowledged at ${offset} of ${place(log)}; there is ${found.get(offset)}`,
    )
  }
}

/** 9. An idempotent producer's record is there at most once. */
export function nothingIsDuplicated(
  seen: Map<string, string>,
  record: SentRecord | undefined,
  where: string,
): void {
  if (record === undefined || !record.isIdempotent) return
  const other = seen.get(record.value)
  check(
    other === undefined,
    'an idempotent producer writes a record once',
    () => `${record.value} is at ${other} and at ${where}`,
  )
  seen.set(record.value, where)
}

/** 10. A transaction is seen wholly or not at all, as its producer was told. */
export function transactionsAreAtomic(
  transactions: readonly SimTransaction[],
  visible: ReadonlySet<string>,
): void {
  for (const { id, values, outcome } of transactions) {
    const seen = values.filter((value) => visible.has(value)).length
    const expected =
      outcome === 'committed'
        ? seen === values.length
        : outcome === 'aborted'
          ? seen === 0
          : seen === 0 || seen === values.length
    check(
      expected,
      'transactions are atomic',
      () => `${id} is ${outcome}; a careful reader sees ${seen} of its ${values.length} records [${values}]`,
    )
  }
}

/** 11. A careful reader gets nothing of a transaction that was aborted. */
export function nothingAbortedIsRead(record: SentRecord | undefined): void {
  check(
    record?.transaction?.outcome !== 'aborted',
    'careful readers see nothing that was aborted',
    () => `${record?.value} of ${record?.transaction?.id} was read`,
  )
}

/** 12. A group's committed offset never goes back. */
export function committedOffsetsNeverGoBack(
  ledger: Ledger,
  groupId: string,
  partition: string,
  fetched: number,
): void {
  const known = ledger.committedOffsets.get(`${groupId}/${partition}`)
  check(
    known === undefined || fetched >= known.offset,
    'committed offsets never go back',
    () => `group ${groupId} committed ${known?.offset} of ${partition}, and now that is ${fetched}`,
  )
}

/** 13. In one generation a partition belongs to one member. */
export function oneOwnerPerGeneration(
  ledger: Ledger,
  owner: { groupId: string; generation: number; memberId: string; partition: string },
): void {
  const key = `${owner.groupId}/${owner.generation}/${owner.partition}`
  const other = ledger.owners.get(key)
  check(
    other === undefined || other === owner.memberId,
    'a partition has one owner in a generation',
    () =>
      `${owner.partition} belongs to ${other} and ${owner.memberId} in generation ${owner.generation} of ${owner.groupId}`,
  )
  ledger.owners.set(key, owner.memberId)
}
