/**
 * Assignments that a client gives by hand, and new partitions made of them.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { PartitionImage } from '../metadata/image.ts'
import { type ControllerMachine, defaultDirectory } from './machine.ts'
import { placeReplicas } from './placement.ts'
import { type ApiError, apiError, NO_ERROR } from './refusals.ts'

/** @param replicationFactor of the other partitions, when there are others */
export function checkManualAssignment(
  machine: ControllerMachine,
  replicas: readonly number[],
  replicationFactor: number | undefined,
): ApiError {
  const refused = (message: string): ApiError => apiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message)
  if (replicas.length === 0) return refused('The manual partition assignment includes an empty replica list.')
  const sorted = [...replicas].sort((left, right) => left - right)
  for (const [index, id] of sorted.entries()) {
    const broker = machine.image.brokers.get(id)
    if (broker === undefined) {
      return refused(
        `The manual partition assignment includes broker ${id}, but no such broker is registered.`,
      )
    }
    if (broker.directories.length > 0 && isCordoned(broker)) {
      return refused(
        `The manual partition assignment includes broker ${id}, but all its log directories are cordoned.`,
      )
    }
    if (index > 0 && sorted[index - 1] === id) {
      return refused(`The manual partition assignment includes the broker ${id} more than once.`)
    }
  }
  if (replicationFactor !== undefined && replicationFactor !== replicas.length) {
    return refused(
      `The manual partition assignment includes a partition with ${replicas.length} replica(s), but this is not consistent with previous partitions, which have ${replicationFactor} replica(s).`,
    )
  }
  return NO_ERROR
}

interface Directories {
  readonly directories: readonly string[]
  readonly cordonedDirectories: readonly string[] | null
}

function isCordoned({ directories, cordonedDirectories }: Directories): boolean {
  return directories.every((directory) => cordonedDirectories?.includes(directory))
}

/** Assigns by the placer to brokers that are not cordoned. */
export function placeAutomatically(
  machine: ControllerMachine,
  request: { partitionCount: number; replicationFactor: number },
) {
  const usable = [...machine.image.brokers.values()].filter(
    (broker) => broker.directories.length === 0 || !isCordoned(broker),
  )
  return placeReplicas(usable, request, machine.environment.random)
}

/** A partition as it begins; undefined when none of its replicas is active. */
export function newPartition(
  machine: ControllerMachine,
  replicas: readonly number[],
): PartitionImage | undefined {
  const isr = replicas.filter((replica) => machine.isActive(replica))
  const [leaderId] = isr
  if (leaderId === undefined) return undefined
  return {
    replicas,
    directories: replicas.map((replica) => defaultDirectory(machine.image.brokers.get(replica))),
    isr,
    removingReplicas: [],
    addingReplicas: [],
    elr: [],
    lastKnownElr: [],
    leaderId,
    leaderRecoveryState: 0,
    leaderEpoch: 0,
    partitionEpoch: 0,
  }
}
