/**
 * Recognises the answer of a controller that lost its office while a request waited in it.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'

/**
 * Whether NOT_CONTROLLER stands anywhere in an answer, for the whole of it or for one of its topics, resources or partitions. Clients
 * do not expect that error of a broker: Kafka's brokers ask the next controller instead (KIP-590).
 */
export function isOfDeposedController(answer: unknown): boolean {
  if (typeof answer !== 'object' || answer === null || ArrayBuffer.isView(answer)) return false
  if ((answer as { errorCode?: unknown }).errorCode === ErrorCode.NOT_CONTROLLER) return true
  return (Array.isArray(answer) ? answer : Object.values(answer)).some(isOfDeposedController)
}
