/**
 * The APIs of Kafka that have no handler here, each with the reason. A handler's line goes to `index.ts` when it comes; `test/tidy`
 * holds that every API is in exactly one of the two.
 */
import type { ApiName } from '../../common/protocol/registry.ts'

const NO_SECURITY = 'Connections are not authenticated.'
const NO_DELEGATION_TOKENS = 'There are no delegation tokens; they need authenticated connections first.'
const STATIC_VOTERS = 'The voters of the metadata quorum are fixed when the cluster starts.'
const NO_STREAMS_GROUPS = 'There are no streams groups (KIP-1071).'

export const unsupported: Partial<Readonly<Record<ApiName, string>>> = {
  SaslHandshake: NO_SECURITY,
  SaslAuthenticate: NO_SECURITY,
  CreateDelegationToken: NO_DELEGATION_TOKENS,
  RenewDelegationToken: NO_DELEGATION_TOKENS,
  ExpireDelegationToken: NO_DELEGATION_TOKENS,
  DescribeDelegationToken: NO_DELEGATION_TOKENS,
  ControllerRegistration: 'Controllers are known from the start.',
  AssignReplicasToDirs: 'A broker has one log directory, so replicas are not assigned to directories.',
  AddRaftVoter: STATIC_VOTERS,
  RemoveRaftVoter: STATIC_VOTERS,
  UpdateRaftVoter: STATIC_VOTERS,
  UnregisterController: STATIC_VOTERS,
  StreamsGroupHeartbeat: NO_STREAMS_GROUPS,
  StreamsGroupDescribe: NO_STREAMS_GROUPS,
  StreamsGroupTopologyDescriptionUpdate: NO_STREAMS_GROUPS,
}
