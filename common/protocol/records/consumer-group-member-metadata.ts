import { array, arrayOf, bytes, defineRecord, int32, type RecordOf, string, struct } from '../schema.ts'

export const ConsumerGroupMemberMetadataKey = defineRecord({
  name: 'ConsumerGroupMemberMetadataKey',
  kind: 'coordinator-key',
  type: 5,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: string('0'),
    memberId: string('0'),
  },
})

export type ConsumerGroupMemberMetadataKey = RecordOf<typeof ConsumerGroupMemberMetadataKey>

export const ConsumerGroupMemberMetadataValue = defineRecord({
  name: 'ConsumerGroupMemberMetadataValue',
  kind: 'coordinator-value',
  type: 5,
  versions: '0',
  flexible: '0+',
  fields: {
    instanceId: string('0+', { nullable: '0+' }),
    rackId: string('0+', { nullable: '0+' }),
    clientId: string('0+'),
    clientHost: string('0+'),
    subscribedTopicNames: arrayOf('0+', string),
    subscribedTopicRegex: string('0+', { nullable: '0+' }),
    rebalanceTimeoutMs: int32('0+', { default: -1 }),
    serverAssignor: string('0+', { nullable: '0+' }),
    classicMemberMetadata: struct(
      '0+',
      {
        sessionTimeoutMs: int32('0+'),
        supportedProtocols: array('0+', {
          name: string('0+'),
          metadata: bytes('0+'),
        }),
      },
      {
        nullable: '0+',
        tag: 0,
        about:
          'null for members of the consumer protocol; Kafka writes that null out, an absent field is a structure of defaults.',
      },
    ),
  },
})

export type ConsumerGroupMemberMetadataValue = RecordOf<typeof ConsumerGroupMemberMetadataValue>
