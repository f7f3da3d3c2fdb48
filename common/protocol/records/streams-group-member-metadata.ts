import { array, defineRecord, int32, type RecordOf, string, struct, uint16 } from '../schema.ts'

const endpoint = {
  host: string('0+'),
  port: uint16('0+'),
}

const keyValue = {
  key: string('0+'),
  value: string('0+'),
}

export const StreamsGroupMemberMetadataKey = defineRecord({
  name: 'StreamsGroupMemberMetadataKey',
  kind: 'coordinator-key',
  type: 19,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: string('0'),
    memberId: string('0'),
  },
})

export type StreamsGroupMemberMetadataKey = RecordOf<typeof StreamsGroupMemberMetadataKey>

export const StreamsGroupMemberMetadataValue = defineRecord({
  name: 'StreamsGroupMemberMetadataValue',
  kind: 'coordinator-value',
  type: 19,
  versions: '0',
  flexible: '0+',
  fields: {
    instanceId: string('0+', { nullable: '0+' }),
    rackId: string('0+', { nullable: '0+' }),
    clientId: string('0+'),
    clientHost: string('0+'),
    rebalanceTimeoutMs: int32('0+', { default: -1 }),
    topologyEpoch: int32('0+'),
    processId: string('0+'),
    userEndpoint: struct('0+', endpoint, { nullable: '0+', default: null }),
    clientTags: array('0+', keyValue),
  },
})

export type StreamsGroupMemberMetadataValue = RecordOf<typeof StreamsGroupMemberMetadataValue>
