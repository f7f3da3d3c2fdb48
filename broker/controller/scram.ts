/**
 * AlterUserScramCredentials (KIP-554). The client sends the salted password; what is stored are the keys made of it, with
 * which a password can be checked and not be had (RFC 5802).
 */
import { createHash, createHmac } from 'node:crypto'
import type { AlterUserScramCredentials } from '../../common/protocol/apis/51-alter-user-scram-credentials.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { RequestOf, ResponseInputOf } from '../../common/protocol/schema.ts'
import { scramKey } from '../metadata/image-builder.ts'
import { type MetadataRecord, metadataRecord } from '../metadata/metadata-record.ts'
import type { ControllerMachine } from './machine.ts'
import { type ApiError, apiError, type ControllerOutcome, NO_ERROR } from './refusals.ts'

type Request = RequestOf<typeof AlterUserScramCredentials>
type Upsertion = Request['upsertions'][number]
type Deletion = Request['deletions'][number]

const MIN_ITERATIONS = 4096
const MAX_ITERATIONS = 16384

/** Kafka's mechanism number to the hash of it. */
const HASHES: ReadonlyMap<number, string> = new Map([
  [1, 'sha256'],
  [2, 'sha512'],
])

const ALTERED_TWICE = apiError(
  ErrorCode.DUPLICATE_RESOURCE,
  'A user credential cannot be altered twice in the same request',
)

/** One answer for each user; a user that is refused does not keep the others back. */
export function alterUserScramCredentials(
  machine: ControllerMachine,
  request: Request,
): ControllerOutcome<ResponseInputOf<typeof AlterUserScramCredentials>> {
  const errors = new Map<string, ApiError>()
  const accepted = new Set<string>()
  // A user's first refusal stays; one that was accepted before is refused when it comes again.
  const check = (name: string, find: () => ApiError) => {
    if (errors.has(name)) return
    const error = accepted.has(name) ? ALTERED_TWICE : find()
    if (error.error === ErrorCode.NONE) accepted.add(name)
    else errors.set(name, error)
  }
  for (const deletion of request.deletions) check(deletion.name, () => checkDeletion(machine, deletion))
  for (const upsertion of request.upsertions) check(upsertion.name, () => checkUpsertion(upsertion))
  const records: MetadataRecord[] = []
  for (const { name, mechanism } of request.deletions) {
    if (errors.has(name)) continue
    records.push(metadataRecord('RemoveUserScramCredentialRecord', 0, { name, mechanism }))
  }
  for (const upsertion of request.upsertions) {
    if (!errors.has(upsertion.name)) records.push(credentialRecord(upsertion))
  }
  const users = new Set([...request.deletions, ...request.upsertions].map(({ name }) => name))
  const results = [...users].map((user) => {
    const { error, message } = errors.get(user) ?? NO_ERROR
    return { user, errorCode: error, errorMessage: message }
  })
  return { records, response: { results } }
}

function checkCredential(name: string, mechanism: number): ApiError {
  if (name === '') return apiError(ErrorCode.UNACCEPTABLE_CREDENTIAL, 'Username must not be empty')
  if (!HASHES.has(mechanism)) {
    return apiError(ErrorCode.UNSUPPORTED_SASL_MECHANISM, 'Unknown SCRAM mechanism')
  }
  return NO_ERROR
}

function checkDeletion(machine: ControllerMachine, { name, mechanism }: Deletion): ApiError {
  const invalid = checkCredential(name, mechanism)
  if (invalid.error !== ErrorCode.NONE) return invalid
  return machine.image.scramCredentials.has(scramKey(name, mechanism))
    ? NO_ERROR
    : apiError(ErrorCode.RESOURCE_NOT_FOUND, 'Attempt to delete a user credential that does not exist')
}

function checkUpsertion({ name, mechanism, iterations }: Upsertion): ApiError {
  const invalid = checkCredential(name, mechanism)
  if (invalid.error !== ErrorCode.NONE) return invalid
  if (iterations < MIN_ITERATIONS) return apiError(ErrorCode.UNACCEPTABLE_CREDENTIAL, 'Too few iterations')
  return iterations > MAX_ITERATIONS
    ? apiError(ErrorCode.UNACCEPTABLE_CREDENTIAL, 'Too many iterations')
    : NO_ERROR
}

function credentialRecord({ name, mechanism, iterations, salt, saltedPassword }: Upsertion): MetadataRecord {
  const hash = HASHES.get(mechanism) ?? 'sha256'
  const hmac = (text: string): Buffer => createHmac(hash, saltedPassword).update(text).digest()
  return metadataRecord('UserScramCredentialRecord', 0, {
    name,
    mechanism,
    iterations,
    salt,
    storedKey: createHash(hash).update(hmac('Client Key')).digest(),
    serverKey: hmac('Server Key'),
  })
}
