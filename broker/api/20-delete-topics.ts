/**
 * DeleteTopics: removes topics by name, or by id (KIP-516).
 *
 * Behaviour: the topics are gone from the metadata at once; brokers delete the files afterwards.
 * Versions: v1-v6; v5 carries messages, v6 takes ids.
 * Errors: UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID; INVALID_REQUEST for what is named twice or in two ways;
 * TOPIC_DELETION_DISABLED when `delete.topic.enable` is false (INVALID_REQUEST before v3); NOT_CONTROLLER;
 * THROTTLING_QUOTA_EXCEEDED from v5 on while the client is above `controller_mutation_rate` (KIP-599);
 * for all REQUEST_TIMED_OUT when the time given is 0.
 * Deviations: answers come in the order of the request, Kafka shuffles them.
 */
import { DeleteTopics } from '../../common/protocol/apis/20-delete-topics.ts'
import { ErrorCode, errorInfo } from '../../common/protocol/errors.ts'
import { ZERO_UUID } from '../../common/protocol/schema.ts'
import { leavesNoTime, writeMetadata } from '../controller/ask.ts'
import * as topics from '../controller/topics.ts'
import { defineHandler, type HandlerDefinition } from './handler.ts'

/** From this version on clients know THROTTLING_QUOTA_EXCEEDED (KIP-599). */
const STRICT_VERSION = 5

const refuse: HandlerDefinition<typeof DeleteTopics>['refuse'] = (
  request,
  errorCode,
  errorMessage = errorInfo(errorCode).message,
) => ({
  responses: [
    ...request.topicNames.map((name) => ({ name, topicId: ZERO_UUID, errorCode, errorMessage })),
    ...request.topics.map(({ name, topicId }) => ({ name, topicId, errorCode, errorMessage })),
  ],
})

export const deleteTopics = defineHandler(DeleteTopics, {
  versions: '1-6',
  runsOn: 'controller',
  handle(context, request) {
    if (!context.broker.settings.config.get('delete.topic.enable')) {
      const error = context.apiVersion < 3 ? ErrorCode.INVALID_REQUEST : ErrorCode.TOPIC_DELETION_DISABLED
      return refuse(request, error)
    }
    if (leavesNoTime(request)) return refuse(request, ErrorCode.REQUEST_TIMED_OUT, null)
    const quota = context.broker.quotas.mutationQuota(context, context.apiVersion >= STRICT_VERSION)
    return writeMetadata(
      context,
      'DeleteTopics',
      (machine) => topics.deleteTopics(machine, request, undefined, quota),
      (error) => refuse(request, error),
    )
  },
  refuse,
})
