/**
 * How a partition changes: leader election, ELR (KIP-966) and the end of a reassignment, decided together so that each
 * change is one record.
 *
 * Leader election, first that fits:
 *
 *     preferred:  first replica │ present leader │ other replicas in order │ last known leader
 *     otherwise:  present leader │ replicas in order │ last known leader │ unclean: any live replica in order
 *
 * where a replica fits when it is alive and in the ISR, or, with an empty ISR, in the ELR. Only the last known leader and the
 * last resort of an unclean election may lose records: the ISR becomes that leader alone, and it recovers.
 *
 * Epochs: the leader epoch goes up when the record names a leader, and a record that takes replicas away always names one; the
 * partition epoch goes up with every record.
 */
import type { PartitionImage, TopicImage } from '../metadata/image.ts'
import { RECORD_VERSIONS } from '../metadata/image-records.ts'
import { type MetadataRecord, type MetadataRecordOf, metadataRecord } from '../metadata/metadata-record.ts'
import { type ControllerMachine, defaultDirectory, hasOnlineDirectory } from './machine.ts'

export const NO_LEADER = -1
const NO_LEADER_CHANGE = -2

export type Election = 'preferred' | 'online' | 'unclean'

export type PartitionChangeRecord = MetadataRecordOf<'PartitionChangeRecord'>

export interface PartitionChange {
  readonly topicId: string
  readonly partitionId: number
  readonly partition: PartitionImage
  readonly minIsr: number
  readonly isElrEnabled: boolean
  readonly election: Election
  isAcceptableLeader(replica: number): boolean
  defaultDirectoryOf(replica: number): string
  /** What the partition should become, where it differs. */
  readonly isr?: readonly number[]
  readonly replicas?: readonly number[]
  readonly removingReplicas?: readonly number[]
  readonly addingReplicas?: readonly number[]
  /** Replica to directory, where it differs from the present. */
  readonly directories?: ReadonlyMap<number, string>
  readonly leaderRecoveryState?: 0 | 1
  /** Came back without the proof of a clean shutdown: may have lost records, so it leaves the ELR. */
  readonly uncleanShutdownReplicas?: readonly number[]
}

interface Target {
  isr: readonly number[]
  replicas: readonly number[]
  removing: readonly number[]
  adding: readonly number[]
  elr: readonly number[]
}

/** The record that makes the change; undefined when there is nothing to change. */
export function partitionChange(change: PartitionChange): PartitionChangeRecord | undefined {
  const { partition, topicId, partitionId } = change
  const target: Target = {
    isr: change.isr ?? partition.isr,
    replicas: change.replicas ?? partition.replicas,
    removing: change.removingReplicas ?? partition.removingReplicas,
    adding: change.addingReplicas ?? partition.addingReplicas,
    elr: partition.elr,
  }
  completeReassignment(target)
  if (change.isElrEnabled) {
    target.elr = target.isr.length >= change.minIsr ? [] : nextElr(change, target)
  }
  const record = metadataRecord('PartitionChangeRecord', RECORD_VERSIONS.PARTITION_CHANGE, {
    topicId,
    partitionId,
  })
  const { value } = record
  elect(change, target, value)
  if (value.leader === NO_LEADER_CHANGE && !includesAll(target.replicas, partition.replicas)) {
    value.leader = partition.leaderId
  }
  // An unclean election wrote the ISR already; whoever was eligible is not any more.
  if (value.isr !== null || !change.isElrEnabled) target.elr = []
  if (!equalLists(target.elr, partition.elr)) value.eligibleLeaderReplicas = [...target.elr]
  const mayIsrBeEmpty = change.isElrEnabled || target.isr.length > 0
  if (value.isr === null && mayIsrBeEmpty && !equalLists(target.isr, partition.isr))
    value.isr = [...target.isr]
  noteLastKnownLeader(change, value)
  setAssignment(change, target, value)
  const recoveryState = change.leaderRecoveryState ?? partition.leaderRecoveryState
  if (recoveryState !== partition.leaderRecoveryState) value.leaderRecoveryState = recoveryState
  return isNoOp(value) ? undefined : record
}

