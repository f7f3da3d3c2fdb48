/** `describeLogDirs`: what lies in the log directories of brokers. */
import { DescribeLogDirs } from '../../../common/protocol/apis/35-describe-log-dirs.ts'
import { ErrorCode } from '../../../common/protocol/errors.ts'
import { KafkaError, KafkaException, ValueError } from '../../errors.ts'
import { TopicPartition } from '../../values/topic-partition.ts'
import type { AdminEngine } from '../admin-engine.ts'
import { type AdminOptions, OptionReader } from '../admin-options.ts'
import { KeyedMap, type ResultMap } from '../keyed-map.ts'

export interface ReplicaInfo {
  readonly sizeBytes: number
  /** Behind the high watermark, or behind the current replica for a future one. */
  readonly offsetLag: number
  /** It is being moved here from another directory. */
  readonly isFuture: boolean
}

export interface LogDirDescription {
  readonly error: KafkaError | null
  readonly replicas: ReadonlyMap<TopicPartition, ReplicaInfo>
  /** Of the volume; null when the broker does not tell (before Kafka 3.3). */
  readonly totalBytes: number | null
  readonly usableBytes: number | null
}

/** By broker, then by path. */
export function describeLogDirs(
  engine: AdminEngine,
  brokerIds: readonly number[],
  options?: AdminOptions,
): ResultMap<number, Map<string, LogDirDescription>> {
  if (!Array.isArray(brokerIds)) throw new TypeError('brokerIds must be a list of numbers')
  for (const id of brokerIds) {
    if (typeof id !== 'number') throw new TypeError('brokerIds must be a list of numbers')
    if (!Number.isInteger(id) || id < 0) throw new ValueError(`${id} is not the id of a broker`)
  }
  const ids: number[] = [...brokerIds]
  const limits = new OptionReader(options).limits()
  return engine.keyed<number, Map<string, LogDirDescription>>(ids, limits, async (call, results) => {
    const describe = async (nodeId: number): Promise<void> => {
      const request = { api: DescribeLogDirs, body: { topics: null } }
      const { response } = await call.ask({ kind: 'broker', nodeId }, request)
      const directories = new Map<string, LogDirDescription>()
      for (const { logDir, errorCode, topics, totalBytes, usableBytes } of response.results) {
        const replicas = new KeyedMap<TopicPartition, ReplicaInfo>()
        for (const { name, partitions } of topics) {
          for (const { partitionIndex, partitionSize, offsetLag, isFutureKey } of partitions) {
            const replica = { sizeBytes: partitionSize, offsetLag, isFuture: isFutureKey }
            replicas.set(new TopicPartition(name, partitionIndex), replica)
          }
        }
        directories.set(logDir, {
          error: errorCode === ErrorCode.NONE ? null : new KafkaError(errorCode),
          replicas,
          totalBytes: totalBytes < 0 ? null : totalBytes,
          usableBytes: usableBytes < 0 ? null : usableBytes,
        })
      }
      results.settle(nodeId, response.errorCode, null, directories)
    }
    await Promise.all(
      ids.map((nodeId) =>
        describe(nodeId).catch((reason: unknown) => {
          if (!(reason instanceof KafkaException)) throw reason
          results.reject(nodeId, reason)
        }),
      ),
    )
  })
}
