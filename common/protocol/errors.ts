/**
 * Kafka's error codes: one row holds code, name, whether the client may simply try again, and a message in our words, or in Kafka's where people search for them.
 * Everything else here is derived from the rows.
 */
const rows = [
  [-1, 'UNKNOWN_SERVER_ERROR', false, 'The server failed in a way it did not foresee.'],
  [0, 'NONE', false, 'No error.'],
  [1, 'OFFSET_OUT_OF_RANGE', false, 'The offset lies outside what the partition holds.'],
  [2, 'CORRUPT_MESSAGE', true, 'A batch is damaged: its checksum, size or form is wrong.'],
  [3, 'UNKNOWN_TOPIC_OR_PARTITION', true, 'This server does not host this topic-partition.'],
  [4, 'INVALID_FETCH_SIZE', false, 'The number of bytes to fetch is not valid.'],
  [5, 'LEADER_NOT_AVAILABLE', true, 'The partition has no leader at the moment.'],
  [6, 'NOT_LEADER_OR_FOLLOWER', true, 'This broker is not the leader, or not a replica, of the partition.'],
  [7, 'REQUEST_TIMED_OUT', true, 'The request was not completed within its time.'],
  [8, 'BROKER_NOT_AVAILABLE', false, 'The broker is not available.'],
  [9, 'REPLICA_NOT_AVAILABLE', true, 'The replica is not available for the partition.'],
  [10, 'MESSAGE_TOO_LARGE', false, 'A batch is larger than the topic accepts.'],
  [11, 'STALE_CONTROLLER_EPOCH', false, 'A newer controller is active.'],
  [12, 'OFFSET_METADATA_TOO_LARGE', false, 'The metadata committed with an offset is too long.'],
  [13, 'NETWORK_EXCEPTION', true, 'The connection broke before an answer came.'],
  [14, 'COORDINATOR_LOAD_IN_PROGRESS', true, 'The coordinator is still reading its log.'],
  [15, 'COORDINATOR_NOT_AVAILABLE', true, 'The coordinator is not available.'],
  [16, 'NOT_COORDINATOR', true, 'This is not the correct coordinator.'],
  [
    17,
    'INVALID_TOPIC_EXCEPTION',
    false,
    'The topic name is not allowed, or the topic may not be used this way.',
  ],
  [18, 'RECORD_LIST_TOO_LARGE', false, 'The batch is larger than a segment may be.'],
  [19, 'NOT_ENOUGH_REPLICAS', true, 'Fewer replicas are in sync than min.insync.replicas asks for.'],
  [
    20,
    'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
    true,
    'The records were appended, but too few replicas are in sync.',
  ],
  [21, 'INVALID_REQUIRED_ACKS', false, 'acks must be -1, 0 or 1.'],
  [22, 'ILLEGAL_GENERATION', false, "The generation is not the group's current one."],
  [23, 'INCONSISTENT_GROUP_PROTOCOL', false, "The member's protocols do not fit those of the group."],
  [24, 'INVALID_GROUP_ID', false, 'The group id is not valid.'],
  [25, 'UNKNOWN_MEMBER_ID', false, 'The group has no such member.'],
  [26, 'INVALID_SESSION_TIMEOUT', false, 'The session timeout lies outside the limits of the broker.'],
  [27, 'REBALANCE_IN_PROGRESS', false, 'The group is rebalancing: the member has to rejoin.'],
  [28, 'INVALID_COMMIT_OFFSET_SIZE', false, 'The offset commit is too large to store.'],
  [29, 'TOPIC_AUTHORIZATION_FAILED', false, 'No permission for the topic.'],
  [30, 'GROUP_AUTHORIZATION_FAILED', false, 'No permission for the group.'],
  [31, 'CLUSTER_AUTHORIZATION_FAILED', false, 'No permission for the cluster.'],
  [32, 'INVALID_TIMESTAMP', false, 'A timestamp lies outside the accepted range.'],
  [33, 'UNSUPPORTED_SASL_MECHANISM', false, 'The SASL mechanism is not enabled.'],
  [34, 'ILLEGAL_SASL_STATE', false, 'The request does not fit the state of the SASL exchange.'],
  [35, 'UNSUPPORTED_VERSION', false, 'The version of the API is not supported.'],
  [36, 'TOPIC_ALREADY_EXISTS', false, 'A topic of this name exists.'],
  [37, 'INVALID_PARTITIONS', false, 'The number of partitions is not valid.'],
  [
    38,
    'INVALID_REPLICATION_FACTOR',
    false,
    'The replication factor is below 1 or above the number of brokers.',
  ],
  [39, 'INVALID_REPLICA_ASSIGNMENT', false, 'The replica assignment is not valid.'],
  [40, 'INVALID_CONFIG', false, 'The configuration is not valid.'],
  [41, 'NOT_CONTROLLER', true, 'This node is not the active controller.'],
  [42, 'INVALID_REQUEST', false, 'The request contradicts itself or the rules of its API.'],
  [43, 'UNSUPPORTED_FOR_MESSAGE_FORMAT', false, 'The message format of the log does not allow this.'],
  [44, 'POLICY_VIOLATION', false, 'A policy of the cluster forbids this.'],
  [45, 'OUT_OF_ORDER_SEQUENCE_NUMBER', false, "The producer's sequence number does not follow its last one."],
  [46, 'DUPLICATE_SEQUENCE_NUMBER', false, "The producer's sequence number was seen before."],
  [47, 'INVALID_PRODUCER_EPOCH', false, "The producer's epoch is older than the current one."],
  [48, 'INVALID_TXN_STATE', false, 'The transaction is not in a state that allows this.'],
  [49, 'INVALID_PRODUCER_ID_MAPPING', false, 'The producer id does not belong to the transactional id.'],
  [50, 'INVALID_TRANSACTION_TIMEOUT', false, 'The transaction timeout exceeds transaction.max.timeout.ms.'],
  [51, 'CONCURRENT_TRANSACTIONS', true, 'The previous step of the transaction is not finished yet.'],
  [52, 'TRANSACTION_COORDINATOR_FENCED', false, 'The transaction marker comes from an older coordinator.'],
  [53, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED', false, 'No permission for the transactional id.'],
  [54, 'SECURITY_DISABLED', false, 'Security features are not enabled.'],
  [55, 'OPERATION_NOT_ATTEMPTED', false, 'Not tried, because another part of the request failed.'],
  [56, 'KAFKA_STORAGE_ERROR', true, 'A log directory cannot be read or written.'],
  [57, 'LOG_DIR_NOT_FOUND', false, 'The broker has no such log directory.'],
  [58, 'SASL_AUTHENTICATION_FAILED', false, 'The credentials were refused.'],
  [59, 'UNKNOWN_PRODUCER_ID', false, 'The partition remembers nothing of this producer.'],
  [60, 'REASSIGNMENT_IN_PROGRESS', false, 'The partition is being reassigned.'],
  [61, 'DELEGATION_TOKEN_AUTH_DISABLED', false, 'Delegation tokens are not enabled.'],
  [62, 'DELEGATION_TOKEN_NOT_FOUND', false, 'There is no such delegation token.'],
  [63, 'DELEGATION_TOKEN_OWNER_MISMATCH', false, 'The principal neither owns nor may renew the token.'],
  [
    64,
    'DELEGATION_TOKEN_REQUEST_NOT_ALLOWED',
    false,
    'Delegation tokens cannot be managed over this connection.',
  ],
  [65, 'DELEGATION_TOKEN_AUTHORIZATION_FAILED', false, 'No permission for the delegation token.'],
  [66, 'DELEGATION_TOKEN_EXPIRED', false, 'The delegation token has expired.'],
  [67, 'INVALID_PRINCIPAL_TYPE', false, 'The type of principal is not supported.'],
  [68, 'NON_EMPTY_GROUP', false, 'The group is not empty.'],
  [69, 'GROUP_ID_NOT_FOUND', false, 'There is no such group.'],
  [70, 'FETCH_SESSION_ID_NOT_FOUND', true, 'There is no such fetch session.'],
  [71, 'INVALID_FETCH_SESSION_EPOCH', true, 'The epoch does not follow that of the fetch session.'],
  [72, 'LISTENER_NOT_FOUND', true, 'The leader has no listener of the name used here.'],
  [73, 'TOPIC_DELETION_DISABLED', false, 'Topics may not be deleted in this cluster.'],
  [74, 'FENCED_LEADER_EPOCH', true, "The leader epoch is older than the broker's."],
  [75, 'UNKNOWN_LEADER_EPOCH', true, "The leader epoch is newer than the broker's."],
  [
    76,
    'UNSUPPORTED_COMPRESSION_TYPE',
    false,
    "The client's version does not support the compression in use.",
  ],
  [77, 'STALE_BROKER_EPOCH', false, 'The broker has registered again since.'],
  [78, 'OFFSET_NOT_AVAILABLE', true, 'The leader has not learnt its high watermark yet.'],
  [79, 'MEMBER_ID_REQUIRED', false, 'Join again with the member id given here.'],
  [80, 'PREFERRED_LEADER_NOT_AVAILABLE', true, 'The preferred leader is not available.'],
  [81, 'GROUP_MAX_SIZE_REACHED', false, 'The group is full.'],
  [82, 'FENCED_INSTANCE_ID', false, 'Another member has taken over this group.instance.id.'],
  [83, 'ELIGIBLE_LEADERS_NOT_AVAILABLE', true, 'No replica that may lead is available.'],
  [84, 'ELECTION_NOT_NEEDED', true, 'The partition has the leader it should have.'],
  [85, 'NO_REASSIGNMENT_IN_PROGRESS', false, 'The partition is not being reassigned.'],
  [86, 'GROUP_SUBSCRIBED_TO_TOPIC', false, 'A member of the group still subscribes to the topic.'],
  [87, 'INVALID_RECORD', false, 'A record breaks a rule of the topic.'],
  [88, 'UNSTABLE_OFFSET_COMMIT', true, 'An open transaction holds offsets that may still change.'],
  [89, 'THROTTLING_QUOTA_EXCEEDED', true, 'The quota is used up for now.'],
  [90, 'PRODUCER_FENCED', false, 'A newer producer with the same transactional id is active.'],
  [91, 'RESOURCE_NOT_FOUND', false, 'The request names something that does not exist.'],
  [92, 'DUPLICATE_RESOURCE', false, 'The request names something twice.'],
  [93, 'UNACCEPTABLE_CREDENTIAL', false, 'The credential does not meet the requirements.'],
  [94, 'INCONSISTENT_VOTER_SET', false, 'Sender and receiver disagree about the voters of the quorum.'],
  [95, 'INVALID_UPDATE_VERSION', false, 'The version of the update is not valid.'],
  [96, 'FEATURE_UPDATE_FAILED', false, 'The features could not be updated.'],
  [97, 'PRINCIPAL_DESERIALIZATION_FAILURE', false, 'The forwarded principal could not be read.'],
  [98, 'SNAPSHOT_NOT_FOUND', false, 'There is no such snapshot.'],
  [99, 'POSITION_OUT_OF_RANGE', false, 'The position lies outside the snapshot.'],
  [100, 'UNKNOWN_TOPIC_ID', true, 'This broker knows no topic of this id.'],
  [101, 'DUPLICATE_BROKER_REGISTRATION', false, 'The broker id is in use by a running broker.'],
  [102, 'BROKER_ID_NOT_REGISTERED', false, 'No broker of this id is registered.'],
  [103, 'INCONSISTENT_TOPIC_ID', true, 'The topic id is not the one in the log.'],
  [104, 'INCONSISTENT_CLUSTER_ID', false, 'The cluster id is not that of this cluster.'],
  [105, 'TRANSACTIONAL_ID_NOT_FOUND', false, 'There is no such transactional id.'],
  [106, 'FETCH_SESSION_TOPIC_ID_ERROR', true, "The session's requests disagree about the use of topic ids."],
  [107, 'INELIGIBLE_REPLICA', false, 'The replica may not join the in-sync replicas.'],
  [108, 'NEW_LEADER_ELECTED', false, 'The change was made, and the partition has another leader now.'],
  [109, 'OFFSET_MOVED_TO_TIERED_STORAGE', false, 'The offset is kept in tiered storage only.'],
  [
    110,
    'FENCED_MEMBER_EPOCH',
    false,
    "The coordinator refused the member's epoch: abandon all partitions and join again.",
  ],
  [111, 'UNRELEASED_INSTANCE_ID', false, 'Another member still holds this group.instance.id.'],
  [112, 'UNSUPPORTED_ASSIGNOR', false, 'The group has no such assignor.'],
  [
    113,
    'STALE_MEMBER_EPOCH',
    false,
    "The member's epoch is not the current one: retry with the epoch of the next heartbeat.",
  ],
  [114, 'MISMATCHED_ENDPOINT_TYPE', false, 'The request went to an endpoint of the other kind.'],
  [115, 'UNSUPPORTED_ENDPOINT_TYPE', false, 'This kind of endpoint is not supported.'],
  [116, 'UNKNOWN_CONTROLLER_ID', false, 'There is no controller of this id.'],
  [117, 'UNKNOWN_SUBSCRIPTION_ID', false, 'The telemetry subscription has changed: ask for it again.'],
  [118, 'TELEMETRY_TOO_LARGE', false, 'The client pushed more telemetry than is accepted.'],
  [119, 'INVALID_REGISTRATION', false, 'The controller refused the registration of the broker.'],
  [
    120,
    'TRANSACTION_ABORTABLE',
    false,
    'The transaction must be aborted; the producer may go on afterwards.',
  ],
  [121, 'INVALID_RECORD_STATE', false, 'The delivery state of the record does not allow this.'],
  [122, 'SHARE_SESSION_NOT_FOUND', true, 'There is no such share session.'],
  [123, 'INVALID_SHARE_SESSION_EPOCH', true, 'The epoch does not follow that of the share session.'],
  [124, 'FENCED_STATE_EPOCH', false, 'The state epoch of the share group is older than the stored one.'],
  [125, 'INVALID_VOTER_KEY', false, "The voter's directory id does not match."],
  [126, 'DUPLICATE_VOTER', false, 'The node is a voter.'],
  [127, 'VOTER_NOT_FOUND', false, 'There is no such voter.'],
  [128, 'INVALID_REGULAR_EXPRESSION', false, 'The regular expression is not valid.'],
  [
    129,
    'REBOOTSTRAP_REQUIRED',
    false,
    "The client's metadata is of no use any more: start from the bootstrap servers.",
  ],
  [130, 'STREAMS_INVALID_TOPOLOGY', false, 'The topology is not valid.'],
  [131, 'STREAMS_INVALID_TOPOLOGY_EPOCH', false, 'The topology epoch is not valid.'],
  [132, 'STREAMS_TOPOLOGY_FENCED', false, "The topology epoch is older than the group's."],
  [133, 'SHARE_SESSION_LIMIT_REACHED', true, 'The broker holds as many share sessions as it may.'],
  [134, 'GROUP_DELETION_FAILED', false, 'The group could not be deleted.'],
  [
    135,
    'STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED',
    false,
    'The description of the topology could not be stored.',
  ],
  [136, 'CONTROLLER_ID_NOT_REGISTERED', false, 'No controller of this id is registered.'],
] as const

type Row = (typeof rows)[number]

export type ErrorName = Row[1]

/** A number that is in the table; nothing else type-checks. */
export type ErrorCode = Row[0]

export interface ErrorInfo {
  readonly code: ErrorCode
  readonly name: ErrorName
  readonly isRetriable: boolean
  readonly message: string
}

/** `ErrorCode.NOT_CONTROLLER` is 41. */
export const ErrorCode = Object.fromEntries(rows.map(([code, name]) => [name, code])) as {
  readonly [R in Row as R[1]]: R[0]
}

/** The table by code. */
export const errorByCode: ReadonlyMap<number, ErrorInfo> = new Map(
  rows.map(([code, name, isRetriable, message]) => [code, { code, name, isRetriable, message }]),
)

const unknownServerError = errorByCode.get(-1) as ErrorInfo

/** A code that the table lacks reads as `UNKNOWN_SERVER_ERROR`, as in Kafka's clients. */
export function errorInfo(code: number): ErrorInfo {
  return errorByCode.get(code) ?? unknownServerError
}

export function errorName(code: number): ErrorName {
  return errorInfo(code).name
}

export function isErrorCode(code: number): code is ErrorCode {
  return errorByCode.has(code)
}
