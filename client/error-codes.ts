/**
 * Every code a `KafkaError` can carry: one row holds number, name and text of a local code; broker codes come from the
 * protocol's table, under the names the documented API gives them. Everything else here is derived.
 */
import { errorByCode, type ErrorName as KafkaErrorName } from '../common/protocol/errors.ts'

const localRows = [
  [-199, '_BAD_MSG', 'Received data cannot be parsed'],
  [-198, '_BAD_COMPRESSION', 'A compressed batch cannot be expanded'],
  [-197, '_DESTROY', 'The client is being closed'],
  [-196, '_FAIL', 'Communication with the broker failed'],
  [-195, '_TRANSPORT', 'Connection failure'],
  [-194, '_CRIT_SYS_RESOURCE', 'A system resource is exhausted'],
  [-193, '_RESOLVE', 'Host name cannot be resolved'],
  [-192, '_MSG_TIMED_OUT', 'Message was not delivered in time'],
  [-191, '_PARTITION_EOF', 'No more messages in the partition'],
  [-190, '_UNKNOWN_PARTITION', 'Unknown partition'],
  [-189, '_FS', 'File access failed'],
  [-188, '_UNKNOWN_TOPIC', 'Unknown topic'],
  [-187, '_ALL_BROKERS_DOWN', 'All broker connections are down'],
  [-186, '_INVALID_ARG', 'Invalid argument or configuration'],
  [-185, '_TIMED_OUT', 'Timed out'],
  [-184, '_QUEUE_FULL', 'Queue full'],
  [-183, '_ISR_INSUFF', 'Too few in-sync replicas'],
  [-182, '_NODE_UPDATE', 'Broker address changed'],
  [-181, '_SSL', 'TLS failure'],
  [-180, '_WAIT_COORD', 'Waiting for the coordinator'],
  [-179, '_UNKNOWN_GROUP', 'Unknown group'],
  [-178, '_IN_PROGRESS', 'Operation is in progress'],
  [-177, '_PREV_IN_PROGRESS', 'An earlier operation is in progress'],
  [-176, '_EXISTING_SUBSCRIPTION', 'An existing subscription forbids this'],
  [-175, '_ASSIGN_PARTITIONS', 'Assign partitions'],
  [-174, '_REVOKE_PARTITIONS', 'Revoke partitions'],
  [-173, '_CONFLICT', 'Conflicting use'],
  [-172, '_STATE', 'Not allowed in the present state'],
  [-171, '_UNKNOWN_PROTOCOL', 'Unknown protocol'],
  [-170, '_NOT_IMPLEMENTED', 'Not implemented'],
  [-169, '_AUTHENTICATION', 'Authentication failure'],
  [-168, '_NO_OFFSET', 'No offset stored'],
  [-167, '_OUTDATED', 'Outdated'],
  [-166, '_TIMED_OUT_QUEUE', 'Timed out before it was sent'],
  [-165, '_UNSUPPORTED_FEATURE', 'The broker lacks the feature'],
  [-164, '_WAIT_CACHE', 'Waiting for metadata'],
  [-163, '_INTR', 'Interrupted'],
  [-162, '_KEY_SERIALIZATION', 'Key serialization failed'],
  [-161, '_VALUE_SERIALIZATION', 'Value serialization failed'],
  [-160, '_KEY_DESERIALIZATION', 'Key deserialization failed'],
  [-159, '_VALUE_DESERIALIZATION', 'Value deserialization failed'],
  [-158, '_PARTIAL', 'Partial response'],
  [-157, '_READ_ONLY', 'Read-only object'],
  [-156, '_NOENT', 'No such entry'],
  [-155, '_UNDERFLOW', 'Read past the end of a buffer'],
  [-154, '_INVALID_TYPE', 'Invalid type'],
  [-153, '_RETRY', 'Try again'],
  [-152, '_PURGE_QUEUE', 'Purged from the queue'],
  [-151, '_PURGE_INFLIGHT', 'Purged in flight'],
  [-150, '_FATAL', 'Fatal error'],
  [-149, '_INCONSISTENT', 'Inconsistent state'],
  [-148, '_GAPLESS_GUARANTEE', 'Going on would leave a gap'],
  [-147, '_MAX_POLL_EXCEEDED', 'No poll within max.poll.interval.ms'],
  [-146, '_UNKNOWN_BROKER', 'Unknown broker'],
  [-145, '_NOT_CONFIGURED', 'Needs a property that is not set'],
  [-144, '_FENCED', 'A newer instance took over'],
  [-143, '_APPLICATION', 'Application error'],
  [-142, '_ASSIGNMENT_LOST', 'Partitions are no longer owned'],
  [-141, '_NOOP', 'Nothing to do'],
  [-140, '_AUTO_OFFSET_RESET', 'No offset, and the policy forbids a reset'],
  [-139, '_LOG_TRUNCATION', 'Records already read vanished from the log'],
  [-138, '_INVALID_DIFFERENT_RECORD', 'Another record of the batch was invalid'],
  [-137, '_DESTROY_BROKER', 'The broker went away'],
] as const

/** Where the documented name differs from Kafka's. */
const renamed = {
  UNKNOWN_SERVER_ERROR: 'UNKNOWN',
  NONE: 'NO_ERROR',
  CORRUPT_MESSAGE: 'INVALID_MSG',
  UNKNOWN_TOPIC_OR_PARTITION: 'UNKNOWN_TOPIC_OR_PART',
  INVALID_FETCH_SIZE: 'INVALID_MSG_SIZE',
  NOT_LEADER_OR_FOLLOWER: 'NOT_LEADER_FOR_PARTITION',
  MESSAGE_TOO_LARGE: 'MSG_SIZE_TOO_LARGE',
  STALE_CONTROLLER_EPOCH: 'STALE_CTRL_EPOCH',
  INVALID_TOPIC_EXCEPTION: 'TOPIC_EXCEPTION',
} as const satisfies Partial<Record<KafkaErrorName, string>>

/** Second names of one number. */
const aliases = {
  NOT_LEADER_OR_FOLLOWER: 6,
  GROUP_LOAD_IN_PROGRESS: 14,
  GROUP_COORDINATOR_NOT_AVAILABLE: 15,
  NOT_COORDINATOR_FOR_GROUP: 16,
} as const

export type LocalErrorName = (typeof localRows)[number][1]
export type BrokerErrorName =
  | Exclude<KafkaErrorName, keyof typeof renamed>
  | (typeof renamed)[keyof typeof renamed]
export type KafkaErrorCodeName = LocalErrorName | BrokerErrorName | keyof typeof aliases

interface CodeInfo {
  readonly name: string
  readonly text: string
  readonly isRetriable: boolean
}

const infoByCode = new Map<number, CodeInfo>()
const codes: Record<string, number> = { ...aliases }
for (const [code, name, text] of localRows) {
  infoByCode.set(code, { name, text: `Local: ${text}`, isRetriable: false })
  codes[name] = code
}
for (const { code, name: kafkaName, message, isRetriable } of errorByCode.values()) {
  const name = (renamed as Partial<Record<string, string>>)[kafkaName] ?? kafkaName
  infoByCode.set(code, { name, text: code === 0 ? 'Success' : `Broker: ${message}`, isRetriable })
  codes[name] = code
}

/** Numbers by documented name, aliases included. */
export const kafkaErrorCodes = codes as { readonly [N in KafkaErrorCodeName]: number }

/** A number this client does not know comes from a newer broker and is not retriable. */
export function codeInfo(code: number): CodeInfo {
  return infoByCode.get(code) ?? { name: `ERR_${code}?`, text: `Err-${code}?`, isRetriable: false }
}
