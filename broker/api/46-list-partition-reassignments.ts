/**
 * ListPartitionReassignments: which replicas are being moved (KIP-455).
 *
 * Behaviour: null means all topics; partitions at rest are left out, unknown ones too.
 * Versions: v0.
 * Errors: NOT_CONTROLLER.
 * Deviations: none.
 */
import { ListPartitionReassignments } from '../../common/protocol/apis/46-list-partition-reassignments.ts'
import { errorInfo } from '../../common/protocol/errors.ts'
import { writeMetadata } from '../controller/ask.ts'
import * as reassignment from '../controller/reassignment.ts'
import { defineHandler, type HandlerDefinition } from './handler.ts'

const refuse: HandlerDefinition<typeof ListPartitionReassignments>['refuse'] = (
  _,
  errorCode,
  errorMessage = errorInfo(errorCode).message,
) => {
  return { errorCode, errorMessage, topics: [] }
}

export const listPartitionReassignments = defineHandler(ListPartitionReassignments, {
  versions: '0',
  runsOn: 'controller',
  handle(context, request) {
    return writeMetadata(
      context,
      'ListPartitionReassignments',
      (machine) => reassignment.listPartitionReassignments(machine, request),
      (error) => refuse(request, error),
    )
  },
  refuse,
})
