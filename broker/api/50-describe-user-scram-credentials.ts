/**
 * Behaviour: which SCRAM mechanisms each user has credentials for, and their iterations; never the secrets. Null or no users means all.
 * Versions: v0 (KIP-554).
 * Errors: per user RESOURCE_NOT_FOUND, and DUPLICATE_RESOURCE when named more than once (answered once).
 * Deviations: users come in the order asked, Kafka's in that of a hash map.
 */
import { DescribeUserScramCredentials } from '../../common/protocol/apis/50-describe-user-scram-credentials.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { ResponseInputOf } from '../../common/protocol/schema.ts'
import type { MetadataImage } from '../metadata/image.ts'
import { defineHandler } from './handler.ts'

type Result = ResponseInputOf<typeof DescribeUserScramCredentials>['results'][number]
type CredentialInfo = Result['credentialInfos'][number]

function credentialsByUser(metadata: MetadataImage): ReadonlyMap<string, CredentialInfo[]> {
  const users = new Map<string, CredentialInfo[]>()
  for (const { user, mechanism, iterations } of metadata.scramCredentials.values()) {
    const infos = users.get(user) ?? []
    users.set(user, infos)
    infos.push({ mechanism, iterations })
  }
  for (const infos of users.values()) infos.sort((left, right) => left.mechanism - right.mechanism)
  return users
}

function refused(user: string, errorCode: ErrorCode, errorMessage: string): Result {
  return { user, errorCode, errorMessage, credentialInfos: [] }
}

export const describeUserScramCredentials = defineHandler(DescribeUserScramCredentials, {
  versions: '0',
  runsOn: 'any',
  handle: ({ broker }, request) => {
    const known = credentialsByUser(broker.metadata)
    const asked = request.users?.map(({ name }) => name) ?? []
    const times = new Map<string, number>()
    for (const name of asked.length === 0 ? known.keys() : asked) times.set(name, (times.get(name) ?? 0) + 1)
    const results = [...times].map(([user, count]): Result => {
      if (count > 1) {
        const message = `Cannot describe SCRAM credentials for the same user twice in a single request: ${user}`
        return refused(user, ErrorCode.DUPLICATE_RESOURCE, message)
      }
      const credentialInfos = known.get(user)
      if (credentialInfos === undefined) {
        const message = `Attempt to describe a user credential that does not exist: ${user}`
        return refused(user, ErrorCode.RESOURCE_NOT_FOUND, message)
      }
      return { user, errorCode: ErrorCode.NONE, errorMessage: '', credentialInfos }
    })
    return { errorCode: ErrorCode.NONE, errorMessage: '', results }
  },
  refuse: (_request, error, message) => ({ errorCode: error, errorMessage: message ?? null, results: [] }),
})
