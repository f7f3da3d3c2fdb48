/**
 * Behaviour: the elected leader of the metadata quorum tells a voter that its epoch has begun; the voter follows it from then on.
 * Versions: v1 voter and directory ids, endpoints of the leader (KIP-853).
 * Errors: INCONSISTENT_CLUSTER_ID and INVALID_REQUEST for the whole; FENCED_LEADER_EPOCH, INVALID_VOTER_KEY, INCONSISTENT_VOTER_SET, and
 *   INVALID_REQUEST for a second leader of an epoch, for the partition.
 * Deviations: endpoints in the request are not used; the addresses of voters are known.
 */
import { BeginQuorumEpoch } from '../../common/protocol/apis/53-begin-quorum-epoch.ts'
import { defineHandler } from './handler.ts'

const FIRST_VERSION_WITH_ENDPOINTS = 1

export const beginQuorumEpoch = defineHandler(BeginQuorumEpoch, {
  versions: '0-1',
  runsOn: 'any',
  handle: ({ broker, apiVersion }, request) => {
    const response = broker.metadataLog.handleBeginQuorumEpoch(request)
    return apiVersion >= FIRST_VERSION_WITH_ENDPOINTS ? response : { ...response, nodeEndpoints: [] }
  },
  refuse: (_request, error) => ({ errorCode: error, topics: [] }),
})
