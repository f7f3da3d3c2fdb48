/**
 * CreatePartitions: raises the number of partitions of topics (KIP-195, KIP-599).
 *
 * Behaviour: `count` is the wanted total; each topic is decided for itself.
 * Versions: v0-v3; v2 is flexible, v3 may be throttled.
 * Errors: UNKNOWN_TOPIC_OR_PARTITION; INVALID_PARTITIONS when it would not be an increase; INVALID_REPLICA_ASSIGNMENT;
 * INVALID_REPLICATION_FACTOR; INVALID_REQUEST for a topic named twice; POLICY_VIOLATION beyond 10,000 partitions; NOT_CONTROLLER;
 * THROTTLING_QUOTA_EXCEEDED from v3 on while the client is above `controller_mutation_rate` (KIP-599);
 * for all REQUEST_TIMED_OUT when the time given is 0.
 * Deviations: none.
 */
import { CreatePartitions } from '../../common/protocol/apis/37-create-partitions.ts'
import { ErrorCode, errorInfo } from '../../common/protocol/errors.ts'
import { leavesNoTime, writeMetadata } from '../controller/ask.ts'
import * as topics from '../controller/topics.ts'
import { defineHandler, type HandlerDefinition } from './handler.ts'

/** From this version on clients know THROTTLING_QUOTA_EXCEEDED (KIP-599). */
const STRICT_VERSION = 3

const refuse: HandlerDefinition<typeof CreatePartitions>['refuse'] = (
  request,
  errorCode,
  errorMessage = errorInfo(errorCode).message,
) => ({
  results: request.topics.map(({ name }) => ({ name, errorCode, errorMessage })),
})

export const createPartitions = defineHandler(CreatePartitions, {
  versions: '0-3',
  runsOn: 'controller',
  handle(context, request) {
    if (leavesNoTime(request)) return refuse(request, ErrorCode.REQUEST_TIMED_OUT, null)
    const quota = context.broker.quotas.mutationQuota(context, context.apiVersion >= STRICT_VERSION)
    return writeMetadata(
      context,
      'CreatePartitions',
      (machine) => topics.createPartitions(machine, request, undefined, quota),
      (error) => refuse(request, error),
    )
  },
  refuse,
})
