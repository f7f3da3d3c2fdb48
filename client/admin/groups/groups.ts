/** `deleteConsumerGroups`, and members that are taken out of a group. */
import { LeaveGroup } from '../../../common/protocol/apis/13-leave-group.ts'
import { DescribeGroups } from '../../../common/protocol/apis/15-describe-groups.ts'
import { DeleteGroups } from '../../../common/protocol/apis/42-delete-groups.ts'
import { ErrorCode } from '../../../common/protocol/errors.ts'
import { KafkaError, kafkaException, ValueError } from '../../errors.ts'
import type { AdminCall } from '../admin-call.ts'
import type { AdminEngine } from '../admin-engine.ts'
import { type AdminOptions, OptionReader } from '../admin-options.ts'
import { checkNames } from '../arguments.ts'
import type { ResultMap } from '../keyed-map.ts'
import { coordinatorOf, groupIdOf, groupIdsOf, refuseDuplicates, throwCode } from './group-arguments.ts'

/** Names a member: static ones by their instance id, others by their member id. */
export interface MemberToRemove {
  readonly memberId?: string
  readonly groupInstanceId?: string
}

export interface RemovedMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly error: KafkaError | null
}

export interface RemoveMembersOptions extends AdminOptions {
  /** For the log of the broker (KIP-800). */
  readonly reason?: string
}

/** Groups that are named twice are refused with `_INVALID_ARG`. Share groups are deleted in the same way. */
export function deleteConsumerGroups(
  engine: AdminEngine,
  groupIds: readonly string[],
  options?: AdminOptions,
): ResultMap<string, void> {
  const ids = groupIdsOf(groupIds)
  return engine.keyed<string, void>(ids, new OptionReader(options).limits(), async (call, results) => {
    refuseDuplicates(ids)
    await results.each(async (groupId) => {
      const { response } = await call.ask(coordinatorOf(groupId), {
        api: DeleteGroups,
        body: { groupsNames: [groupId] },
        codesOf: (answer) => answer.results.map(({ errorCode }) => errorCode),
        isRepeatable: false,
      })
      const [result] = response.results
      if (result === undefined) throw kafkaException(KafkaError._BAD_MSG, 'The answer has no such entry')
      throwCode(result.errorCode, result.errorMessage)
    })
  })
}

/** Takes members out of a classic group, or all of them (KIP-345); an addition. */
export async function removeMembersFromConsumerGroup(
  engine: AdminEngine,
  groupId: string,
  members: readonly MemberToRemove[] | null,
  options?: RemoveMembersOptions,
): Promise<RemovedMember[]> {
  const id = groupIdOf(groupId)
  const wanted = members === null ? null : membersOf(members)
  const reader = new OptionReader(options)
  const reason = reader.raw('reason')
  if (reason !== undefined && typeof reason !== 'string') throw new TypeError('reason must be a string')
  return await engine.single(reader.limits(), async (call) => {
    const named = wanted ?? (await membersOfGroup(call, id))
    if (named.length === 0) return []
    const { response } = await call.ask(coordinatorOf(id), {
      api: LeaveGroup,
      minVersion: 3,
      body: (version) => ({
        groupId: id,
        members: named.map(({ memberId = '', groupInstanceId = null }) => ({
          memberId,
          groupInstanceId,
          ...(version >= 5 && reason !== undefined ? { reason } : {}),
        })),
      }),
      codesOf: ({ errorCode }) => [errorCode],
      isRepeatable: false,
    })
    throwCode(response.errorCode)
    return response.members.map(({ memberId, groupInstanceId, errorCode }) => ({
      memberId,
      groupInstanceId,
      error: errorCode === ErrorCode.NONE ? null : new KafkaError(errorCode),
    }))
  })
}

async function membersOfGroup(call: AdminCall, groupId: string): Promise<MemberToRemove[]> {
  const { response } = await call.ask(coordinatorOf(groupId), {
    api: DescribeGroups,
    body: { groups: [groupId] },
    codesOf: ({ groups }) => groups.map(({ errorCode }) => errorCode),
  })
  for (const { errorCode, errorMessage } of response.groups) throwCode(errorCode, errorMessage)
  return response.groups.flatMap(({ members }) =>
    members.map(({ memberId, groupInstanceId }) =>
      groupInstanceId === null ? { memberId } : { groupInstanceId },
    ),
  )
}

function membersOf(value: unknown): readonly MemberToRemove[] {
  if (!Array.isArray(value)) throw new TypeError('members must be a list, or null for all')
  if (value.length === 0) throw new ValueError('members must be a list with entries')
  for (const member of value) {
    if (typeof member !== 'object' || member === null) throw new TypeError('members must be objects')
    checkNames(member, ['memberId', 'groupInstanceId'])
    const { memberId, groupInstanceId } = member as MemberToRemove
    const ids = [memberId, groupInstanceId].filter((id) => id !== undefined)
    if (ids.length === 0 || !ids.every((id) => typeof id === 'string')) {
      throw new TypeError('a member is named by memberId or groupInstanceId')
    }
  }
  return value
}
