import { array, arrayOf, bytes, defineRecord, int32, type RecordOf, string } from '../schema.ts'

export const ConsumerProtocolSubscription = defineRecord({
  name: 'ConsumerProtocolSubscription',
  kind: 'data',
  versions: '0-3',
  flexible: 'none',
  fields: {
    topics: arrayOf('0+', string),
    userData: bytes('0+', { nullable: '0+', default: null }),
    ownedPartitions: array(
      '1+',
      {
        topic: string('1+', { mapKey: true, entity: 'topicName' }),
        partitions: arrayOf('1+', int32),
      },
      { default: [], ignorable: true },
    ),
    generationId: int32('2+', { default: -1, ignorable: true }),
    rackId: string('3+', { nullable: '3+', default: null, ignorable: true }),
  },
})

export type ConsumerProtocolSubscription = RecordOf<typeof ConsumerProtocolSubscription>
