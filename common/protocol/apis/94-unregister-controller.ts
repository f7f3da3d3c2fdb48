import { defineApi, errorCode, int32, type RequestOf, type ResponseOf, string } from '../schema.ts'

export const UnregisterController = defineApi({
  key: 94,
  name: 'UnregisterController',
  versions: '0',
  flexible: '0+',
  listeners: ['broker', 'controller'],
  request: {
    controllerId: int32('0+'),
  },
  response: {
    throttleTimeMs: int32('0+', { default: 0 }),
    errorCode: errorCode('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
  },
})

export type UnregisterControllerRequest = RequestOf<typeof UnregisterController>
export type UnregisterControllerResponse = ResponseOf<typeof UnregisterController>
