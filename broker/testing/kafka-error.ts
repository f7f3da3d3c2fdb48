/** A cluster refused what the fixture asked. */
import { type ErrorCode, errorInfo, errorName } from '../../common/protocol/errors.ts'

export class KafkaError extends Error {
  override readonly name = 'KafkaError'
  /** Kafka's name: TOPIC_ALREADY_EXISTS. */
  readonly code: string
  readonly errorCode: number

  constructor(what: string, errorCode: number, message?: string | null) {
    const name = errorName(errorCode)
    super(`${what}: ${name}: ${message || errorInfo(errorCode as ErrorCode).message || 'no details'}`)
    this.code = name
    this.errorCode = errorCode
  }
}

/** What works only on a cluster inside this process. */
export class NotLocalError extends Error {
  override readonly name = 'NotLocalError'

  constructor(what: string) {
    super(
      `${what} needs a kafkito cluster in this process, but this suite is attached to a running cluster over the wire. Start without bootstrapServers (and without KAFKITO_BOOTSTRAP) to use it.`,
    )
  }
}
