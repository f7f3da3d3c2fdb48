import {
  array,
  defineApi,
  errorCode,
  int16,
  int32,
  int64,
  type RequestOf,
  type ResponseOf,
  records,
  string,
  struct,
  uuid,
  ZERO_UUID,
} from '../schema.ts'

export const Produce = defineApi({
  key: 0,
  name: 'Produce',
  versions: '3-13',
  flexible: '9+',
  kips: [110, 467, 516, 890, 951],
  request: {
    transactionalId: string('3+', { nullable: '3+', default: null, entity: 'transactionalId' }),
    acks: int16('0+', {
      about: '-1 waits for all in-sync replicas, 1 for the leader, 0 asks for no answer.',
    }),
    timeoutMs: int32('0+'),
    topicData: array('0+', {
      name: string('0-12', { default: '', ignorable: true, mapKey: true, entity: 'topicName' }),
      topicId: uuid('13+', { default: ZERO_UUID, ignorable: true, mapKey: true }),
      partitionData: array('0+', {
        index: int32('0+'),
        records: records('0+', { nullable: '0+' }),
      }),
    }),
  },
  response: {
    responses: array('0+', {
      name: string('0-12', { default: '', ignorable: true, mapKey: true, entity: 'topicName' }),
      topicId: uuid('13+', { default: ZERO_UUID, ignorable: true, mapKey: true }),
      partitionResponses: array('0+', {
        index: int32('0+'),
        errorCode: errorCode('0+'),
        baseOffset: int64('0+'),
        logAppendTimeMs: int64('2+', { default: -1, ignorable: true }),
        logStartOffset: int64('5+', { default: -1, ignorable: true }),
        recordErrors: array(
          '8+',
          {
            batchIndex: int32('8+'),
            batchIndexErrorMessage: string('8+', { nullable: '8+', default: null }),
          },
          { default: [], ignorable: true },
        ),
        errorMessage: string('8+', { nullable: '8+', default: null, ignorable: true }),
        currentLeader: struct(
          '10+',
          {
            leaderId: int32('10+', { default: -1, entity: 'brokerId' }),
            leaderEpoch: int32('10+', { default: -1 }),
          },
          { tag: 0 },
        ),
      }),
    }),
    throttleTimeMs: int32('1+', { default: 0, ignorable: true }),
    nodeEndpoints: array(
      '10+',
      {
        nodeId: int32('10+', { mapKey: true, entity: 'brokerId' }),
        host: string('10+'),
        port: int32('10+'),
        rack: string('10+', { nullable: '10+', default: null }),
      },
      { tag: 0 },
    ),
  },
})

export type ProduceRequest = RequestOf<typeof Produce>
export type ProduceResponse = ResponseOf<typeof Produce>
