/**
 * ElectLeaders: gives partitions to their preferred leaders, or to any live replica (KIP-460).
 *
 * Behaviour: null means all partitions, of which only those are told that needed an election.
 * Versions: v0-v2; v1 knows unclean elections, v2 is flexible.
 * Errors: per partition ELECTION_NOT_NEEDED, PREFERRED_LEADER_NOT_AVAILABLE, ELIGIBLE_LEADERS_NOT_AVAILABLE,
 * UNKNOWN_TOPIC_OR_PARTITION; for all INVALID_REQUEST (type of election), NOT_CONTROLLER,
 * REQUEST_TIMED_OUT when the time given is 0.
 * Deviations: none.
 */
import { ElectLeaders } from '../../common/protocol/apis/43-elect-leaders.ts'
import { ErrorCode, errorInfo } from '../../common/protocol/errors.ts'
import { leavesNoTime, writeMetadata } from '../controller/ask.ts'
import * as elections from '../controller/elections.ts'
import { defineHandler, type HandlerDefinition } from './handler.ts'

const refuse: HandlerDefinition<typeof ElectLeaders>['refuse'] = (
  request,
  errorCode,
  errorMessage = errorInfo(errorCode).message,
  apiVersion = ElectLeaders.versions.highest,
) => ({
  // Version 0 has no place for it.
  errorCode: apiVersion >= 1 ? errorCode : ErrorCode.NONE,
  replicaElectionResults: (request.topicPartitions ?? []).map(({ topic, partitions }) => ({
    topic,
    partitionResult: partitions.map((partitionId) => ({ partitionId, errorCode, errorMessage })),
  })),
})

export const electLeaders = defineHandler(ElectLeaders, {
  versions: '0-2',
  runsOn: 'controller',
  handle(context, request) {
    if (leavesNoTime(request)) return refuse(request, ErrorCode.REQUEST_TIMED_OUT, null, context.apiVersion)
    return writeMetadata(
      context,
      'ElectLeaders',
      (machine) => elections.electLeaders(machine, request),
      (error) => refuse(request, error, undefined, context.apiVersion),
    )
  },
  refuse,
})
