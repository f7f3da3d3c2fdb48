/**
 * Behaviour: the leader of the metadata quorum resigns. Its followers campaign, in the order that it names (who has most comes first), so
 *   that nobody waits for a time-out.
 * Versions: v1 candidates with directory ids in place of successors, endpoints of the leader (KIP-853).
 * Errors: INCONSISTENT_CLUSTER_ID and INVALID_REQUEST for the whole; FENCED_LEADER_EPOCH, INCONSISTENT_VOTER_SET for the partition.
 * Deviations: none
 */
import { EndQuorumEpoch } from '../../common/protocol/apis/54-end-quorum-epoch.ts'
import { defineHandler } from './handler.ts'

const FIRST_VERSION_WITH_ENDPOINTS = 1

export const endQuorumEpoch = defineHandler(EndQuorumEpoch, {
  versions: '0-1',
  runsOn: 'any',
  handle: ({ broker, apiVersion }, request) => {
    const response = broker.metadataLog.handleEndQuorumEpoch(request)
    return apiVersion >= FIRST_VERSION_WITH_ENDPOINTS ? response : { ...response, nodeEndpoints: [] }
  },
  refuse: (_request, error) => ({ errorCode: error, topics: [] }),
})
