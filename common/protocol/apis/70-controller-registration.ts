import {
  array,
  bool,
  defineApi,
  errorCode,
  int16,
  int32,
  type RequestOf,
  type ResponseOf,
  string,
  uint16,
  uuid,
} from '../schema.ts'

export const ControllerRegistration = defineApi({
  key: 70,
  name: 'ControllerRegistration',
  versions: '0',
  flexible: '0+',
  listeners: ['controller'],
  request: {
    controllerId: int32('0+'),
    incarnationId: uuid('0+'),
    zkMigrationReady: bool('0+'),
    listeners: array('0+', {
      name: string('0+', { mapKey: true }),
      host: string('0+'),
      port: uint16('0+'),
      securityProtocol: int16('0+'),
    }),
    features: array('0+', {
      name: string('0+', { mapKey: true }),
      minSupportedVersion: int16('0+'),
      maxSupportedVersion: int16('0+'),
    }),
  },
  response: {
    throttleTimeMs: int32('0+', { default: 0 }),
    errorCode: errorCode('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
  },
})

export type ControllerRegistrationRequest = RequestOf<typeof ControllerRegistration>
export type ControllerRegistrationResponse = ResponseOf<typeof ControllerRegistration>
