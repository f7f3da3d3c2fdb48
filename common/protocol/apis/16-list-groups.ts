import {
  array,
  arrayOf,
  defineApi,
  errorCode,
  int32,
  type RequestOf,
  type ResponseOf,
  string,
} from '../schema.ts'

export const ListGroups = defineApi({
  key: 16,
  name: 'ListGroups',
  versions: '0-5',
  flexible: '3+',
  kips: [518, 848],
  request: {
    statesFilter: arrayOf('4+', string, { default: [] }),
    typesFilter: arrayOf('5+', string, { default: [] }),
  },
  response: {
    throttleTimeMs: int32('1+', { default: 0, ignorable: true }),
    errorCode: errorCode('0+'),
    groups: array('0+', {
      groupId: string('0+', { entity: 'groupId' }),
      protocolType: string('0+'),
      groupState: string('4+', { default: '', ignorable: true }),
      groupType: string('5+', { default: '', ignorable: true }),
    }),
  },
})

export type ListGroupsRequest = RequestOf<typeof ListGroups>
export type ListGroupsResponse = ResponseOf<typeof ListGroups>
