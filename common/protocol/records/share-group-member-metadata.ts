import { arrayOf, defineRecord, type RecordOf, string } from '../schema.ts'

export const ShareGroupMemberMetadataKey = defineRecord({
  name: 'ShareGroupMemberMetadataKey',
  kind: 'coordinator-key',
  type: 10,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: string('0'),
    memberId: string('0'),
  },
})

export type ShareGroupMemberMetadataKey = RecordOf<typeof ShareGroupMemberMetadataKey>

export const ShareGroupMemberMetadataValue = defineRecord({
  name: 'ShareGroupMemberMetadataValue',
  kind: 'coordinator-value',
  type: 10,
  versions: '0',
  flexible: '0+',
  fields: {
    rackId: string('0+', { nullable: '0+' }),
    clientId: string('0+'),
    clientHost: string('0+'),
    subscribedTopicNames: arrayOf('0+', string),
  },
})

export type ShareGroupMemberMetadataValue = RecordOf<typeof ShareGroupMemberMetadataValue>
