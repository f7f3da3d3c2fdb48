/**
 * AlterUserScramCredentials: sets and removes SCRAM passwords (KIP-554).
 *
 * Behaviour: each user is decided for itself. Kept are the keys made of the salted password, not the password.
 * Versions: v0.
 * Errors: per user DUPLICATE_RESOURCE, RESOURCE_NOT_FOUND, UNACCEPTABLE_CREDENTIAL (name, iterations outside 4096-16384),
 * UNSUPPORTED_SASL_MECHANISM; NOT_CONTROLLER.
 * Deviations: none.
 */
import { AlterUserScramCredentials } from '../../common/protocol/apis/51-alter-user-scram-credentials.ts'
import { errorInfo } from '../../common/protocol/errors.ts'
import { writeMetadata } from '../controller/ask.ts'
import * as scram from '../controller/scram.ts'
import { defineHandler, type HandlerDefinition } from './handler.ts'

const refuse: HandlerDefinition<typeof AlterUserScramCredentials>['refuse'] = (
  request,
  errorCode,
  errorMessage = errorInfo(errorCode).message,
) => {
  const users = new Set([...request.deletions, ...request.upsertions].map(({ name }) => name))
  return { results: [...users].map((user) => ({ user, errorCode, errorMessage })) }
}

export const alterUserScramCredentials = defineHandler(AlterUserScramCredentials, {
  versions: '0',
  runsOn: 'controller',
  handle(context, request) {
    return writeMetadata(
      context,
      'AlterUserScramCredentials',
      (machine) => scram.alterUserScramCredentials(machine, request),
      (error) => refuse(request, error),
    )
  },
  refuse,
})
