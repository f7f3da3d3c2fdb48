/** Offsets as brokers tell them: 64 bits, of which numbers hold 53 exactly. */
import { KafkaError } from '../errors.ts'

/** `_BAD_MSG` for an offset that would have to be rounded; null for one that can be used, negative ones included. */
export function wireOffsetError(offset: number): KafkaError | null {
  if (Number.isSafeInteger(offset)) return null
  return new KafkaError(KafkaError._BAD_MSG, `The offset ${offset} in the answer is beyond 2^53-1`)
}
