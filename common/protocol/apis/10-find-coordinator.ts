import {
  array,
  arrayOf,
  defineApi,
  errorCode,
  int8,
  int32,
  type RequestOf,
  type ResponseOf,
  string,
} from '../schema.ts'

export const FindCoordinator = defineApi({
  key: 10,
  name: 'FindCoordinator',
  versions: '0-6',
  flexible: '3+',
  kips: [699, 890, 932],
  request: {
    key: string('0-3', { default: '' }),
    keyType: int8('1+', { default: 0, about: '0 group, 1 transactional id, 2 share group.' }),
    coordinatorKeys: arrayOf('4+', string, { default: [] }),
  },
  response: {
    throttleTimeMs: int32('1+', { default: 0, ignorable: true }),
    errorCode: errorCode('0-3', { default: 0 }),
    errorMessage: string('1-3', { nullable: '1-3', default: '', ignorable: true }),
    nodeId: int32('0-3', { default: 0, entity: 'brokerId' }),
    host: string('0-3', { default: '' }),
    port: int32('0-3', { default: 0 }),
    coordinators: array(
      '4+',
      {
        key: string('4+'),
        nodeId: int32('4+', { entity: 'brokerId' }),
        host: string('4+'),
        port: int32('4+'),
        errorCode: errorCode('4+'),
        errorMessage: string('4+', { nullable: '4+', ignorable: true }),
      },
      { default: [] },
    ),
  },
})

export type FindCoordinatorRequest = RequestOf<typeof FindCoordinator>
export type FindCoordinatorResponse = ResponseOf<typeof FindCoordinator>
