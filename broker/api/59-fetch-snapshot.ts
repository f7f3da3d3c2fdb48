/**
 * Behaviour: a piece of a snapshot of the metadata log, from a position on, as bytes that may end within a batch (KIP-630). A replica asks
 *   for it when Fetch told it that the log no longer reaches back to its offset.
 * Versions: v1 directory ids, endpoints of the leader (KIP-853).
 * Errors: INCONSISTENT_CLUSTER_ID and INVALID_REQUEST for the whole; UNKNOWN_TOPIC_OR_PARTITION, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH,
 *   NOT_LEADER_OR_FOLLOWER, SNAPSHOT_NOT_FOUND, POSITION_OUT_OF_RANGE for the partition.
 * Deviations: pieces have 1 MiB at most, whatever `maxBytes` allows.
 */
import { FetchSnapshot } from '../../common/protocol/apis/59-fetch-snapshot.ts'
import { defineHandler } from './handler.ts'

const FIRST_VERSION_WITH_ENDPOINTS = 1

export const fetchSnapshot = defineHandler(FetchSnapshot, {
  versions: '0-1',
  runsOn: 'any',
  handle: ({ broker, apiVersion }, request) => {
    const response = broker.metadataLog.handleFetchSnapshot(request)
    return apiVersion >= FIRST_VERSION_WITH_ENDPOINTS ? response : { ...response, nodeEndpoints: [] }
  },
  refuse: (_request, error) => ({ errorCode: error, topics: [] }),
})
