import {
  array,
  arrayOf,
  defineApi,
  errorCode,
  int8,
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

export const Fetch = defineApi({
  key: 1,
  name: 'Fetch',
  versions: '4-18',
  flexible: '12+',
  kips: [74, 110, 320, 405, 516, 853, 903, 951, 1166],
  listeners: ['broker', 'controller'],
  request: {
    clusterId: string('12+', { nullable: '12+', default: null, tag: 0, ignorable: true }),
    replicaId: int32('0-14', { default: -1, entity: 'brokerId' }),
    replicaState: struct(
      '15+',
      {
        replicaId: int32('15+', { default: -1, entity: 'brokerId' }),
        replicaEpoch: int64('15+', { default: -1 }),
      },
      { tag: 1 },
    ),
    maxWaitMs: int32('0+'),
    minBytes: int32('0+'),
    maxBytes: int32('3+', { default: 0x7fffffff, ignorable: true }),
    isolationLevel: int8('4+', {
      default: 0,
      ignorable: true,
      about: '0 reads everything, 1 only what is committed.',
    }),
    sessionId: int32('7+', { default: 0, ignorable: true }),
    sessionEpoch: int32('7+', {
      default: -1,
      ignorable: true,
      about: '-1 asks without a session, 0 opens one (KIP-227).',
    }),
    topics: array('0+', {
      topic: string('0-12', { default: '', ignorable: true, entity: 'topicName' }),
      topicId: uuid('13+', { default: ZERO_UUID, ignorable: true }),
      partitions: array('0+', {
        partition: int32('0+'),
        currentLeaderEpoch: int32('9+', { default: -1, ignorable: true }),
        fetchOffset: int64('0+'),
        lastFetchedEpoch: int32('12+', { default: -1 }),
        logStartOffset: int64('5+', { default: -1, ignorable: true }),
        partitionMaxBytes: int32('0+'),
        replicaDirectoryId: uuid('17+', { tag: 0, ignorable: true }),
        highWatermark: int64('18+', { default: 2 ** 63, tag: 1, ignorable: true }),
      }),
    }),
    forgottenTopicsData: array(
      '7+',
      {
        topic: string('7-12', { default: '', ignorable: true, entity: 'topicName' }),
        topicId: uuid('13+', { default: ZERO_UUID, ignorable: true }),
        partitions: arrayOf('7+', int32),
      },
      { default: [] },
    ),
    rackId: string('11+', { default: '', ignorable: true }),
  },
  response: {
    throttleTimeMs: int32('1+', { default: 0, ignorable: true }),
    errorCode: errorCode('7+', { default: 0, ignorable: true }),
    sessionId: int32('7+', { default: 0 }),
    responses: array('0+', {
      topic: string('0-12', { default: '', ignorable: true, entity: 'topicName' }),
      topicId: uuid('13+', { default: ZERO_UUID, ignorable: true }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: errorCode('0+'),
        highWatermark: int64('0+'),
        lastStableOffset: int64('4+', { default: -1, ignorable: true }),
        logStartOffset: int64('5+', { default: -1, ignorable: true }),
        divergingEpoch: struct(
          '12+',
          {
            epoch: int32('12+', { default: -1 }),
            endOffset: int64('12+', { default: -1 }),
          },
          { tag: 0 },
        ),
        currentLeader: struct(
          '12+',
          {
            leaderId: int32('12+', { default: -1, entity: 'brokerId' }),
            leaderEpoch: int32('12+', { default: -1 }),
          },
          { tag: 1 },
        ),
        snapshotId: struct(
          '12+',
          {
            endOffset: int64('0+', { default: -1 }),
            epoch: int32('0+', { default: -1 }),
          },
          { tag: 2 },
        ),
        abortedTransactions: array(
          '4+',
          {
            producerId: int64('4+', { entity: 'producerId' }),
            firstOffset: int64('4+'),
          },
          { nullable: '4+', ignorable: true },
        ),
        preferredReadReplica: int32('11+', { default: -1, entity: 'brokerId' }),
        records: records('0+', { nullable: '0+' }),
      }),
    }),
    nodeEndpoints: array(
      '16+',
      {
        nodeId: int32('16+', { mapKey: true, entity: 'brokerId' }),
        host: string('16+'),
        port: int32('16+'),
        rack: string('16+', { nullable: '16+', default: null }),
      },
      { tag: 0 },
    ),
  },
})

export type FetchRequest = RequestOf<typeof Fetch>
export type FetchResponse = ResponseOf<typeof Fetch>
