import {
  array,
  arrayOf,
  bool,
  defineApi,
  errorCode,
  int32,
  type RequestOf,
  type ResponseOf,
  string,
  struct,
  uuid,
} from '../schema.ts'

const topicPartitions = {
  topicId: uuid('0+'),
  topicName: string('0+', { entity: 'topicName' }),
  partitions: arrayOf('0+', int32),
}

const assignment = {
  topicPartitions: array('0+', topicPartitions),
}

export const ShareGroupDescribe = defineApi({
  key: 77,
  name: 'ShareGroupDescribe',
  versions: '1',
  flexible: '0+',
  kips: [932],
  request: {
    groupIds: arrayOf('0+', string, { entity: 'groupId' }),
    includeAuthorizedOperations: bool('0+'),
  },
  response: {
    throttleTimeMs: int32('0+', { default: 0 }),
    groups: array('0+', {
      errorCode: errorCode('0+'),
      errorMessage: string('0+', { nullable: '0+', default: null }),
      groupId: string('0+', { entity: 'groupId' }),
      groupState: string('0+'),
      groupEpoch: int32('0+'),
      assignmentEpoch: int32('0+'),
      assignorName: string('0+'),
      members: array('0+', {
        memberId: string('0+'),
        rackId: string('0+', { nullable: '0+', default: null }),
        memberEpoch: int32('0+'),
        clientId: string('0+'),
        clientHost: string('0+'),
        subscribedTopicNames: arrayOf('0+', string, { entity: 'topicName' }),
        assignment: struct('0+', assignment),
      }),
      authorizedOperations: int32('0+', { default: -(2 ** 31) }),
    }),
  },
})

export type ShareGroupDescribeRequest = RequestOf<typeof ShareGroupDescribe>
export type ShareGroupDescribeResponse = ResponseOf<typeof ShareGroupDescribe>
