/**
 * Behaviour: this broker's log directories with their space and the replicas in them; `topics` null asks for all replicas. Topics and
 *   partitions that are not here are left out. The metadata log is not listed.
 * Versions: v3 an error for the whole answer; v4 total and usable bytes (KIP-827); v5 whether the directory is cordoned (KIP-1066).
 * Errors: KAFKA_STORAGE_ERROR for a directory that has failed.
 * Deviations: there are no future replicas, since replicas do not move between directories.
 */
import { DescribeLogDirs } from '../../common/protocol/apis/35-describe-log-dirs.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { RequestOf, ResponseInputOf } from '../../common/protocol/schema.ts'
import type { Log } from '../../storage/log.ts'
import { METADATA_TOPIC } from '../topic-names.ts'
import { defineHandler } from './handler.ts'
import { isCordoned } from './log-directories.ts'

type Request = RequestOf<typeof DescribeLogDirs>
type Response = ResponseInputOf<typeof DescribeLogDirs>
type Topics = Response['results'][number]['topics']

function isWanted(log: Log, wanted: Request['topics']): boolean {
  const { topic, partition } = log.topicPartition
  if (topic === METADATA_TOPIC) return false
  return wanted?.some((entry) => entry.topic === topic && entry.partitions.includes(partition)) ?? true
}

function topicsOf(logs: readonly Log[], wanted: Request['topics']): Topics {
  const topics = new Map<string, Topics[number]['partitions'][number][]>()
  for (const log of logs) {
    if (!isWanted(log, wanted)) continue
    const { topic, partition } = log.topicPartition
    const partitions = topics.get(topic) ?? []
    topics.set(topic, partitions)
    partitions.push({
      partitionIndex: partition,
      partitionSize: log.sizeBytes,
      offsetLag: Math.max(0, log.highWatermark - log.logEndOffset),
      isFutureKey: false,
    })
  }
  return [...topics].map(([name, partitions]) => ({ name, partitions }))
}

export const describeLogDirs = defineHandler(DescribeLogDirs, {
  versions: '1-5',
  runsOn: 'any',
  handle: ({ broker }, request) => ({
    results: broker.logs.describe().map(({ path, isOnline, logs, totalBytes, usableBytes }) => ({
      errorCode: isOnline ? ErrorCode.NONE : ErrorCode.KAFKA_STORAGE_ERROR,
      logDir: path,
      topics: isOnline ? topicsOf(logs, request.topics) : [],
      totalBytes,
      usableBytes,
      isCordoned: isCordoned(broker, path),
    })),
  }),
  refuse: (_request, error) => ({ errorCode: error, results: [] }),
})