/** All added replicas are in sync and someone remains: the assignment becomes what was asked for (KIP-455). */
function completeReassignment(target: Target): void {
  if (target.removing.length === 0 && target.adding.length === 0) return
  const isr = target.isr.filter((replica) => !target.removing.includes(replica))
  const replicas = target.replicas.filter((replica) => !target.removing.includes(replica))
  if (target.removing.length > 0 && (isr.length === 0 || replicas.length === 0)) return
  if (!includesAll(isr, target.adding)) return
  // When replicas become fewer, all that stay must be in sync.
  if (target.adding.length < target.removing.length && !includesAll(isr, replicas)) return
  target.isr = isr
  target.replicas = replicas
  target.removing = []
  target.adding = []
}

/**
 * Below min ISR: whoever was in sync or eligible stays eligible, but for those that may have lost records and those that a reassignment took
 * away. Kafka 4.4 keeps the latter; as they are never elected and the list is not empty, no last known leader is either, for ever.
 */
function nextElr(change: PartitionChange, { isr, replicas }: Target): readonly number[] {
  const candidates = new Set([...change.partition.elr, ...change.partition.isr])
  return [...candidates]
    .filter((replica) => replicas.includes(replica) && !isr.includes(replica))
    .filter((replica) => change.uncleanShutdownReplicas?.includes(replica) !== true)
    .sort((left, right) => left - right)
}

function elect(change: PartitionChange, target: Target, value: PartitionChangeRecord['value']): void {
  const { partition } = change
  const { leader, isUnclean } = electLeader(change, target)
  if (leader === partition.leaderId) return
  if (target.elr.includes(leader)) {
    target.isr = [leader]
    target.elr = target.elr.filter((replica) => replica !== leader)
  }
  value.leader = leader
  if (isUnclean) {
    value.isr = [leader]
    if (partition.leaderRecoveryState !== 1) value.leaderRecoveryState = 1
  }
}

function electLeader(change: PartitionChange, target: Target): { leader: number; isUnclean: boolean } {
  const { partition, election } = change
  const isValid = (replica: number): boolean =>
    (target.isr.includes(replica) || (target.isr.length === 0 && target.elr.includes(replica))) &&
    change.isAcceptableLeader(replica)
  const clean = (leader: number) => ({ leader, isUnclean: false })
  const [preferred] = target.replicas
  if (election === 'preferred' && preferred !== undefined && isValid(preferred)) return clean(preferred)
  if (isValid(partition.leaderId)) return clean(partition.leaderId)
  const inOrder = target.replicas.find(isValid)
  if (inOrder !== undefined) return clean(inOrder)
  const lastKnown = lastKnownLeader(change, target)
  if (lastKnown !== undefined) return { leader: lastKnown, isUnclean: true }
  if (election === 'unclean') {
    const live = target.replicas.find((replica) => change.isAcceptableLeader(replica))
    if (live !== undefined) return { leader: live, isUnclean: true }
  }
  return clean(NO_LEADER)
}

function lastKnownLeader(change: PartitionChange, target: Target): number | undefined {
  if (!change.isElrEnabled || target.elr.length > 0 || target.isr.length > 0) return undefined
  const { lastKnownElr } = change.partition
  const [leader] = lastKnownElr
  return lastKnownElr.length === 1 && leader !== undefined && change.isAcceptableLeader(leader)
    ? leader
    : undefined
}

/** When the leader goes and nobody follows, it is remembered; it is forgotten when there is a leader again. Without ELR neither happens. */
function noteLastKnownLeader(change: PartitionChange, value: PartitionChangeRecord['value']): void {
  const { partition } = change
  if (!change.isElrEnabled) return
  if (value.leader === NO_LEADER && partition.lastKnownElr.length === 0) {
    value.lastKnownElr = [partition.leaderId]
  } else if (value.leader >= 0 && partition.lastKnownElr.length > 0) {
    value.lastKnownElr = []
  }
}

function setAssignment(change: PartitionChange, target: Target, value: PartitionChangeRecord['value']): void {
  const { partition } = change
  const present = new Map(partition.replicas.map((replica, index) => [replica, partition.directories[index]]))
  const directories = target.replicas.map(
    (replica) =>
      change.directories?.get(replica) ?? present.get(replica) ?? change.defaultDirectoryOf(replica),
  )
  if (!equalLists(directories, partition.directories)) value.directories = directories
  if (!equalLists(target.replicas, partition.replicas)) value.replicas = [...target.replicas]
  if (!equalLists(target.removing, partition.removingReplicas)) value.removingReplicas = [...target.removing]
  if (!equalLists(target.adding, partition.addingReplicas)) value.addingReplicas = [...target.adding]
}

