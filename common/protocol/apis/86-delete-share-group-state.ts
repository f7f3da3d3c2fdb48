import {
  array,
  defineApi,
  errorCode,
  int32,
  type RequestOf,
  type ResponseOf,
  string,
  uuid,
} from '../schema.ts'

export const DeleteShareGroupState = defineApi({
  key: 86,
  name: 'DeleteShareGroupState',
  versions: '0',
  flexible: '0+',
  request: {
    groupId: string('0+'),
    topics: array('0+', {
      topicId: uuid('0+'),
      partitions: array('0+', {
        partition: int32('0+'),
      }),
    }),
  },
  response: {
    results: array('0+', {
      topicId: uuid('0+'),
      partitions: array('0+', {
        partition: int32('0+'),
        errorCode: errorCode('0+'),
        errorMessage: string('0+', { nullable: '0+', default: null }),
      }),
    }),
  },
})

export type DeleteShareGroupStateRequest = RequestOf<typeof DeleteShareGroupState>
export type DeleteShareGroupStateResponse = ResponseOf<typeof DeleteShareGroupState>
