import {
  array,
  defineApi,
  errorCode,
  int32,
  int64,
  type RequestOf,
  type ResponseOf,
  uuid,
} from '../schema.ts'

export const AssignReplicasToDirs = defineApi({
  key: 73,
  name: 'AssignReplicasToDirs',
  versions: '0',
  flexible: '0+',
  listeners: ['controller'],
  request: {
    brokerId: int32('0+', { entity: 'brokerId' }),
    brokerEpoch: int64('0+', { default: -1 }),
    directories: array('0+', {
      id: uuid('0+'),
      topics: array('0+', {
        topicId: uuid('0+'),
        partitions: array('0+', {
          partitionIndex: int32('0+'),
        }),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32('0+', { default: 0 }),
    errorCode: errorCode('0+'),
    directories: array('0+', {
      id: uuid('0+'),
      topics: array('0+', {
        topicId: uuid('0+'),
        partitions: array('0+', {
          partitionIndex: int32('0+'),
          errorCode: errorCode('0+'),
        }),
      }),
    }),
  },
})

export type AssignReplicasToDirsRequest = RequestOf<typeof AssignReplicasToDirs>
export type AssignReplicasToDirsResponse = ResponseOf<typeof AssignReplicasToDirs>
