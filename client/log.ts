/**
 * Log lines of one handle: to the application's logger through the served queue, else to stderr. Levels are syslog's.
 */
export const LogLevel = {
  EMERG: 0,
  ALERT: 1,
  CRIT: 2,
  ERR: 3,
  WARNING: 4,
  NOTICE: 5,
  INFO: 6,
  DEBUG: 7,
} as const
export type LogLevel = (typeof LogLevel)[keyof typeof LogLevel]

export type LogMethod = (message: string) => void

/** A logger of Python's shape (`log(level, format, …)`), or one with methods like console's or pino's. */
export interface LogSink {
  readonly log?: (level: number, format: string, ...args: unknown[]) => void
  readonly critical?: LogMethod
  readonly fatal?: LogMethod
  readonly error?: LogMethod
  readonly warning?: LogMethod
  readonly warn?: LogMethod
  readonly info?: LogMethod
  readonly debug?: LogMethod
}

const sinkMethods = ['log', 'critical', 'fatal', 'error', 'warning', 'warn', 'info', 'debug'] as const

/** Whether lines can be given to the object at all. */
export function isLogSink(value: unknown): value is LogSink {
  return sinkMethods.some((name) => typeof (value as LogSink)[name] === 'function')
}

/** What `debug` may switch on. */
export type DebugContext =
  | 'generic'
  | 'broker'
  | 'topic'
  | 'metadata'
  | 'feature'
  | 'queue'
  | 'msg'
  | 'protocol'
  | 'cgrp'
  | 'security'
  | 'fetch'
  | 'consumer'
  | 'admin'
  | 'eos'
  | 'assignor'
  | 'conf'
  | 'telemetry'

/** The levels of Python's logging module, which `log(level, …)` speaks. */
const pythonLevels = { critical: 50, error: 40, warn: 30, info: 20, debug: 10 } as const
type Severity = keyof typeof pythonLevels

function severityOf(level: LogLevel): Severity {
  if (level <= LogLevel.CRIT) return 'critical'
  if (level === LogLevel.ERR) return 'error'
  if (level === LogLevel.WARNING) return 'warn'
  return level === LogLevel.DEBUG ? 'debug' : 'info'
}

export interface LoggerOptions {
  readonly name: string
  readonly level: number
  readonly debug: readonly string[]
  readonly sink: LogSink | undefined
  /** Hands a line to the application at its next serving call. */
  readonly enqueue: (deliver: () => void) => void
  /** Gives a line to listeners. @returns whether there were any */
  readonly listen?: (level: LogLevel, facility: string, message: string) => boolean
}

export class Logger {
  readonly #options: LoggerOptions
  readonly #contexts: ReadonlySet<string>

  constructor(options: LoggerOptions) {
    this.#options = options
    this.#contexts = new Set(options.debug)
  }

  log(level: LogLevel, facility: string, message: string): void {
    const { name, sink, enqueue, listen } = this.#options
    // Debug contexts are asked for explicitly, so they overrule the threshold.
    if (level > this.#options.level && level !== LogLevel.DEBUG) return
    const line = `${facility} [${name}]: ${message}`
    const isHeard = listen?.(level, facility, message) === true
    if (sink === undefined && isHeard) return
    if (sink === undefined) process.stderr.write(`%${level}|${line}\n`)
    else enqueue(() => deliver(sink, severityOf(level), line))
  }

  isDebug(context: DebugContext): boolean {
    return this.#contexts.size > 0 && (this.#contexts.has(context) || this.#contexts.has('all'))
  }

  /** Callers on hot paths ask `isDebug` first. */
  debug(context: DebugContext, facility: string, message: string): void {
    if (this.isDebug(context)) this.log(LogLevel.DEBUG, facility, message)
  }
}

function deliver(sink: LogSink, severity: Severity, line: string): void {
  const method = sink[severity] ?? (severity === 'critical' ? sink.fatal : undefined)
  if (method !== undefined) method.call(sink, line)
  else if (severity === 'warn' && sink.warning !== undefined) sink.warning(line)
  else sink.log?.(pythonLevels[severity], '%s', line)
}