function isNoOp(value: PartitionChangeRecord['value']): boolean {
  return (
    value.isr === null &&
    value.eligibleLeaderReplicas === null &&
    value.lastKnownElr === null &&
    value.leader === NO_LEADER_CHANGE &&
    value.replicas === null &&
    value.removingReplicas === null &&
    value.addingReplicas === null &&
    value.leaderRecoveryState === -1 &&
    value.directories === null
  )
}

/** What the controller knows about a partition, as the base of a change. */
export function changeOf(
  machine: ControllerMachine,
  topic: TopicImage,
  partitionId: number,
  partition: PartitionImage,
): PartitionChange {
  return {
    topicId: topic.id,
    partitionId,
    partition,
    minIsr: machine.effectiveMinIsr(topic),
    isElrEnabled: machine.isElrEnabled,
    election: machine.topicSetting(topic.name, 'unclean.leader.election.enable') ? 'unclean' : 'online',
    isAcceptableLeader: (replica) => machine.isActive(replica) && isOnline(machine, partition, replica),
    defaultDirectoryOf: (replica) => defaultDirectory(machine.image.brokers.get(replica)),
  }
}

/** Brokers that are about to change, so that the present state of the cluster is not what counts. */
export interface BrokerChange {
  /** Leaves the ISR and may not lead. */
  readonly leaving?: number
  /** May lead although it is still fenced. */
  readonly arriving?: number
  /** Leaves ISR and ELR: it may have lost records. */
  readonly unclean?: number
}

/** What the partitions become when a broker comes or goes. */
export function brokerChangeRecords(
  machine: ControllerMachine,
  partitions: Iterable<{ readonly topicId: string; readonly partitionId: number }>,
  { leaving, arriving, unclean }: BrokerChange,
): MetadataRecord[] {
  const records: MetadataRecord[] = []
  const bases = new Map<string, Pick<PartitionChange, 'minIsr' | 'election'>>()
  for (const { topicId, partitionId } of partitions) {
    const topic = machine.image.topicsById.get(topicId)
    const partition = topic?.partitions[partitionId]
    if (topic === undefined || partition === undefined) continue
    let base = bases.get(topicId)
    if (base === undefined) {
      base = changeOf(machine, topic, partitionId, partition)
      bases.set(topicId, base)
    }
    const record = partitionChange({
      topicId,
      partitionId,
      partition,
      minIsr: base.minIsr,
      election: base.election,
      isElrEnabled: machine.isElrEnabled,
      isAcceptableLeader: (replica) =>
        replica !== leaving &&
        replica !== unclean &&
        (replica === arriving || machine.isActive(replica)) &&
        isOnline(machine, partition, replica),
      defaultDirectoryOf: (replica) => defaultDirectory(machine.image.brokers.get(replica)),
      isr: partition.isr.filter((replica) => replica !== leaving && replica !== unclean),
      ...(unclean === undefined ? {} : { uncleanShutdownReplicas: [unclean] }),
    })
    if (record !== undefined) records.push(record)
  }
  return records
}

function isOnline(machine: ControllerMachine, partition: PartitionImage, replica: number): boolean {
  const broker = machine.image.brokers.get(replica)
  const directory = partition.directories[partition.replicas.indexOf(replica)]
  return broker !== undefined && directory !== undefined && hasOnlineDirectory(broker, directory)
}

/** Partitions with the broker in their ISR, or in their ELR. */
export function* partitionsWith(machine: ControllerMachine, brokerId: number, list: 'isr' | 'elr') {
  for (const entry of machine.partitionsByMember.get(brokerId) ?? []) {
    if (machine.partitionOf(entry.topicId, entry.partitionId)?.[list].includes(brokerId) === true) yield entry
  }
}

export function includesAll<T>(list: readonly T[], items: readonly T[]): boolean {
  return items.every((item) => list.includes(item))
}

export function equalLists<T>(left: readonly T[], right: readonly T[]): boolean {
  return left.length === right.length && left.every((item, index) => item === right[index])
}
