import { array, defineApi, errorCode, int32, type RequestOf, type ResponseOf, string } from '../schema.ts'

export const OffsetDelete = defineApi({
  key: 47,
  name: 'OffsetDelete',
  versions: '0',
  flexible: 'none',
  request: {
    groupId: string('0+', { entity: 'groupId' }),
    topics: array('0+', {
      name: string('0+', { mapKey: true, entity: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
      }),
    }),
  },
  response: {
    errorCode: errorCode('0+'),
    throttleTimeMs: int32('0+', { default: 0, ignorable: true }),
    topics: array('0+', {
      name: string('0+', { mapKey: true, entity: 'topicName' }),
      partitions: array('0+', {
        partitionIndex: int32('0+', { mapKey: true }),
        errorCode: errorCode('0+'),
      }),
    }),
  },
})

export type OffsetDeleteRequest = RequestOf<typeof OffsetDelete>
export type OffsetDeleteResponse = ResponseOf<typeof OffsetDelete>
