import {
  array,
  bool,
  defineApi,
  errorCode,
  int32,
  type RequestOf,
  type ResponseOf,
  string,
  uint16,
  uuid,
} from '../schema.ts'

export const AddRaftVoter = defineApi({
  key: 80,
  name: 'AddRaftVoter',
  versions: '0-1',
  flexible: '0+',
  listeners: ['controller', 'broker'],
  request: {
    clusterId: string('0+', { nullable: '0+' }),
    timeoutMs: int32('0+'),
    voterId: int32('0+'),
    voterDirectoryId: uuid('0+'),
    listeners: array('0+', {
      name: string('0+', { mapKey: true }),
      host: string('0+'),
      port: uint16('0+'),
    }),
    ackWhenCommitted: bool('1+', { default: true }),
  },
  response: {
    throttleTimeMs: int32('0+', { default: 0 }),
    errorCode: errorCode('0+'),
    errorMessage: string('0+', { nullable: '0+', ignorable: true }),
  },
})

export type AddRaftVoterRequest = RequestOf<typeof AddRaftVoter>
export type AddRaftVoterResponse = ResponseOf<typeof AddRaftVoter>
