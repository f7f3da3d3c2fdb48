import {
  array,
  arrayOf,
  bool,
  defineApi,
  errorCode,
  int8,
  int16,
  int32,
  type RequestOf,
  type ResponseOf,
  string,
  uuid,
  ZERO_UUID,
} from '../schema.ts'

export const CreateTopics = defineApi({
  key: 19,
  name: 'CreateTopics',
  versions: '2-7',
  flexible: '5+',
  kips: [464, 525, 599],
  listeners: ['broker', 'controller'],
  request: {
    topics: array('0+', {
      name: string('0+', { mapKey: true, entity: 'topicName' }),
      numPartitions: int32('0+'),
      replicationFactor: int16('0+'),
      assignments: array('0+', {
        partitionIndex: int32('0+', { mapKey: true }),
        brokerIds: arrayOf('0+', int32, { entity: 'brokerId' }),
      }),
      configs: array('0+', {
        name: string('0+', { mapKey: true }),
        value: string('0+', { nullable: '0+' }),
      }),
    }),
    timeoutMs: int32('0+', { default: 60000 }),
    validateOnly: bool('1+', { default: false }),
  },
  response: {
    throttleTimeMs: int32('2+', { default: 0, ignorable: true }),
    topics: array('0+', {
      name: string('0+', { mapKey: true, entity: 'topicName' }),
      topicId: uuid('7+', { default: ZERO_UUID, ignorable: true }),
      errorCode: errorCode('0+'),
      errorMessage: string('1+', { nullable: '0+', ignorable: true }),
      topicConfigErrorCode: errorCode('5+', { tag: 0, ignorable: true }),
      numPartitions: int32('5+', { default: -1, ignorable: true }),
      replicationFactor: int16('5+', { default: -1, ignorable: true }),
      configs: array(
        '5+',
        {
          name: string('5+'),
          value: string('5+', { nullable: '5+' }),
          readOnly: bool('5+'),
          configSource: int8('5+', { default: -1, ignorable: true }),
          isSensitive: bool('5+'),
        },
        { nullable: '5+', default: [], ignorable: true },
      ),
    }),
  },
})

export type CreateTopicsRequest = RequestOf<typeof CreateTopics>
export type CreateTopicsResponse = ResponseOf<typeof CreateTopics>
