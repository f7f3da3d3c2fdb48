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
  uuid,
  ZERO_UUID,
} from '../schema.ts'

export const Metadata = defineApi({
  key: 3,
  name: 'Metadata',
  versions: '0-13',
  flexible: '9+',
  kips: [700],
  request: {
    topics: array(
      '0+',
      {
        topicId: uuid('10+', { default: ZERO_UUID, ignorable: true }),
        name: string('0+', { nullable: '10+', entity: 'topicName' }),
      },
      { nullable: '1+' },
    ),
    allowAutoTopicCreation: bool('4+', { default: true }),
    includeClusterAuthorizedOperations: bool('8-10', { default: false }),
    includeTopicAuthorizedOperations: bool('8+', { default: false }),
  },
  response: {
    throttleTimeMs: int32('3+', { default: 0, ignorable: true }),
    brokers: array('0+', {
      nodeId: int32('0+', { mapKey: true, entity: 'brokerId' }),
      host: string('0+'),
      port: int32('0+'),
      rack: string('1+', { nullable: '1+', default: null, ignorable: true }),
    }),
    clusterId: string('2+', { nullable: '2+', default: null, ignorable: true }),
    controllerId: int32('1+', { default: -1, ignorable: true, entity: 'brokerId' }),
    topics: array('0+', {
      errorCode: errorCode('0+'),
      name: string('0+', { nullable: '12+', mapKey: true, entity: 'topicName' }),
      topicId: uuid('10+', { default: ZERO_UUID, ignorable: true }),
      isInternal: bool('1+', { default: false, ignorable: true }),
      partitions: array('0+', {
        errorCode: errorCode('0+'),
        partitionIndex: int32('0+'),
        leaderId: int32('0+', { entity: 'brokerId' }),
        leaderEpoch: int32('7+', { default: -1, ignorable: true }),
        replicaNodes: arrayOf('0+', int32, { entity: 'brokerId' }),
        isrNodes: arrayOf('0+', int32, { entity: 'brokerId' }),
        offlineReplicas: arrayOf('5+', int32, { default: [], ignorable: true, entity: 'brokerId' }),
      }),
      topicAuthorizedOperations: int32('8+', { default: -(2 ** 31) }),
    }),
    clusterAuthorizedOperations: int32('8-10', { default: -(2 ** 31) }),
    errorCode: errorCode('13+', { default: 0, ignorable: true }),
  },
})

export type MetadataRequest = RequestOf<typeof Metadata>
export type MetadataResponse = ResponseOf<typeof Metadata>
