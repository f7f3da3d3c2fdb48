import { arrayOf, defineRecord, int64, type RecordOf, string } from '../schema.ts'

export const ConsumerGroupRegularExpressionKey = defineRecord({
  name: 'ConsumerGroupRegularExpressionKey',
  kind: 'coordinator-key',
  type: 16,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: string('0'),
    regularExpression: string('0'),
  },
})

export type ConsumerGroupRegularExpressionKey = RecordOf<typeof ConsumerGroupRegularExpressionKey>

export const ConsumerGroupRegularExpressionValue = defineRecord({
  name: 'ConsumerGroupRegularExpressionValue',
  kind: 'coordinator-value',
  type: 16,
  versions: '0',
  flexible: '0+',
  fields: {
    topics: arrayOf('0+', string),
    version: int64('0+'),
    timestamp: int64('0+'),
  },
})

export type ConsumerGroupRegularExpressionValue = RecordOf<typeof ConsumerGroupRegularExpressionValue>
