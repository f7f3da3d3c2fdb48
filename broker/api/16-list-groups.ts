/**
 * Behaviour: the groups whose coordinator is this broker.
 * Versions: v4 filter by state (KIP-518); v5 by type (KIP-848). Filters ignore case; names that do not exist match nothing.
 * Errors: COORDINATOR_LOAD_IN_PROGRESS while a partition is being read.
 * Deviations: none.
 */
import { ListGroups } from '../../common/protocol/apis/16-list-groups.ts'
import { defineHandler } from './handler.ts'

export const listGroups = defineHandler(ListGroups, {
  versions: '0-5',
  runsOn: 'any',
  handle: ({ broker }, { statesFilter, typesFilter }) =>
    broker.groups
      .list({ states: statesFilter, types: typesFilter })
      .map(({ error, groups }) => ({ errorCode: error, groups })),
  refuse: (_request, error) => ({ errorCode: error, groups: [] }),
})
