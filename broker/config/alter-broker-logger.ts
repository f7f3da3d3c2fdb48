/**
 * Alterations of the levels of a broker's loggers (KIP-412). Only the incremental request may do it.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import { ALTER_OPERATIONS, type AlterOperation, type AlterRefusal, checkOperations, refuse } from './alter.ts'
import { isLogger, isLogLevel, LOG_LEVELS, type LogLevel, ROOT_LOGGER } from './broker-logger.ts'

export interface LoggerAlteration {
  readonly nodeId: number
  readonly resourceName: string
  /** The levels that were set. */
  readonly current: ReadonlyMap<string, LogLevel>
  readonly operations: readonly AlterOperation[]
}

export type LoggerResult =
  | { readonly error: typeof ErrorCode.NONE; readonly levels: ReadonlyMap<string, LogLevel> }
  | AlterRefusal

function nodeIdError(resourceName: string, nodeId: number): string | null {
  if (!/^[+-]?\d+$/.test(resourceName)) return `Node id must be an integer, but it is: ${resourceName}`
  const asked = Number(resourceName)
  return asked === nodeId ? null : `Unexpected node id. Expected ${nodeId}, but received ${asked}`
}

function operationError({ name, operation, value }: AlterOperation): AlterRefusal | null {
  const invalid = (message: string): AlterRefusal => refuse(ErrorCode.INVALID_CONFIG, message)
  switch (operation) {
    case ALTER_OPERATIONS.SET:
      if (!isLogger(name)) return invalid(`Logger ${name} does not exist!`)
      if (isLogLevel(value ?? '')) return null
      return invalid(
        `Cannot set the log level of ${name} to ${value} as it is not a supported log level. Valid log levels are ${[...LOG_LEVELS].sort().join(', ')}`,
      )
    case ALTER_OPERATIONS.DELETE:
      if (!isLogger(name)) return invalid(`Logger ${name} does not exist!`)
      return name === ROOT_LOGGER
        ? refuse(ErrorCode.INVALID_REQUEST, 'Removing the log level of the root logger is not allowed')
        : null
    case ALTER_OPERATIONS.APPEND:
    case ALTER_OPERATIONS.SUBTRACT: {
      const verb = operation === ALTER_OPERATIONS.APPEND ? 'APPEND' : 'SUBTRACT'
      return refuse(
        ErrorCode.INVALID_REQUEST,
        `${verb} operation is not allowed for the BROKER_LOGGER resource`,
      )
    }
    default:
      return refuse(ErrorCode.UNKNOWN_SERVER_ERROR, null)
  }
}

export function alterBrokerLogger(alteration: LoggerAlteration): LoggerResult {
  const { nodeId, resourceName, current, operations } = alteration
  const malformed = checkOperations(operations)
  if (malformed !== null) return malformed
  const wrongNode = nodeIdError(resourceName, nodeId)
  if (wrongNode !== null) return refuse(ErrorCode.INVALID_REQUEST, wrongNode)
  const levels = new Map(current)
  for (const operation of operations) {
    const error = operationError(operation)
    if (error !== null) return error
    if (operation.operation === ALTER_OPERATIONS.DELETE) levels.delete(operation.name)
    else if (isLogLevel(operation.value ?? '')) levels.set(operation.name, operation.value as LogLevel)
  }
  return { error: ErrorCode.NONE, levels }
}
