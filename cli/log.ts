/**
 * Logs, on stderr, and only for those who ask: `KAFKITO_LOG=debug|info|warn|error`, or `DEBUG=kafkito` (or `kafkito:*`, `*`) for all
 * of it. Without them only errors are told, one plain line each.
 */
import type { Trace, TraceEvent, TraceLevel } from '../common/runtime/trace.ts'
import { CommandFailure, type CommandStreams, ExitCode } from './failure.ts'

const LEVELS: readonly TraceLevel[] = ['debug', 'info', 'warn', 'error']

/** @returns undefined when nobody asks @throws CommandFailure for a level there is not */
export function logLevelOf(
  environment: Readonly<Record<string, string | undefined>>,
): TraceLevel | undefined {
  const asked = environment.KAFKITO_LOG
  if (asked !== undefined && asked !== '') {
    const level = LEVELS.find((name) => name === asked.toLowerCase())
    if (level !== undefined) return level
    throw new CommandFailure(
      ExitCode.USAGE,
      `KAFKITO_LOG is "${asked}", which is no level.`,
      `Use one of ${LEVELS.join(', ')}.`,
    )
  }
  const isDebugging = (environment.DEBUG ?? '')
    .split(/[\s,]+/)
    .some((pattern) => pattern === '*' || pattern === 'kafkito' || pattern.startsWith('kafkito:'))
  return isDebugging ? 'debug' : undefined
}

/** The library is loaded only when there will be logs. */
export async function attachLog(
  trace: Trace,
  level: TraceLevel | undefined,
  streams: CommandStreams,
): Promise<void> {
  if (level === undefined) {
    trace.listen(({ message }) => streams.error(`kafkito: ${message}`), 'error')
    return
  }
  const { pino, destination } = await import('pino')
  const logger = pino({ level, base: null }, destination({ dest: 2, sync: true }))
  trace.listen((event) => logger[event.level](fieldsOf(event), event.message), level)
}

function fieldsOf({ kind, nodeId, data, error }: TraceEvent): Record<string, unknown> {
  return {
    kind,
    ...(nodeId === undefined ? {} : { nodeId }),
    ...(data === undefined ? {} : { data }),
    ...(error === undefined ? {} : { err: error }),
  }
}
