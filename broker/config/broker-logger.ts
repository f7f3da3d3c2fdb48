/**
 * The loggers of a broker, as the BROKER_LOGGER resource shows them (KIP-412). A logger without a level of its own
 * has the level of the nearest logger above it by dots, at last of `root`. Levels live in the broker's memory only.
 */

export const LOG_LEVELS = ['FATAL', 'ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export const ROOT_LOGGER = 'root'
export const DEFAULT_LOG_LEVEL: LogLevel = 'INFO'

/** One logger per part of a broker. */
export const LOGGERS = {
  [ROOT_LOGGER]: 'Every logger that has no level of its own.',
  'kafkito.network': 'Listeners, connections, requests that could not be read.',
  'kafkito.request': 'Every request and its answer.',
  'kafkito.storage': 'Logs, segments, recovery, retention, compaction.',
  'kafkito.replica': 'Leaders, followers, in-sync sets.',
  'kafkito.controller': 'Metadata, elections, broker registrations.',
  'kafkito.coordinator.group': 'Classic, consumer and share groups, offsets.',
  'kafkito.coordinator.transaction': 'Transactions and producer ids.',
  'kafkito.security': 'Authentication and authorization.',
} as const

export type LoggerName = keyof typeof LOGGERS

export function isLogLevel(text: string): text is LogLevel {
  return (LOG_LEVELS as readonly string[]).includes(text)
}

export function isLogger(name: string): name is LoggerName {
  return Object.hasOwn(LOGGERS, name)
}

/** The level that counts for a logger, given the levels that were set. */
export function effectiveLevel(name: string, levels: ReadonlyMap<string, LogLevel>): LogLevel {
  for (let candidate = name; ; ) {
    const level = levels.get(candidate)
    if (level !== undefined) return level
    const dot = candidate.lastIndexOf('.')
    if (dot < 0) break
    candidate = candidate.slice(0, dot)
  }
  return levels.get(ROOT_LOGGER) ?? DEFAULT_LOG_LEVEL
}
