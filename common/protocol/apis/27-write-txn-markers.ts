import {
  array,
  arrayOf,
  bool,
  defineApi,
  errorCode,
  int8,
  int16,
  int32,
  int64,
  type RequestOf,
  type ResponseOf,
  string,
} from '../schema.ts'

export const WriteTxnMarkers = defineApi({
  key: 27,
  name: 'WriteTxnMarkers',
  versions: '1-2',
  flexible: '1+',
  kips: [1228],
  request: {
    markers: array('0+', {
      producerId: int64('0+', { entity: 'producerId' }),
      producerEpoch: int16('0+'),
      transactionResult: bool('0+'),
      topics: array('0+', {
        name: string('0+', { entity: 'topicName' }),
        partitionIndexes: arrayOf('0+', int32),
      }),
      coordinatorEpoch: int32('0+'),
      transactionVersion: int8('2+', { default: 0, ignorable: true }),
    }),
  },
  response: {
    markers: array('0+', {
      producerId: int64('0+', { entity: 'producerId' }),
      topics: array('0+', {
        name: string('0+', { entity: 'topicName' }),
        partitions: array('0+', {
          partitionIndex: int32('0+'),
          errorCode: errorCode('0+'),
        }),
      }),
    }),
  },
})

export type WriteTxnMarkersRequest = RequestOf<typeof WriteTxnMarkers>
export type WriteTxnMarkersResponse = ResponseOf<typeof WriteTxnMarkers>
