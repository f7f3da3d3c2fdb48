/**
 * What the parts of one log work on together; the `Log` makes and owns it.
 */
import type { TopicPartition } from './file-names.ts'
import type { LeaderEpochCache } from './leader-epoch-cache.ts'
import type { LocalLog } from './local-log.ts'
import type { LogWatermarks } from './log-watermarks.ts'
import type { LogWriter } from './log-writer.ts'
import type { ProducerState } from './producer-state.ts'
import type { LogDirectoryState, StorageContext } from './storage-context.ts'

export interface LogLayers {
  readonly context: StorageContext
  readonly directory: LogDirectoryState
  readonly topicPartition: TopicPartition
  readonly local: LocalLog
  readonly epochs: LeaderEpochCache
  readonly producers: ProducerState
  readonly watermarks: LogWatermarks
  readonly writer: LogWriter
}
