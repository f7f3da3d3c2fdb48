import type { Log } from './log.ts'
import type { StorageContext } from './storage-context.ts'

export interface LogCleanerOptions {
  readonly logs: () => Iterable<Log>
  readonly checkpoints: (log: Log) => Map<string, number>
  readonly onCleaned: (log: Log) => void
}

export class LogCleaner {
  constructor(_context: StorageContext, _options: LogCleanerOptions) {}
  start(_label: string): void {}
  stop(): void {}
}
