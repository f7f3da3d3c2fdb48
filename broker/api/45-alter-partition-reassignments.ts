/**
 * AlterPartitionReassignments: moves replicas, or takes a move back (KIP-455).
 *
 * Behaviour: new replicas are added at once; the old ones go when all new ones are in sync.
 * Versions: v0-v1; v1 may forbid a change of the replication factor.
 * Errors: per partition UNKNOWN_TOPIC_OR_PARTITION, INVALID_REPLICA_ASSIGNMENT, INVALID_REPLICATION_FACTOR,
 * NO_REASSIGNMENT_IN_PROGRESS; for all NOT_CONTROLLER,
 * REQUEST_TIMED_OUT when the time given is 0.
 * Deviations: none.
 */
import { AlterPartitionReassignments } from '../../common/protocol/apis/45-alter-partition-reassignments.ts'
import { ErrorCode, errorInfo } from '../../common/protocol/errors.ts'
import { leavesNoTime, writeMetadata } from '../controller/ask.ts'
import * as reassignment from '../controller/reassignment.ts'
import { defineHandler, type HandlerDefinition } from './handler.ts'

const refuse: HandlerDefinition<typeof AlterPartitionReassignments>['refuse'] = (
  request,
  errorCode,
  errorMessage = errorInfo(errorCode).message,
) => ({
  allowReplicationFactorChange: request.allowReplicationFactorChange,
  errorCode,
  errorMessage,
  responses: request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode, errorMessage })),
  })),
})

export const alterPartitionReassignments = defineHandler(AlterPartitionReassignments, {
  versions: '0-1',
  runsOn: 'controller',
  handle(context, request) {
    if (leavesNoTime(request)) return refuse(request, ErrorCode.REQUEST_TIMED_OUT, null)
    return writeMetadata(
      context,
      'AlterPartitionReassignments',
      (machine) => reassignment.alterPartitionReassignments(machine, request),
      (error) => refuse(request, error),
    )
  },
  refuse,
})
