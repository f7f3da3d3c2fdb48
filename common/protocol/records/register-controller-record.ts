import { array, bool, defineRecord, int16, int32, type RecordOf, string, uint16, uuid } from '../schema.ts'

export const RegisterControllerRecord = defineRecord({
  name: 'RegisterControllerRecord',
  kind: 'metadata',
  type: 27,
  versions: '0',
  flexible: '0+',
  fields: {
    controllerId: int32('0+'),
    incarnationId: uuid('0+'),
    zkMigrationReady: bool('0+'),
    endPoints: array('0+', {
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
})

export type RegisterControllerRecord = RecordOf<typeof RegisterControllerRecord>
