/**
 * What brokers log, on standard error, for those who ask in the environment: `KAFKITO_LOG=debug|info|warn|error`, or `DEBUG=kafkito:*` for all
 * of it. Otherwise a cluster of a test is silent: what it has to say is in its answers.
 */
import type { Trace, TraceEvent, TraceLevel } from '../../common/runtime/trace.ts'
import { StartError } from '../start-error.ts'

const LEVELS: readonly TraceLevel[] = ['debug', 'info', 'warn', 'error']

type Environment = Readonly<Record<string, string | undefined>>

/** @throws StartError for a level there is not */
export function logToStandardError(
  trace: Trace,
  environment: Environment,
  write: (line: string) => void = (line) => void process.stderr.write(line),
): void {
  const level = askedLevel(environment)
  if (level !== undefined) trace.listen((event) => write(`${lineOf(event)}\n`), level)
}

function askedLevel({ KAFKITO_LOG, DEBUG = '' }: Environment): TraceLevel | undefined {
  if (KAFKITO_LOG !== undefined && KAFKITO_LOG !== '') {
    const level = LEVELS.find((name) => name === KAFKITO_LOG.toLowerCase())
    if (level !== undefined) return level
    const hint = `Use one of ${LEVELS.join(', ')}.`
    throw new StartError('INVALID_CONFIG', `KAFKITO_LOG is "${KAFKITO_LOG}", which is no level.`, hint)
  }
  const isDebugging = DEBUG.split(/[\s,]+/).some(
    (pattern) => pattern === '*' || pattern === 'kafkito' || pattern.startsWith('kafkito:'),
  )
  return isDebugging ? 'debug' : undefined
}

function lineOf({ level, kind, nodeId, message, error }: TraceEvent): string {
  const where = nodeId === undefined ? '' : ` broker ${nodeId}`
  const cause = error instanceof Error ? `\n${error.stack ?? error.message}` : ''
  return `kafkito ${level}${where} ${kind}: ${message}${cause}`
}
