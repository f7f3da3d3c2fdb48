/**
 * Behaviour: a member of a consumer group joins, lives, changes its mind or leaves, and is led to its target assignment (KIP-848).
 * Versions: v0 the coordinator may make the member id; v1 patterns, and the client makes it (KIP-1082).
 * Errors: INVALID_REQUEST; UNSUPPORTED_ASSIGNOR; INVALID_REGULAR_EXPRESSION; GROUP_ID_NOT_FOUND; UNKNOWN_MEMBER_ID; FENCED_MEMBER_EPOCH;
 *   FENCED_INSTANCE_ID; UNRELEASED_INSTANCE_ID; GROUP_MAX_SIZE_REACHED; UNSUPPORTED_VERSION when the protocol is turned off; those of finding
 *   the coordinator.
 * Deviations: patterns are JavaScript's as far as RE2 agrees with them; nested repetitions are refused.
 */
import { ConsumerGroupHeartbeat } from '../../common/protocol/apis/68-consumer-group-heartbeat.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { areConsumerGroupsEnabled } from './consumer-group-feature.ts'
import { memberClientOf } from './group-client.ts'
import { defineHandler } from './handler.ts'

export const consumerGroupHeartbeat = defineHandler(ConsumerGroupHeartbeat, {
  versions: '0-1',
  runsOn: 'groupCoordinator',
  handle: (context, request) => {
    const { apiVersion, broker } = context
    if (!areConsumerGroupsEnabled(context))
      return {
        errorCode: ErrorCode.UNSUPPORTED_VERSION,
        errorMessage: null,
        memberEpoch: 0,
        heartbeatIntervalMs: 0,
      }
    const isUnnamed = apiVersion === 0 && request.memberId === '' && request.memberEpoch === 0
    return broker.groups.consumerHeartbeat({
      ...memberClientOf(context),
      groupId: request.groupId,
      memberId: isUnnamed ? broker.runtime.random.uuid() : request.memberId,
      memberEpoch: request.memberEpoch,
      instanceId: request.instanceId,
      rackId: request.rackId,
      rebalanceTimeoutMs: request.rebalanceTimeoutMs,
      subscribedTopicNames: request.subscribedTopicNames,
      subscribedTopicRegex: request.subscribedTopicRegex,
      serverAssignor: request.serverAssignor,
      topicPartitions: request.topicPartitions,
    })
  },
  refuse: (_request, error, message) => ({
    errorCode: error,
    errorMessage: message ?? null,
    memberEpoch: 0,
    heartbeatIntervalMs: 0,
  }),
})
