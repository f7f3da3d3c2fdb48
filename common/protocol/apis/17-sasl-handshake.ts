import { arrayOf, defineApi, errorCode, type RequestOf, type ResponseOf, string } from '../schema.ts'

export const SaslHandshake = defineApi({
  key: 17,
  name: 'SaslHandshake',
  versions: '0-1',
  flexible: 'none',
  listeners: ['broker', 'controller'],
  request: {
    mechanism: string('0+'),
  },
  response: {
    errorCode: errorCode('0+'),
    mechanisms: arrayOf('0+', string),
  },
})

export type SaslHandshakeRequest = RequestOf<typeof SaslHandshake>
export type SaslHandshakeResponse = ResponseOf<typeof SaslHandshake>
