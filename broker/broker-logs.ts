/**
 * The log directories of one broker, opened, and the log among them that it cannot do without: that of the metadata.
 */
import type { FileError } from '../common/runtime/files.ts'
import { FilePool } from '../storage/file-pool.ts'
import type { Log } from '../storage/log.ts'
import { logConfig } from '../storage/log-config.ts'
import type { LogDirectory } from '../storage/log-directory.ts'
import { LogManager } from '../storage/log-manager.ts'
import { TailCache } from '../storage/tail-cache.ts'
import type { BrokerOptions } from './broker-options.ts'
import type { BrokerSettings } from './broker-settings.ts'
import type { BrokerConfig } from './config/broker-config.ts'
import { METADATA_TOPIC_ID } from './raft/raft-messages.ts'
import { StartError } from './start-error.ts'
import { storageSettings } from './storage-settings.ts'
import { METADATA_TOPIC } from './topic-names.ts'

/** Locks the directories and reads what they say of themselves; the logs are loaded later. Throws what LogManager throws. */
export function openLogDirectories(
  options: BrokerOptions,
  settings: BrokerSettings,
  onDirectoryFailure: (directory: LogDirectory, error: FileError) => void,
): LogManager {
  const { nodeId, clusterId, runtime, scheduler, logDirectories, config } = options
  const { files, clock, reactor, random, trace } = runtime
  const logs = new LogManager({
    context: {
      files,
      clock,
      scheduler,
      reactor,
      random,
      trace,
      filePool: new FilePool(files),
      tailCache: new TailCache(),
    },
    nodeId,
    clusterId,
    logDirectories,
    configOf: ({ topic }) =>
      topic === METADATA_TOPIC ? metadataLogConfig(config) : settings.topicConfig(topic),
    onDirectoryFailure,
    ...storageSettings(config),
  })
  logs.openDirectories()
  return logs
}

/** The files of the metadata log. Throws StartError, with the directories let go, when they cannot be had. */
export function openMetadataLogFiles(logs: LogManager): Log {
  const place = { topic: METADATA_TOPIC, partition: 0 }
  const failed = logs.directories.find(({ isOnline }) => !isOnline)
  // Were it begun anew because its directory cannot be read, every topic would be forgotten.
  const isMissed = failed !== undefined && logs.get(place) === undefined
  const log = isMissed ? undefined : logs.getOrCreate(place, { topicId: METADATA_TOPIC_ID })
  if (log === undefined) {
    const reason = directoryFailed(failed ?? logs.directories.find(({ isOnline }) => !isOnline))
    // Nobody holds this broker yet who could end it, and its process may live on: the next life needs the lock.
    logs.kill()
    throw reason
  }
  return log
}

export function directoryFailed(directory: LogDirectory | undefined): StartError {
  return new StartError(
    'DIRECTORY_FAILED',
    `The log directory ${directory?.path ?? ''} cannot be used: ${directory?.failure?.message ?? 'it is offline'}`,
    'Check that it exists, is writable and has free space, or give another one with --data-dir.',
  )
}

/** As in Kafka it obeys settings of its own, and none of those for topics; it has snapshots for retention. */
function metadataLogConfig(config: BrokerConfig) {
  return logConfig({
    retentionMs: -1,
    retentionBytes: -1,
    maxMessageBytes: config.get('internal.metadata.max.batch.size.in.bytes'),
    fileDeleteDelayMs: config.get('internal.metadata.delete.delay.millis'),
    segmentBytes:
      config.get('internal.metadata.log.segment.bytes') ?? config.get('metadata.log.segment.bytes'),
    segmentMs: config.get('metadata.log.segment.ms'),
  })
}
