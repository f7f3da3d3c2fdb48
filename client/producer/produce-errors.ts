/** What the producer does with each error of a batch: the documented table (part 19) as data. */
import { ErrorCode } from '../../common/protocol/errors.ts'
import { KafkaError } from '../errors.ts'

export type ProduceAction =
  /** Try again after the back-off; counts against `retries`. */
  | 'retry'
  /** The leader moved or is not known: fresh metadata, then again; not counted. */
  | 'find-leader'
  /** Two smaller batches, or a failure when it is one record. */
  | 'split'
  /** It is stored already. */
  | 'success'
  | 'sequence-gap'
  | 'unknown-producer'
  | 'fenced'
  | 'abort'
  | 'fail'

export interface ProduceRule {
  readonly action: ProduceAction
  /** Whether the broker may have stored the batch; `acks=all`: when it was to wait for replicas, and this ended the wait. */
  readonly maybePersisted: boolean | 'acks=all'
  readonly refreshes: boolean
}

function rule(
  action: ProduceAction,
  maybePersisted: ProduceRule['maybePersisted'] = false,
  refreshes = false,
): ProduceRule {
  return { action, maybePersisted, refreshes }
}

const findLeader = rule('find-leader', false, true)
const fail = rule('fail')

const rules = new Map<number, ProduceRule>([
  [KafkaError._TRANSPORT, rule('retry', true, true)],
  [KafkaError._TIMED_OUT, rule('retry', true, true)],
  [KafkaError._TIMED_OUT_QUEUE, rule('retry')],
  [KafkaError._BAD_MSG, rule('retry', true, true)],
  [KafkaError._NODE_UPDATE, rule('retry', true, true)],
  [KafkaError._DESTROY_BROKER, rule('retry', false, true)],
  [KafkaError._DESTROY, rule('retry', true, true)],
  [KafkaError._RETRY, rule('retry')],
  [ErrorCode.NETWORK_EXCEPTION, rule('retry', true, true)],
  [ErrorCode.NOT_LEADER_OR_FOLLOWER, rule('find-leader', 'acks=all', true)],
  [ErrorCode.LEADER_NOT_AVAILABLE, findLeader],
  [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, findLeader],
  [ErrorCode.UNKNOWN_TOPIC_ID, findLeader],
  [ErrorCode.INCONSISTENT_TOPIC_ID, findLeader],
  [ErrorCode.BROKER_NOT_AVAILABLE, findLeader],
  [ErrorCode.REPLICA_NOT_AVAILABLE, findLeader],
  [ErrorCode.FENCED_LEADER_EPOCH, findLeader],
  [ErrorCode.KAFKA_STORAGE_ERROR, rule('retry', true, true)],
  [ErrorCode.NOT_ENOUGH_REPLICAS, rule('retry')],
  [ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND, rule('retry', true)],
  [ErrorCode.REQUEST_TIMED_OUT, rule('retry', true)],
  [ErrorCode.THROTTLING_QUOTA_EXCEEDED, rule('retry')],
  [ErrorCode.CORRUPT_MESSAGE, rule('retry')],
  // The leader adds the partition to the transaction, and its coordinator is not ready for that (KIP-890).
  [ErrorCode.CONCURRENT_TRANSACTIONS, rule('retry')],
  [ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, rule('retry')],
  [ErrorCode.COORDINATOR_NOT_AVAILABLE, rule('retry')],
  [ErrorCode.NOT_COORDINATOR, rule('retry')],
  [ErrorCode.MESSAGE_TOO_LARGE, rule('split')],
  [ErrorCode.RECORD_LIST_TOO_LARGE, rule('split')],
  [ErrorCode.DUPLICATE_SEQUENCE_NUMBER, rule('success', true)],
  [ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, rule('sequence-gap', true)],
  [ErrorCode.UNKNOWN_PRODUCER_ID, rule('unknown-producer')],
  [ErrorCode.INVALID_PRODUCER_EPOCH, rule('fenced')],
  [ErrorCode.PRODUCER_FENCED, rule('fenced')],
  [ErrorCode.INVALID_TXN_STATE, rule('abort')],
  [ErrorCode.INVALID_PRODUCER_ID_MAPPING, rule('abort')],
  [ErrorCode.TRANSACTION_ABORTABLE, rule('abort')],
])

/** Everything that is not in the table fails the batch. */
export function produceRule(code: number): ProduceRule {
  return rules.get(code) ?? fail
}
