import { array, defineApi, errorCode, int32, type RequestOf, type ResponseOf, string } from '../schema.ts'

export const LeaveGroup = defineApi({
  key: 13,
  name: 'LeaveGroup',
  versions: '0-5',
  flexible: '4+',
  kips: [800],
  request: {
    groupId: string('0+', { entity: 'groupId' }),
    memberId: string('0-2', { default: '' }),
    members: array(
      '3+',
      {
        memberId: string('3+'),
        groupInstanceId: string('3+', { nullable: '3+', default: null }),
        reason: string('5+', { nullable: '5+', default: null, ignorable: true }),
      },
      { default: [] },
    ),
  },
  response: {
    throttleTimeMs: int32('1+', { default: 0, ignorable: true }),
    errorCode: errorCode('0+'),
    members: array(
      '3+',
      {
        memberId: string('3+'),
        groupInstanceId: string('3+', { nullable: '3+' }),
        errorCode: errorCode('3+'),
      },
      { default: [] },
    ),
  },
})

export type LeaveGroupRequest = RequestOf<typeof LeaveGroup>
export type LeaveGroupResponse = ResponseOf<typeof LeaveGroup>
