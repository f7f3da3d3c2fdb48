/**
 * Behaviour: asks this broker to keep its replicas in the given log directories. A replica that lies there already is where it should
 *   be. Named twice, a partition's last directory counts.
 * Versions: v1, v2 differ in encoding only.
 * Errors: LOG_DIR_NOT_FOUND for a path that is not one of `log.dirs`, letter by letter; INVALID_REPLICA_ASSIGNMENT when the directory is
 *   cordoned (KIP-1066); KAFKA_STORAGE_ERROR when it or the replica's has failed; REPLICA_NOT_AVAILABLE when the replica is on another
 *   broker; UNKNOWN_TOPIC_OR_PARTITION.
 * Deviations: replicas do not move between directories: another directory of this broker is refused with UNSUPPORTED_VERSION, and no
 *   directory is remembered for a replica that comes later.
 */
import { AlterReplicaLogDirs } from '../../common/protocol/apis/34-alter-replica-log-dirs.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { RequestOf, ResponseInputOf } from '../../common/protocol/schema.ts'
import type { LogDirectory } from '../../storage/log-directory.ts'
import type { BrokerServices } from '../services.ts'
import { defineHandler } from './handler.ts'
import { isCordoned } from './log-directories.ts'

type Request = RequestOf<typeof AlterReplicaLogDirs>
type Response = ResponseInputOf<typeof AlterReplicaLogDirs>

/** What is wrong with a directory for every replica. */
function directoryError(
  broker: BrokerServices,
  path: string,
  directory: LogDirectory | undefined,
): ErrorCode {
  if (directory === undefined) return ErrorCode.LOG_DIR_NOT_FOUND
  if (isCordoned(broker, path)) return ErrorCode.INVALID_REPLICA_ASSIGNMENT
  return directory.isOnline ? ErrorCode.NONE : ErrorCode.KAFKA_STORAGE_ERROR
}

function moveError(broker: BrokerServices, path: string, topic: string, index: number): ErrorCode {
  const directory = broker.logs.directories.find((candidate) => candidate.path === path)
  const error = directoryError(broker, path, directory)
  if (error !== ErrorCode.NONE) return error
  const partition = broker.replicas.partition(topic, index)
  if (partition === undefined) {
    const missing = broker.replicas.missingPartitionError(topic, index)
    return missing === ErrorCode.NOT_LEADER_OR_FOLLOWER ? ErrorCode.REPLICA_NOT_AVAILABLE : missing
  }
  const { log } = partition
  if (log === undefined || log.isFailed) return ErrorCode.KAFKA_STORAGE_ERROR
  return log.path.startsWith(`${path}/`) ? ErrorCode.NONE : ErrorCode.UNSUPPORTED_VERSION
}

/** topic -> partition -> wanted directory. */
function wantedPaths(request: Request): ReadonlyMap<string, ReadonlyMap<number, string>> {
  const wanted = new Map<string, Map<number, string>>()
  for (const { path, topics } of request.dirs) {
    for (const { name, partitions } of topics) {
      const paths = wanted.get(name) ?? new Map<number, string>()
      wanted.set(name, paths)
      for (const index of partitions) paths.set(index, path)
    }
  }
  return wanted
}

function answer(
  request: Request,
  errorOf: (path: string, topic: string, index: number) => ErrorCode,
): Response {
  return {
    results: [...wantedPaths(request)].map(([topicName, paths]) => ({
      topicName,
      partitions: [...paths].map(([partitionIndex, path]) => ({
        partitionIndex,
        errorCode: errorOf(path, topicName, partitionIndex),
      })),
    })),
  }
}

export const alterReplicaLogDirs = defineHandler(AlterReplicaLogDirs, {
  versions: '1-2',
  runsOn: 'any',
  handle: ({ broker }, request) =>
    answer(request, (path, topic, index) => moveError(broker, path, topic, index)),
  refuse: (request, error) => answer(request, () => error),
})
