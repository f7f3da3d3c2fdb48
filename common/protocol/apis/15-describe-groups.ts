import {
  array,
  arrayOf,
  bool,
  bytes,
  defineApi,
  errorCode,
  int32,
  type RequestOf,
  type ResponseOf,
  string,
} from '../schema.ts'

export const DescribeGroups = defineApi({
  key: 15,
  name: 'DescribeGroups',
  versions: '0-6',
  flexible: '5+',
  kips: [1043],
  request: {
    groups: arrayOf('0+', string, { entity: 'groupId' }),
    includeAuthorizedOperations: bool('3+', { default: false }),
  },
  response: {
    throttleTimeMs: int32('1+', { default: 0, ignorable: true }),
    groups: array('0+', {
      errorCode: errorCode('0+'),
      errorMessage: string('6+', { nullable: '6+', default: null }),
      groupId: string('0+', { entity: 'groupId' }),
      groupState: string('0+'),
      protocolType: string('0+'),
      protocolData: string('0+'),
      members: array('0+', {
        memberId: string('0+'),
        groupInstanceId: string('4+', { nullable: '4+', default: null, ignorable: true }),
        clientId: string('0+'),
        clientHost: string('0+'),
        memberMetadata: bytes('0+'),
        memberAssignment: bytes('0+'),
      }),
      authorizedOperations: int32('3+', { default: -(2 ** 31) }),
    }),
  },
})

export type DescribeGroupsRequest = RequestOf<typeof DescribeGroups>
export type DescribeGroupsResponse = ResponseOf<typeof DescribeGroups>
