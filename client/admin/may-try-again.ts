/** Which failed requests of the admin client are worth another attempt. */
import { KafkaError } from '../errors.ts'

/** Whether another attempt may succeed where this one was not answered. */
export function mayTryAgain(
  result: { readonly error: KafkaError; readonly wasSent: boolean },
  isRepeatable: boolean,
): boolean {
  if (result.wasSent && !isRepeatable) return false
  switch (result.error.code()) {
    case KafkaError._TRANSPORT:
    case KafkaError._RESOLVE:
    case KafkaError._NODE_UPDATE:
    case KafkaError._TIMED_OUT:
    case KafkaError._TIMED_OUT_QUEUE:
    case KafkaError._DESTROY_BROKER:
    case KafkaError._DESTROY:
    case KafkaError._NOOP:
      return true
    default:
      return false
  }
}
