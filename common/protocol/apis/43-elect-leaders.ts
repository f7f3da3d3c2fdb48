import {
  array,
  arrayOf,
  defineApi,
  errorCode,
  int8,
  int32,
  type RequestOf,
  type ResponseOf,
  string,
} from '../schema.ts'

export const ElectLeaders = defineApi({
  key: 43,
  name: 'ElectLeaders',
  versions: '0-2',
  flexible: '2+',
  kips: [460],
  listeners: ['broker', 'controller'],
  request: {
    electionType: int8('1+', { default: 0 }),
    topicPartitions: array(
      '0+',
      {
        topic: string('0+', { mapKey: true, entity: 'topicName' }),
        partitions: arrayOf('0+', int32),
      },
      { nullable: '0+' },
    ),
    timeoutMs: int32('0+', { default: 60000 }),
  },
  response: {
    throttleTimeMs: int32('0+', { default: 0 }),
    errorCode: errorCode('1+', { default: 0 }),
    replicaElectionResults: array('0+', {
      topic: string('0+', { entity: 'topicName' }),
      partitionResult: array('0+', {
        partitionId: int32('0+'),
        errorCode: errorCode('0+'),
        errorMessage: string('0+', { nullable: '0+' }),
      }),
    }),
  },
})

export type ElectLeadersRequest = RequestOf<typeof ElectLeaders>
export type ElectLeadersResponse = ResponseOf<typeof ElectLeaders>
