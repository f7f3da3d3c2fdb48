/**
 * Behaviour: a voter of the metadata quorum asks for this node's vote in a new epoch, or with a pre-vote (KIP-996) whether it would get
 *   it. The vote goes to the first that asks in an epoch and whose log holds at least what this node's holds; it is on disk before the
 *   answer leaves. A pre-vote promises nothing, and is refused by who hears of a leader.
 * Versions: v1 voter and directory ids (KIP-853), endpoints of the leader; v2 pre-vote.
 * Errors: INCONSISTENT_CLUSTER_ID and INVALID_REQUEST for the whole; FENCED_LEADER_EPOCH, INVALID_VOTER_KEY, INCONSISTENT_VOTER_SET,
 *   INVALID_REQUEST for the partition.
 * Deviations: directory ids are not compared; voters are fixed (kraft.version 0), so who is none gets no vote.
 */
import { Vote } from '../../common/protocol/apis/52-vote.ts'
import { defineHandler } from './handler.ts'

const FIRST_VERSION_WITH_ENDPOINTS = 1

export const vote = defineHandler(Vote, {
  versions: '0-2',
  runsOn: 'any',
  handle: ({ broker, apiVersion }, request) => {
    const response = broker.metadataLog.handleVote(request)
    return apiVersion >= FIRST_VERSION_WITH_ENDPOINTS ? response : { ...response, nodeEndpoints: [] }
  },
  refuse: (_request, error) => ({ errorCode: error, topics: [] }),
})
