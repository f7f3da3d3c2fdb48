import { array, bytes, defineRecord, int32, int64, type RecordOf, string } from '../schema.ts'

const memberMetadata = {
  memberId: string('0+'),
  groupInstanceId: string('3+', { nullable: '3+', default: null, ignorable: true }),
  clientId: string('0+'),
  clientHost: string('0+'),
  rebalanceTimeout: int32('1+', { default: -1, ignorable: true }),
  sessionTimeout: int32('0+'),
  subscription: bytes('0+'),
  assignment: bytes('0+'),
}

export const GroupMetadataKey = defineRecord({
  name: 'GroupMetadataKey',
  kind: 'coordinator-key',
  type: 2,
  versions: '0',
  flexible: 'none',
  fields: {
    group: string('0'),
  },
})

export type GroupMetadataKey = RecordOf<typeof GroupMetadataKey>

export const GroupMetadataValue = defineRecord({
  name: 'GroupMetadataValue',
  kind: 'coordinator-value',
  type: 2,
  versions: '0-4',
  flexible: '4+',
  fields: {
    protocolType: string('0+'),
    generation: int32('0+'),
    protocol: string('0+', { nullable: '0+' }),
    leader: string('0+', { nullable: '0+' }),
    currentStateTimestamp: int64('2+', { default: -1, ignorable: true }),
    members: array('0+', memberMetadata),
  },
})

export type GroupMetadataValue = RecordOf<typeof GroupMetadataValue>
