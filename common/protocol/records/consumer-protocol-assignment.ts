import { array, arrayOf, bytes, defineRecord, int32, type RecordOf, string } from '../schema.ts'

export const ConsumerProtocolAssignment = defineRecord({
  name: 'ConsumerProtocolAssignment',
  kind: 'data',
  versions: '0-3',
  flexible: 'none',
  fields: {
    assignedPartitions: array('0+', {
      topic: string('0+', { mapKey: true, entity: 'topicName' }),
      partitions: arrayOf('0+', int32),
    }),
    userData: bytes('0+', { nullable: '0+', default: null }),
  },
})

export type ConsumerProtocolAssignment = RecordOf<typeof ConsumerProtocolAssignment>
