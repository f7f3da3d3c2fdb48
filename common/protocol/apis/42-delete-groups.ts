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

export const DeleteGroups = defineApi({
  key: 42,
  name: 'DeleteGroups',
  versions: '0-3',
  flexible: '2+',
  request: {
    groupsNames: arrayOf('0+', string, { entity: 'groupId' }),
  },
  response: {
    throttleTimeMs: int32('0+', { default: 0 }),
    results: array('0+', {
      groupId: string('0+', { mapKey: true, entity: 'groupId' }),
      errorCode: errorCode('0+'),
      errorMessage: string('3+', { nullable: '3+', default: null, ignorable: true }),
    }),
  },
})

export type DeleteGroupsRequest = RequestOf<typeof DeleteGroups>
export type DeleteGroupsResponse = ResponseOf<typeof DeleteGroups>
