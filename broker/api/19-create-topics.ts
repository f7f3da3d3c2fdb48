/**
 * CreateTopics: makes topics, with or without an assignment given by hand.
 *
 * Behaviour: each topic is decided for itself; those that pass are committed together. `validateOnly` does everything but that.
 * Versions: v2-v7; v4 takes -1 for the defaults (KIP-464), v5 answers with partition count and configs (KIP-525), v7 with the topic id.
 * Errors: TOPIC_ALREADY_EXISTS; INVALID_TOPIC_EXCEPTION for the name, also when it collides with another in metrics;
 * INVALID_PARTITIONS; INVALID_REPLICATION_FACTOR; INVALID_REPLICA_ASSIGNMENT; INVALID_CONFIG; INVALID_REQUEST for a topic named twice;
 * POLICY_VIOLATION beyond 10,000 partitions; NOT_CONTROLLER;
 * THROTTLING_QUOTA_EXCEEDED from v6 on while the client is above `controller_mutation_rate` (KIP-599);
 * for all REQUEST_TIMED_OUT when the time given is 0.
 * Deviations: there is no CreateTopicPolicy class.
 */
import { CreateTopics } from '../../common/protocol/apis/19-create-topics.ts'
import { ErrorCode, errorInfo } from '../../common/protocol/errors.ts'
import { leavesNoTime, writeMetadata } from '../controller/ask.ts'
import * as topics from '../controller/topics.ts'
import { defineHandler, type HandlerDefinition } from './handler.ts'

/** From this version on clients know THROTTLING_QUOTA_EXCEEDED (KIP-599). */
const STRICT_VERSION = 6

const refuse: HandlerDefinition<typeof CreateTopics>['refuse'] = (
  request,
  errorCode,
  errorMessage = errorInfo(errorCode).message,
) => ({
  topics: request.topics.map(({ name }) => ({ name, errorCode, errorMessage })),
})

export const createTopics = defineHandler(CreateTopics, {
  versions: '2-7',
  runsOn: 'controller',
  handle(context, request) {
    if (leavesNoTime(request)) return refuse(request, ErrorCode.REQUEST_TIMED_OUT, null)
    const quota = context.broker.quotas.mutationQuota(context, context.apiVersion >= STRICT_VERSION)
    return writeMetadata(
      context,
      'CreateTopics',
      (machine) => topics.createTopics(machine, request, undefined, quota),
      (error) => refuse(request, error),
    )
  },
  refuse,
})
