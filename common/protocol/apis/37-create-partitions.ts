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
} from '../schema.ts'

export const CreatePartitions = defineApi({
  key: 37,
  name: 'CreatePartitions',
  versions: '0-3',
  flexible: '2+',
  kips: [599],
  listeners: ['broker', 'controller'],
  request: {
    topics: array('0+', {
      name: string('0+', { mapKey: true, entity: 'topicName' }),
      count: int32('0+', { about: 'Wanted total number of partitions, not the increment.' }),
      assignments: array(
        '0+',
        {
          brokerIds: arrayOf('0+', int32, { entity: 'brokerId' }),
        },
        { nullable: '0+' },
      ),
    }),
    timeoutMs: int32('0+'),
    validateOnly: bool('0+'),
  },
  response: {
    throttleTimeMs: int32('0+', { default: 0 }),
    results: array('0+', {
      name: string('0+', { entity: 'topicName' }),
      errorCode: errorCode('0+'),
      errorMessage: string('0+', { nullable: '0+', default: null }),
    }),
  },
})

export type CreatePartitionsRequest = RequestOf<typeof CreatePartitions>
export type CreatePartitionsResponse = ResponseOf<typeof CreatePartitions>
