import {
  array,
  arrayOf,
  bool,
  defineApi,
  errorCode,
  int16,
  int32,
  int64,
  type RequestOf,
  type ResponseOf,
  string,
} from '../schema.ts'

const addPartitionsToTxnTopic = {
  name: string('0+', { mapKey: true, entity: 'topicName' }),
  partitions: arrayOf('0+', int32),
}

const addPartitionsToTxnPartitionResult = {
  partitionIndex: int32('0+', { mapKey: true }),
  partitionErrorCode: errorCode('0+'),
}

const addPartitionsToTxnTopicResult = {
  name: string('0+', { mapKey: true, entity: 'topicName' }),
  resultsByPartition: array('0+', addPartitionsToTxnPartitionResult),
}

export const AddPartitionsToTxn = defineApi({
  key: 24,
  name: 'AddPartitionsToTxn',
  versions: '0-5',
  flexible: '3+',
  kips: [890],
  request: {
    transactions: array(
      '4+',
      {
        transactionalId: string('4+', { mapKey: true, entity: 'transactionalId' }),
        producerId: int64('4+', { entity: 'producerId' }),
        producerEpoch: int16('4+'),
        verifyOnly: bool('4+', { default: false }),
        topics: array('4+', addPartitionsToTxnTopic),
      },
      { default: [] },
    ),
    v3AndBelowTransactionalId: string('0-3', { default: '', entity: 'transactionalId' }),
    v3AndBelowProducerId: int64('0-3', { default: 0, entity: 'producerId' }),
    v3AndBelowProducerEpoch: int16('0-3', { default: 0 }),
    v3AndBelowTopics: array('0-3', addPartitionsToTxnTopic, { default: [] }),
  },
  response: {
    throttleTimeMs: int32('0+', { default: 0 }),
    errorCode: errorCode('4+', { default: 0, ignorable: true }),
    resultsByTransaction: array(
      '4+',
      {
        transactionalId: string('4+', { mapKey: true, entity: 'transactionalId' }),
        topicResults: array('4+', addPartitionsToTxnTopicResult),
      },
      { default: [] },
    ),
    resultsByTopicV3AndBelow: array('0-3', addPartitionsToTxnTopicResult, { default: [] }),
  },
})

export type AddPartitionsToTxnRequest = RequestOf<typeof AddPartitionsToTxn>
export type AddPartitionsToTxnResponse = ResponseOf<typeof AddPartitionsToTxn>
