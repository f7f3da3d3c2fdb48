import { describe, expect, it } from 'vitest'
import { describeUserScramCredentials } from '../../../../broker/api/50-describe-user-scram-credentials.ts'
import { metadataRecord } from '../../../../broker/metadata/metadata-record.ts'
import { brokerHarness } from './broker-harness.ts'

const BOTH = [
  { mechanism: 1, iterations: 4097 },
  { mechanism: 2, iterations: 4098 },
]

function ask(names: readonly string[] | null) {
  const harness = brokerHarness()
  for (const name of ['bob', 'al']) {
    for (const mechanism of [2, 1]) {
      const secret = { salt: Buffer.from('s'), storedKey: Buffer.from('k'), serverKey: Buffer.from('v') }
      const record = { name, mechanism, iterations: 4096 + mechanism, ...secret }
      harness.publish(metadataRecord('UserScramCredentialRecord', 0, record))
    }
  }
  return harness.call(describeUserScramCredentials, 0, { users: names?.map((name) => ({ name })) ?? null })
}

describe('DescribeUserScramCredentials', () => {
  it.each([null, []])('tells all users when none is named (%j)', (names) => {
    expect(ask(names)).toMatchObject({
      errorCode: 0,
      errorMessage: '',
      results: [
        { user: 'bob', errorCode: 0, errorMessage: '', credentialInfos: BOTH },
        { user: 'al', errorCode: 0, errorMessage: '', credentialInfos: BOTH },
      ],
    })
  })

  it('answers for users that do not exist among those that do', () => {
    expect(ask(['x', 'al']).results).toMatchObject([
      {
        user: 'x',
        errorCode: 91,
        errorMessage: 'Attempt to describe a user credential that does not exist: x',
        credentialInfos: [],
      },
      { user: 'al', errorCode: 0, credentialInfos: BOTH },
    ])
  })

  it('refuses a user that is named twice, once', () => {
    expect(ask(['bob', 'al', 'bob']).results).toMatchObject([
      {
        user: 'bob',
        errorCode: 92,
        errorMessage: 'Cannot describe SCRAM credentials for the same user twice in a single request: bob',
        credentialInfos: [],
      },
      { user: 'al', errorCode: 0 },
    ])
  })
})
