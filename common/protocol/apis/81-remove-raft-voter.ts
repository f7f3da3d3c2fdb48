import { defineApi, errorCode, int32, type RequestOf, type ResponseOf, string, uuid } from '../schema.ts'

export const RemoveRaftVoter = defineApi({
  key: 81,
  name: 'RemoveRaftVoter',
  versions: '0',
  flexible: '0+',
  listeners: ['controller', 'broker'],
  request: {
    clusterId: string('0+', { nullable: '0+' }),
    voterId: int32('0+'),
    voterDirectoryId: uuid('0+'),
  },
  response: {
    throttleTimeMs: int32('0+', { default: 0 }),
    errorCode: errorCode('0+'),
    errorMessage: string('0+', { nullable: '0+', ignorable: true }),
  },
})

export type RemoveRaftVoterRequest = RequestOf<typeof RemoveRaftVoter>
export type RemoveRaftVoterResponse = ResponseOf<typeof RemoveRaftVoter>
