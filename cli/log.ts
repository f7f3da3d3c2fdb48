/**
 * Logs, on stderr, and only for those who ask: `--log-level` or `KAFKITO_LOG=debug|info|warn|error`, or `DEBUG=kafkito` (or `kafkito:*`, `*`)
 * for all of it: lines for people on a terminal, JSON elsewhere. Without them only errors are told, one plain line each.
 */
import type { Clock } from '../common/runtime/clock.ts'
import type { Trace, TraceEvent, TraceLevel } from '../common/runtime/trace.ts'
import { CommandFailure, type CommandStreams, ExitCode } from './failure.ts'

const LEVELS: readonly TraceLevel[] = ['debug', 'info', 'warn', 'error']

/** @param asked by flag or variable @returns undefined when nobody asks @throws CommandFailure for a level there is not */
export function logLevelOf(
  asked: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): TraceLevel | undefined {
  if (asked !== undefined && asked !== '') {
    const level = LEVELS.find((name) => name === asked.toLowerCase())
    if (level !== undefined) return level
    throw new CommandFailure(
      ExitCode.USAGE,
      `There is no log level "${asked}".`,
      `Use one of ${LEVELS.join(', ')}.`,
    )
  }
  const isDebugging = (environment.DEBUG ?? '')
    .split(/[\s,]+/)
    .some((pattern) => pattern === '*' || pattern === 'kafkito' || pattern.startsWith('kafkito:'))
  return isDebugging ? 'debug' : undefined
}

/** The library is loaded only when there will be logs for programs. */
export async function attachLog(
  { trace, clock }: { readonly trace: Trace; readonly clock: Clock },
  level: TraceLevel | undefined,
  streams: CommandStreams,
): Promise<void> {
  if (level === undefined) {
    trace.listen(({ message }) => streams.error(`kafkito: ${message}`), 'error')
    return
  }
  if (streams.isForPeople === true) {
    trace.listen((event) => streams.error(lineOf(event, clock.wallMs())), level)
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

/** `14:03:07.120 warn  broker 1  what happened (kind)`, in universal time. */
export function lineOf({ level, kind, nodeId, message, error }: TraceEvent, wallMs: number): string {
  const time = new Date(wallMs).toISOString().slice(11, 23)
  const where = nodeId === undefined ? 'cluster ' : `broker ${nodeId}`
  const cause = error instanceof Error ? `\n${error.stack ?? error.message}` : ''
  return `${time} ${level.padEnd(5)} ${where}  ${message} (${kind})${cause}`
}
