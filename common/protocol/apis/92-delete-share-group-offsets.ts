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

export const DeleteShareGroupOffsets = defineApi({
  key: 92,
  name: 'DeleteShareGroupOffsets',
  versions: '0',
  flexible: '0+',
  request: {
    groupId: string('0+', { entity: 'groupId' }),
    topics: array('0+', {
      topicName: string('0+', { entity: 'topicName' }),
    }),
  },
  response: {
    throttleTimeMs: int32('0+', { default: 0 }),
    errorCode: errorCode('0+'),
    errorMessage: string('0+', { nullable: '0+', default: null }),
    responses: array('0+', {
      topicName: string('0+', { entity: 'topicName' }),
      topicId: uuid('0+'),
      errorCode: errorCode('0+'),
      errorMessage: string('0+', { nullable: '0+', default: null }),
    }),
  },
})

export type DeleteShareGroupOffsetsRequest = RequestOf<typeof DeleteShareGroupOffsets>
export type DeleteShareGroupOffsetsResponse = ResponseOf<typeof DeleteShareGroupOffsets>
