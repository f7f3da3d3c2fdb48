/** What the logs hold when all is well again: every record, and whether a careful reader sees it. */
import { batchesOf } from '../cluster/observer.ts'
import type { SimCluster } from '../cluster/sim-cluster.ts'
import { Violation } from '../cluster/violation.ts'

export interface FinalRecord {
  readonly offset: number
  readonly value: string
  /** Of a transaction that was aborted. */
  isAborted: boolean
}

export interface FinalLog {
  readonly topic: string
  readonly partition: number
  readonly records: readonly FinalRecord[]
  /** Offsets of what a careful reader sees, in order. */
  readonly visible: readonly FinalRecord[]
  readonly byOffset: ReadonlyMap<number, FinalRecord>
}

/** By `topic-partition`. @throws Violation when a partition has no leader */
export function finalLogs(cluster: SimCluster, topics: readonly string[]): Map<string, FinalLog> {
  const logs = new Map<string, FinalLog>()
  for (const name of topics) {
    cluster.image?.topicsByName.get(name)?.partitions.forEach(({ leaderId }, partition) => {
      const log = readLog(cluster, name, partition, leaderId)
      if (log === undefined)
        throw new Violation('the cluster recovers', `${name}-${partition} has no leader with a log`)
      logs.set(`${name}-${partition}`, log)
    })
  }
  return logs
}

/** Whether every partition has a leader that knows of it: metadata comes before what follows from it. */
export function everythingHasALeader(cluster: SimCluster): boolean {
  for (const { partitions, name } of cluster.image?.topicsById.values() ?? [])
    for (const [index, { leaderId }] of partitions.entries()) {
      const replicas = cluster.nodes[leaderId - 1]?.broker?.services.replicas.partitions() ?? []
      const isLed = [...replicas].some(
        (replica) => replica.topic === name && replica.index === index && replica.isLeader,
      )
      if (!isLed) return false
    }
  return true
}

function readLog(
  cluster: SimCluster,
  topic: string,
  partition: number,
  leaderId: number,
): FinalLog | undefined {
  const replicas = cluster.node(leaderId).broker?.services.replicas.partitions() ?? []
  for (const replica of replicas) {
    const { log } = replica
    if (replica.topic !== topic || replica.index !== partition || log === undefined) continue
    const records: FinalRecord[] = []
    const open = new Map<number, FinalRecord[]>()
    for (const batch of batchesOf(log, 0, log.logEndOffset, topic)) {
      const { producerId, control, isTransactional } = batch
      if (control !== undefined) {
        if (control === 'abort') for (const record of open.get(producerId) ?? []) record.isAborted = true
        open.delete(producerId)
        continue
      }
      batch.values.forEach((value, index) => {
        const record: FinalRecord = { offset: batch.baseOffset + index, value, isAborted: false }
        records.push(record)
        if (isTransactional) open.set(producerId, [...(open.get(producerId) ?? []), record])
      })
    }
    for (const left of open.values())
      throw new Violation(
        'every transaction ends',
        `${left[0]?.value} of ${topic}-${partition} is in one that did not`,
      )
    return {
      topic,
      partition,
      records,
      visible: records.filter(({ isAborted }) => !isAborted),
      byOffset: new Map(records.map((record) => [record.offset, record])),
    }
  }
  return undefined
}
