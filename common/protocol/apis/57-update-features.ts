import {
  array,
  bool,
  defineApi,
  errorCode,
  int8,
  int16,
  int32,
  type RequestOf,
  type ResponseOf,
  string,
} from '../schema.ts'

export const UpdateFeatures = defineApi({
  key: 57,
  name: 'UpdateFeatures',
  versions: '0-2',
  flexible: '0+',
  listeners: ['broker', 'controller'],
  request: {
    timeoutMs: int32('0+', { default: 60000 }),
    featureUpdates: array('0+', {
      feature: string('0+', { mapKey: true }),
      maxVersionLevel: int16('0+'),
      allowDowngrade: bool('0', { default: false }),
      upgradeType: int8('1+', { default: 1 }),
    }),
    validateOnly: bool('1+', { default: false }),
  },
  response: {
    throttleTimeMs: int32('0+', { default: 0 }),
    errorCode: errorCode('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    results: array(
      '0-1',
      {
        feature: string('0+', { mapKey: true }),
        errorCode: errorCode('0+'),
        errorMessage: string('0+', { nullable: '0+' }),
      },
      { default: [], ignorable: true },
    ),
  },
})

export type UpdateFeaturesRequest = RequestOf<typeof UpdateFeatures>
export type UpdateFeaturesResponse = ResponseOf<typeof UpdateFeatures>
