/** kafkajs's logger: levels, namespaces, and a `logCreator` that makes the function lines go to. */
import type { LogEvent } from '../events/event-maps.ts'
import type { Timing } from './timing.ts'

export const logLevel = { NOTHING: 0, ERROR: 1, WARN: 2, INFO: 4, DEBUG: 5 } as const
export type logLevel = (typeof logLevel)[keyof typeof logLevel]

export interface LogEntry {
  readonly namespace: string
  readonly level: logLevel
  readonly label: string
  readonly log: { readonly timestamp: string; readonly message: string; readonly [key: string]: unknown }
}

export type LogCreator = (level: logLevel) => (entry: LogEntry) => void

export interface Logger {
  info(message: string, extra?: object): void
  error(message: string, extra?: object): void
  warn(message: string, extra?: object): void
  debug(message: string, extra?: object): void
  namespace(namespace: string, level?: logLevel): Logger
  setLogLevel(level: logLevel): void
}

const labels: Readonly<Record<number, string>> = { 1: 'ERROR', 2: 'WARN', 4: 'INFO', 5: 'DEBUG' }

/** JSON lines to stderr and stdout, one an entry. */
export const defaultLogCreator: LogCreator = () => (entry) => {
  const { namespace, label, log, level } = entry
  const line = `${JSON.stringify({ level: label, ...log, logger: 'kafkito', namespace })}\n`
  if (level <= logLevel.WARN) process.stderr.write(line)
  else process.stdout.write(line)
}

export function makeLogger(options: {
  readonly namespace: string
  readonly level: logLevel
  readonly write: (entry: LogEntry) => void
  readonly timing: Timing
}): Logger {
  const { namespace, write, timing } = options
  let threshold = options.level
  const log =
    (level: logLevel) =>
    (message: string, extra: object = {}): void => {
      if (level > threshold) return
      const timestamp = new Date(timing.wallMs()).toISOString()
      write({ namespace, level, label: labels[level] ?? '', log: { timestamp, message, ...extra } })
    }
  return {
    error: log(logLevel.ERROR),
    warn: log(logLevel.WARN),
    info: log(logLevel.INFO),
    debug: log(logLevel.DEBUG),
    namespace: (name, level = threshold) =>
      makeLogger({ ...options, namespace: namespace === '' ? name : `${namespace}.${name}`, level }),
    setLogLevel: (level) => {
      threshold = level
    },
  }
}

/** Syslog's thresholds for the client's own log. */
export function syslogLevel(level: logLevel): number {
  return { 0: 0, 1: 3, 2: 4, 4: 6, 5: 7 }[level] ?? 6
}

interface Logged {
  on(name: 'log', listener: (line: LogEvent) => void): unknown
  on(name: 'error', listener: (error: Error) => void): unknown
}

/** What a handle logs goes through the façade's logger, and what would be an unheard `error` too. */
export function forwardLog(handle: Logged, logger: Logger): void {
  handle.on('log', ({ level, facility, message }) => {
    const line = `${facility}: ${message}`
    if (level <= 3) logger.error(line)
    else if (level === 4) logger.warn(line)
    else if (level <= 6) logger.info(line)
    else logger.debug(line)
  })
  handle.on('error', (error) => logger.error(error.message, { stack: error.stack }))
}
