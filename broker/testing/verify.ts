/**
 * What must hold at the end of a test: every fault was met, clients made no mistakes, replicas agree, nobody is left in a group.
 */
import type { Cluster } from '../cluster.ts'
import type { FaultEngine } from './fault-engine.ts'
import type { FaultBuilder, Faults } from './faults.ts'
import { journalLine } from './journal.ts'
import type { Wire } from './wire.ts'

/** Errors that a correct client never gets from a healthy cluster. */
const MISTAKES: ReadonlySet<string> = new Set([
  'UNKNOWN_SERVER_ERROR',
  'CORRUPT_MESSAGE',
  'INVALID_REQUEST',
  'INVALID_RECORD',
  'INVALID_REQUIRED_ACKS',
  'INVALID_TIMESTAMP',
  'INVALID_SESSION_TIMEOUT',
  'INVALID_GROUP_ID',
  'INVALID_TRANSACTION_TIMEOUT',
  'INCONSISTENT_GROUP_PROTOCOL',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
  'KAFKA_STORAGE_ERROR',
])

export class VerificationError extends Error {
  override readonly name = 'VerificationError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`The cluster is not as a test should leave it:\n- ${problems.join('\n- ')}`)
    this.problems = problems
  }
}

/** All that a cluster in this process can be asked. */
export function problemsHere(cluster: Cluster, engine: FaultEngine, faults: Faults): string[] {
  return [
    ...faultProblems(faults.unused()),
    ...heldProblems(faults.holding()),
    ...requestProblems(engine),
    ...invariantProblems(cluster),
    ...memberProblems(cluster),
  ]
}

/** Of a cluster elsewhere only leaders, and what scopes left, can be seen. */
export async function problemsElsewhere(
  wire: Wire,
  scopePrefixes: readonly string[],
  leftovers: (prefix: string) => Promise<readonly string[]>,
): Promise<string[]> {
  const { topics } = await wire.metadata(null)
  const leaderless = (topics ?? []).flatMap(({ name, partitions }) =>
    partitions
      .filter(({ leaderId }) => leaderId < 0)
      .map(({ partitionIndex }) => `${name}-${partitionIndex} has no leader`),
  )
  const left = await Promise.all(scopePrefixes.map((prefix) => leftovers(`${prefix}.`)))
  return [...leaderless, ...left.flat()]
}

export function faultProblems(unused: readonly FaultBuilder[]): string[] {
  return unused.map((fault) => `nothing ever matched ${fault.toString()}`)
}

export function heldProblems(holding: readonly FaultBuilder[]): string[] {
  return holding.map(
    (fault) => `${fault.heldCount} request(s) are still held by ${fault.toString()}. Release or remove it`,
  )
}

function requestProblems(engine: FaultEngine): string[] {
  const wrong = engine.journal
    .list()
    .filter(({ errors, isFault }) => !isFault && errors.some((error) => MISTAKES.has(error)))
  return [...engine.problems, ...wrong.map((entry) => `a client was refused: ${journalLine(entry)}`)]
}

/** Groups that still have members. @param isMeant by their id */
export function memberProblems(
  cluster: Cluster,
  isMeant: (groupId: string) => boolean = () => true,
): string[] {
  const problems: string[] = []
  for (const { services } of cluster.brokers) {
    for (const machine of services.groups.service.ledPartitions().values()) {
      for (const group of machine.machine.state.groups.values()) {
        if (!isMeant(group.groupId) || group.members.size === 0) continue
        const clients = [...group.members.values()].map(({ clientId }) => clientId || '(no client id)')
        problems.push(
          `group "${group.groupId}" still has ${group.members.size} member(s): ${clients.join(', ')}. Disconnect every consumer before the test ends`,
        )
      }
    }
  }
  return problems
}

/** Lessons' invariants: watermarks, agreement below them, one leader per epoch. */
export function invariantProblems(cluster: Cluster): string[] {
  const problems: string[] = []
  const leaders = new Map<string, number>()
  const replicas = new Map<string, { nodeId: number; highWatermark: number }[]>()
  for (const { nodeId, services } of cluster.brokers) {
    for (const partition of services.replicas.partitions()) {
      const { log } = partition
      if (log === undefined) continue
      const name = partition.toString()
      if (log.highWatermark > log.logEndOffset)
        problems.push(
          `${name} on broker ${nodeId}: the high watermark ${log.highWatermark} lies above the end ${log.logEndOffset}`,
        )
      if (partition.isLeader) {
        const key = `${name} in epoch ${partition.leaderEpoch}`
        const other = leaders.get(key)
        if (other !== undefined) problems.push(`${key} has two leaders: ${other} and ${nodeId}`)
        leaders.set(key, nodeId)
      }
      const known = replicas.get(name) ?? []
      known.push({ nodeId, highWatermark: log.highWatermark })
      replicas.set(name, known)
    }
  }
  for (const [name, copies] of replicas) problems.push(...disagreements(cluster, name, copies))
  return problems
}

const COMPARED_BYTES = 1 << 20

function disagreements(
  cluster: Cluster,
  name: string,
  copies: readonly { nodeId: number; highWatermark: number }[],
): string[] {
  const [first, ...others] = copies
  if (first === undefined) return []
  const read = (nodeId: number, upTo: number): Buffer | undefined => {
    const partitions = cluster.brokers
      .find((broker) => broker.nodeId === nodeId)
      ?.services.replicas.partitions()
    const log = [...(partitions ?? [])].find((partition) => partition.toString() === name)?.log
    if (log === undefined || log.logStartOffset >= upTo) return undefined
    const found = log.read({
      offset: log.logStartOffset,
      maxBytes: COMPARED_BYTES,
      upTo: 'highWatermark',
      atLeastOneBatch: true,
    })
    return found.error === 0 ? Buffer.from(found.records) : undefined
  }
  return others.flatMap((other): string[] => {
    const upTo = Math.min(first.highWatermark, other.highWatermark)
    const one = read(first.nodeId, upTo)
    const two = read(other.nodeId, upTo)
    if (one === undefined || two === undefined) return []
    const length = Math.min(one.length, two.length)
    return one.subarray(0, length).equals(two.subarray(0, length))
      ? []
      : [
          `${name}: the replicas on brokers ${first.nodeId} and ${other.nodeId} differ below the high watermark ${upTo}`,
        ]
  })
}
