/** How share groups look from outside: ShareGroupDescribe. */
import type { ShareGroupDescribe } from '../../../common/protocol/apis/77-share-group-describe.ts'
import { ErrorCode } from '../../../common/protocol/errors.ts'
import type { ResponseInputOf } from '../../../common/protocol/schema.ts'
import type { GroupShardState } from '../group/group-state.ts'
import { ShareGroup, type ShareMember } from './share-group.ts'
import { topicPartitionsOf } from './share-heartbeat.ts'

export type DescribedShareGroup = ResponseInputOf<typeof ShareGroupDescribe>['groups'][number]

const ASSIGNOR_NAME = 'simple'

export function failShareDescribe(
  groupId: string,
  errorCode: ErrorCode,
  errorMessage: string | null = null,
): DescribedShareGroup {
  return {
    errorCode,
    errorMessage,
    groupId,
    groupState: '',
    groupEpoch: 0,
    assignmentEpoch: 0,
    assignorName: '',
    members: [],
  }
}

export function describeShareGroup(shard: GroupShardState, groupId: string): DescribedShareGroup {
  const group = shard.groups.get(groupId)
  if (!(group instanceof ShareGroup)) {
    const message =
      group === undefined ? `Group ${groupId} not found.` : `Group ${groupId} is not a share group.`
    return failShareDescribe(groupId, ErrorCode.GROUP_ID_NOT_FOUND, message)
  }
  return {
    errorCode: ErrorCode.NONE,
    groupId,
    groupState: group.state,
    groupEpoch: group.groupEpoch,
    assignmentEpoch: group.assignmentEpoch,
    assignorName: ASSIGNOR_NAME,
    members: [...group.members.values()].map((member) => describeMember(shard, member)),
  }
}

function describeMember(shard: GroupShardState, member: ShareMember) {
  const { topicsById } = shard.metadata()
  return {
    memberId: member.memberId,
    rackId: member.rackId,
    memberEpoch: member.memberEpoch,
    clientId: member.clientId,
    clientHost: member.clientHost,
    subscribedTopicNames: member.subscribedTopicNames,
    assignment: {
      topicPartitions: topicPartitionsOf(member.assigned).flatMap((topic) => {
        const topicName = topicsById.get(topic.topicId)?.name
        return topicName === undefined ? [] : [{ ...topic, topicName }]
      }),
    },
  }
}
