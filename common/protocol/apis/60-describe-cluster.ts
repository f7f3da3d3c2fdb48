import {
  array,
  bool,
  defineApi,
  errorCode,
  int8,
  int32,
  type RequestOf,
  type ResponseOf,
  string,
} from '../schema.ts'

export const DescribeCluster = defineApi({
  key: 60,
  name: 'DescribeCluster',
  versions: '0-2',
  flexible: '0+',
  kips: [919, 1073],
  listeners: ['broker', 'controller'],
  request: {
    includeClusterAuthorizedOperations: bool('0+'),
    endpointType: int8('1+', { default: 1 }),
    includeFencedBrokers: bool('2+', { default: false }),
  },
  response: {
    throttleTimeMs: int32('0+', { default: 0 }),
    errorCode: errorCode('0+'),
    errorMessage: string('0+', { nullable: '0+', default: null }),
    endpointType: int8('1+', { default: 1 }),
    clusterId: string('0+'),
    controllerId: int32('0+', { default: -1, entity: 'brokerId' }),
    brokers: array('0+', {
      brokerId: int32('0+', { mapKey: true, entity: 'brokerId' }),
      host: string('0+'),
      port: int32('0+'),
      rack: string('0+', { nullable: '0+', default: null }),
      isFenced: bool('2+', { default: false }),
    }),
    clusterAuthorizedOperations: int32('0+', { default: -(2 ** 31) }),
  },
})

export type DescribeClusterRequest = RequestOf<typeof DescribeCluster>
export type DescribeClusterResponse = ResponseOf<typeof DescribeCluster>
