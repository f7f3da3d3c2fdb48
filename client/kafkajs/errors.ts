/** Errors under the names that kafkajs programs look for, made of the client's own. */
import { ErrorCode } from '../../common/protocol/errors.ts'
import { codeInfo } from '../error-codes.ts'
import { KafkaError, KafkaException, ValueError } from '../errors.ts'

export class KafkaJSError extends Error {
  override readonly name: string = 'KafkaJSError'
  readonly retriable: boolean

  constructor(error: Error | string, options: { readonly retriable?: boolean } = {}) {
    super(
      typeof error === 'string' ? error : error.message,
      typeof error === 'string' ? {} : { cause: error },
    )
    this.retriable = options.retriable ?? true
  }
}

export class KafkaJSNonRetriableError extends KafkaJSError {
  override readonly name: string = 'KafkaJSNonRetriableError'

  constructor(error: Error | string) {
    super(error, { retriable: false })
  }
}

/** What a broker answered. */
export class KafkaJSProtocolError extends KafkaJSError {
  override readonly name: string = 'KafkaJSProtocolError'
  readonly code: number
  /** Kafka's name of the code. */
  readonly type: string

  constructor(error: Error, code: number, retriable: boolean) {
    super(error, { retriable })
    this.code = code
    this.type = codeName(code)
  }
}

export class KafkaJSOffsetOutOfRange extends KafkaJSProtocolError {
  override readonly name = 'KafkaJSOffsetOutOfRange'
}

/** Of one topic, among the errors of `createTopics`. */
export class KafkaJSCreateTopicError extends KafkaJSProtocolError {
  override readonly name = 'KafkaJSCreateTopicError'
  readonly topic: string

  constructor(error: Error, code: number, topic: string) {
    super(error, code, isRetriable(code))
    this.topic = topic
  }
}

export class KafkaJSConnectionError extends KafkaJSError {
  override readonly name = 'KafkaJSConnectionError'
}

export class KafkaJSRequestTimeoutError extends KafkaJSError {
  override readonly name = 'KafkaJSRequestTimeoutError'
}

export class KafkaJSSASLAuthenticationError extends KafkaJSNonRetriableError {
  override readonly name = 'KafkaJSSASLAuthenticationError'
}

export class KafkaJSNotImplemented extends KafkaJSNonRetriableError {
  override readonly name = 'KafkaJSNotImplemented'
}

export class KafkaJSNumberOfRetriesExceeded extends KafkaJSNonRetriableError {
  override readonly name = 'KafkaJSNumberOfRetriesExceeded'
  readonly retryCount: number

  constructor(error: Error, retryCount: number) {
    super(error)
    this.retryCount = retryCount
  }
}

export class KafkaJSAggregateError extends Error {
  override readonly name = 'KafkaJSAggregateError'
  readonly errors: readonly Error[]

  constructor(message: string, errors: readonly Error[]) {
    super(message)
    this.errors = errors
  }
}

export class KafkaJSDeleteGroupsError extends KafkaJSError {
  override readonly name = 'KafkaJSDeleteGroupsError'
  readonly groups: readonly { readonly groupId: string; readonly errorCode: number; readonly error: Error }[]

  constructor(message: string, groups: KafkaJSDeleteGroupsError['groups']) {
    super(message)
    this.groups = groups
  }
}

/** The partitions whose records could not be deleted. */
export class KafkaJSDeleteTopicRecordsError extends KafkaJSError {
  override readonly name = 'KafkaJSDeleteTopicRecordsError'
  readonly partitions: readonly {
    readonly partition: number
    readonly offset: string
    readonly error: Error
  }[]

  constructor(partitions: KafkaJSDeleteTopicRecordsError['partitions']) {
    const isRetriable = partitions.every(({ error }) => error instanceof KafkaJSError && error.retriable)
    super('Error while deleting records', { retriable: isRetriable })
    this.partitions = partitions
  }
}

const connectionCodes: ReadonlySet<number> = new Set([
  KafkaError._TRANSPORT,
  KafkaError._RESOLVE,
  KafkaError._ALL_BROKERS_DOWN,
])
const timeoutCodes: ReadonlySet<number> = new Set([
  KafkaError._TIMED_OUT,
  KafkaError._TIMED_OUT_QUEUE,
  KafkaError._MSG_TIMED_OUT,
])
const authenticationCodes: ReadonlySet<number> = new Set([
  KafkaError._AUTHENTICATION,
  KafkaError.SASL_AUTHENTICATION_FAILED,
])
/** Of the client's own: the same call would fail again. */
const lastingCodes: ReadonlySet<number> = new Set([
  KafkaError._FENCED,
  KafkaError._FATAL,
  KafkaError._INVALID_ARG,
  KafkaError._STATE,
  KafkaError._NOT_CONFIGURED,
])
/** What is asked for works again once the consumer has joined its group anew, as it does by itself. */
const rejoinCodes: ReadonlySet<number> = new Set([
  KafkaError.ILLEGAL_GENERATION,
  KafkaError.UNKNOWN_MEMBER_ID,
  KafkaError.REBALANCE_IN_PROGRESS,
  KafkaError.FENCED_MEMBER_EPOCH,
  KafkaError.STALE_MEMBER_EPOCH,
])

/** Of a code that a broker answered. */
function isRetriable(code: number): boolean {
  return codeInfo(code).isRetriable || rejoinCodes.has(code)
}

/** Errors of the application itself stay what they are. */
export function toKafkaJSError(error: unknown): Error {
  if (error instanceof ValueError) return new KafkaJSNonRetriableError(error)
  if (!(error instanceof KafkaException)) return error instanceof Error ? error : new Error(String(error))
  const code = error.error.code()
  if (connectionCodes.has(code)) return new KafkaJSConnectionError(error)
  if (timeoutCodes.has(code)) return new KafkaJSRequestTimeoutError(error)
  if (authenticationCodes.has(code)) return new KafkaJSSASLAuthenticationError(error)
  if (code === ErrorCode.OFFSET_OUT_OF_RANGE) return new KafkaJSOffsetOutOfRange(error, code, true)
  const isFatal = error.error.fatal()
  if (code >= -1) return new KafkaJSProtocolError(error, code, !isFatal && isRetriable(code))
  return isFatal || lastingCodes.has(code) ? new KafkaJSNonRetriableError(error) : new KafkaJSError(error)
}

/** Runs a call of the client's own. */
export async function translated<T>(call: () => Promise<T> | T): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw toKafkaJSError(error)
  }
}

function codeName(code: number): string {
  const found = Object.entries(ErrorCode).find(([, value]) => value === code)
  return found?.[0] ?? 'UNKNOWN'
}
