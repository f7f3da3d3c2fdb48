import { describe, expect, it } from 'vitest'
import { offsetCommit } from '../../../../broker/api/08-offset-commit.ts'
import { offsetFetch } from '../../../../broker/api/09-offset-fetch.ts'
import { joinGroup } from '../../../../broker/api/11-join-group.ts'
import { heartbeat } from '../../../../broker/api/12-heartbeat.ts'
import { leaveGroup } from '../../../../broker/api/13-leave-group.ts'
import { syncGroup } from '../../../../broker/api/14-sync-group.ts'
import { describeGroups } from '../../../../broker/api/15-describe-groups.ts'
import { listGroups } from '../../../../broker/api/16-list-groups.ts'
import { deleteGroups } from '../../../../broker/api/42-delete-groups.ts'
import { offsetDelete } from '../../../../broker/api/47-offset-delete.ts'
import { consumerGroupHeartbeat } from '../../../../broker/api/68-consumer-group-heartbeat.ts'
import { consumerGroupDescribe } from '../../../../broker/api/69-consumer-group-describe.ts'
import type { Handler } from '../../../../broker/api/handler.ts'
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../../../common/protocol/codec.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import type { ApiSchema } from '../../../../common/protocol/schema.ts'
import { formatVersionRange, hasVersion } from '../../../../common/protocol/versions.ts'
import { GroupHarness, subscription } from '../coordinator/group/harness.ts'

const protocols = [{ name: 'range', metadata: subscription(['orders']) }]
const commitTopics = [
  { name: 'orders', partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: null }] },
]

/** A request that the handler's lowest and highest version both carry. */
const REQUESTS: readonly (readonly [
  Handler<ApiSchema>,
  Record<string, unknown>,
  Record<string, unknown>?,
])[] = [
  [
    offsetCommit,
    { groupId: 'g', memberId: '', topics: commitTopics },
    { groupId: 'g', memberId: '', topics: [] },
  ],
  [
    offsetFetch,
    { groupId: 'g', topics: [{ name: 'orders', partitionIndexes: [0] }] },
    { groups: [{ groupId: 'g', topics: null }] },
  ],
  [joinGroup, { groupId: '', sessionTimeoutMs: 1, memberId: '', protocolType: 'consumer', protocols }],
  [heartbeat, { groupId: 'g', generationId: 1, memberId: 'm' }],
  [leaveGroup, { groupId: 'g', memberId: 'm' }, { groupId: 'g', members: [{ memberId: 'm' }] }],
  [
    syncGroup,
    { groupId: 'g', generationId: 1, memberId: 'm', assignments: [] },
    {
      groupId: 'g',
      generationId: 1,
      memberId: 'm',
      protocolType: 'consumer',
      protocolName: 'x',
      assignments: [],
    },
  ],
  [describeGroups, { groups: ['g'] }],
  [listGroups, {}],
  [deleteGroups, { groupsNames: ['g', 'g'] }],
  [offsetDelete, { groupId: 'g', topics: [{ name: 'orders', partitions: [{ partitionIndex: 0 }] }] }],
  [consumerGroupHeartbeat, { groupId: 'g', memberId: 'm', memberEpoch: 3 }],
  [consumerGroupDescribe, { groupIds: ['g'], includeAuthorizedOperations: true }],
] as unknown as readonly (readonly [Handler<ApiSchema>, Record<string, unknown>, Record<string, unknown>?])[]

const CASES = REQUESTS.map(([handler, lowest, highest]) => ({ handler, lowest, highest: highest ?? lowest }))

describe.each(CASES)('$handler.api.name', ({ handler, lowest, highest }) => {
  const { name, versions } = handler.api

  it(`${name} serves every version of its schema`, () => {
    expect(handler.versions).toBe(formatVersionRange(versions))
  })

  it(`${name} answers in its lowest and its highest version`, () => {
    const harness = new GroupHarness()
    expect(harness.call(handler, lowest, versions.lowest)).toBeDefined()
    expect(harness.call(handler, highest, versions.highest)).toBeDefined()
  })

  it(`${name} answers when the coordinator is gone, and can be refused, in both versions`, () => {
    const harness = new GroupHarness()
    harness.coordinator.service.onLeadershipLost(0, 1)
    for (const [request, version] of [
      [lowest, versions.lowest],
      [highest, versions.highest],
    ] as const) {
      expect(harness.call(handler, request, version)).toBeDefined()
      const decoded = decodeRequest(handler.api, version, encodeRequest(handler.api, version, request))
      const refused = handler.refuse(decoded, ErrorCode.GROUP_AUTHORIZATION_FAILED, undefined, version)
      const answer = decodeResponse(handler.api, version, encodeResponse(handler.api, version, refused))
      const { errorCode } = handler.api.response.fields
      if (errorCode !== undefined && hasVersion(errorCode.versions, version)) {
        expect(answer).toMatchObject({ errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED })
      } else if (version === versions.lowest || name !== 'OffsetCommit') {
        expect(JSON.stringify(answer)).toContain(`"errorCode":${ErrorCode.GROUP_AUTHORIZATION_FAILED}`)
      }
    }
  })
})
