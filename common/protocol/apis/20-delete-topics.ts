import {
  array,
  arrayOf,
  defineApi,
  errorCode,
  int32,
  type RequestOf,
  type ResponseOf,
  string,
  uuid,
  ZERO_UUID,
} from '../schema.ts'

export const DeleteTopics = defineApi({
  key: 20,
  name: 'DeleteTopics',
  versions: '1-6',
  flexible: '4+',
  kips: [599],
  listeners: ['broker', 'controller'],
  request: {
    topics: array(
      '6+',
      {
        name: string('6+', { nullable: '6+', default: null, entity: 'topicName' }),
        topicId: uuid('6+'),
      },
      { default: [] },
    ),
    topicNames: arrayOf('0-5', string, { default: [], ignorable: true, entity: 'topicName' }),
    timeoutMs: int32('0+'),
  },
  response: {
    throttleTimeMs: int32('1+', { default: 0, ignorable: true }),
    responses: array('0+', {
      name: string('0+', { nullable: '6+', mapKey: true, entity: 'topicName' }),
      topicId: uuid('6+', { default: ZERO_UUID, ignorable: true }),
      errorCode: errorCode('0+'),
      errorMessage: string('5+', { nullable: '5+', default: null, ignorable: true }),
    }),
  },
})

export type DeleteTopicsRequest = RequestOf<typeof DeleteTopics>
export type DeleteTopicsResponse = ResponseOf<typeof DeleteTopics>
