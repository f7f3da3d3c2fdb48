/**
 * Behaviour: deletes groups without members, with their offsets.
 * Versions: v3 error messages.
 * Errors: NON_EMPTY_GROUP; GROUP_ID_NOT_FOUND; those of finding the coordinator, for each group.
 * Deviations: none.
 */
import { DeleteGroups } from '../../common/protocol/apis/42-delete-groups.ts'
import { Deferred } from '../../common/runtime/deferred.ts'
import { defineHandler } from './handler.ts'

export const deleteGroups = defineHandler(DeleteGroups, {
  versions: '0-3',
  runsOn: 'groupCoordinator',
  handle: ({ broker }, request) => {
    const groupIds = [...new Set(request.groupsNames)]
    return Deferred.all(groupIds.map((groupId) => broker.groups.delete(groupId))).map((errors) => ({
      results: errors.map((errorCode, index) => ({ groupId: groupIds[index] ?? '', errorCode })),
    }))
  },
  refuse: (request, error) => ({
    results: [...new Set(request.groupsNames)].map((groupId) => ({ groupId, errorCode: error })),
  }),
})
