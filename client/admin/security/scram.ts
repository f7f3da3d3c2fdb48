/**
 * Users of SCRAM (KIP-554). Passwords do not leave this process: what is sent is the salted hash, from which the broker makes
 * the keys that it keeps.
 */
import { pbkdf2 } from 'node:crypto'
import { promisify } from 'node:util'
import { DescribeUserScramCredentials } from '../../../common/protocol/apis/50-describe-user-scram-credentials.ts'
import { AlterUserScramCredentials } from '../../../common/protocol/apis/51-alter-user-scram-credentials.ts'
import { ErrorCode } from '../../../common/protocol/errors.ts'
import type { Random } from '../../../common/runtime/random.ts'
import { ScramMechanism } from '../../constants.ts'
import { KafkaError, KafkaException, ValueError } from '../../errors.ts'
import { toBytes } from '../../values/bytes.ts'
import type { AdminCall } from '../admin-call.ts'
import type { AdminEngine } from '../admin-engine.ts'
import { type AdminOptions, OptionReader } from '../admin-options.ts'
import { enumArgument } from '../enum-argument.ts'
import { throwCode } from '../groups/group-arguments.ts'
import type { ResultMap } from '../keyed-map.ts'

const hash = promisify(pbkdf2)
const saltBytes = 64
const controller = { kind: 'controller' } as const

/** Of one user and mechanism: nothing of the secret. */
export class ScramCredentialInfo {
  readonly mechanism: ScramMechanism
  readonly iterations: number

  constructor(mechanism: ScramMechanism, iterations: number) {
    this.mechanism = enumArgument(ScramMechanism, mechanism, 'mechanism')
    if (typeof iterations !== 'number') throw new TypeError('iterations must be a number')
    this.iterations = iterations
  }
}

export interface UserScramCredentialsDescription {
  readonly user: string
  readonly scramCredentialInfos: readonly ScramCredentialInfo[]
}

export abstract class UserScramCredentialAlteration {
  readonly user: string

  constructor(user: string) {
    if (typeof user !== 'string') throw new TypeError('user must be a string')
    if (user === '') throw new ValueError('user must not be empty')
    this.user = user
  }
}

/** Sets the password of a user for one mechanism. */
export class UserScramCredentialUpsertion extends UserScramCredentialAlteration {
  readonly scramCredentialInfo: ScramCredentialInfo
  readonly password: Buffer
  /** null: a random one. */
  readonly salt: Buffer | null

  constructor(
    user: string,
    scramCredentialInfo: ScramCredentialInfo,
    password: Uint8Array | string,
    salt: Uint8Array | null = null,
  ) {
    super(user)
    if (!(scramCredentialInfo instanceof ScramCredentialInfo)) {
      throw new TypeError('scramCredentialInfo must be a ScramCredentialInfo')
    }
    const { iterations } = scramCredentialInfo
    if (!Number.isInteger(iterations) || iterations < 1) {
      throw new ValueError(`iterations must be a whole number above 0, not ${iterations}`)
    }
    const bytes = toBytes(password, 'password')
    if (bytes === null) throw new TypeError('password must be bytes')
    if (bytes.length === 0) throw new ValueError('password must not be empty')
    if (salt !== null && salt !== undefined && !(salt instanceof Uint8Array)) {
      throw new TypeError('salt must be bytes or null')
    }
    if (salt?.length === 0) throw new ValueError('salt must not be empty')
    this.scramCredentialInfo = scramCredentialInfo
    this.password = bytes
    this.salt = toBytes(salt, 'salt')
  }
}

export class UserScramCredentialDeletion extends UserScramCredentialAlteration {
  readonly mechanism: ScramMechanism

  constructor(user: string, mechanism: ScramMechanism) {
    super(user)
    this.mechanism = enumArgument(ScramMechanism, mechanism, 'mechanism')
  }
}

/** Of these users, one result each. */
export function describeScramUsers(
  engine: AdminEngine,
  users: readonly string[],
  options?: AdminOptions,
): ResultMap<string, UserScramCredentialsDescription> {
  if (!Array.isArray(users) || !users.every((user) => typeof user === 'string')) {
    throw new TypeError('users must be a list of strings, or null for all')
  }
  if (users.length === 0) throw new ValueError('users must be a list with entries, or null for all')
  if (users.includes('')) throw new ValueError('users must not be empty')
  const names: readonly string[] = [...users]
  const limits = new OptionReader(options).limits()
  return engine.keyed<string, UserScramCredentialsDescription>(names, limits, async (call, results) => {
    for (const { user, errorCode, errorMessage, description } of await describe(call, names)) {
      results.settle(user, errorCode, errorMessage, description)
    }
  })
}

/** Of all users that have any. */
export async function describeAllScramUsers(
  engine: AdminEngine,
  options?: AdminOptions,
): Promise<Map<string, UserScramCredentialsDescription>> {
  return await engine.single(new OptionReader(options).limits(), async (call) => {
    const found = new Map<string, UserScramCredentialsDescription>()
    for (const { user, errorCode, errorMessage, description } of await describe(call, null)) {
      throwCode(errorCode, errorMessage)
      found.set(user, description)
    }
    return found
  })
}

/** One result a user. Users that are named twice are sent so: Kafka refuses them. */
export function alterUserScramCredentials(
  engine: AdminEngine,
  alterations: readonly UserScramCredentialAlteration[],
  options?: AdminOptions,
): ResultMap<string, void> {
  if (!Array.isArray(alterations)) throw new TypeError('alterations must be a list')
  if (alterations.length === 0) throw new ValueError('alterations must be a list with entries')
  const upsertions: UserScramCredentialUpsertion[] = []
  const deletions: UserScramCredentialDeletion[] = []
  for (const alteration of alterations) {
    if (alteration instanceof UserScramCredentialUpsertion) upsertions.push(alteration)
    else if (alteration instanceof UserScramCredentialDeletion) deletions.push(alteration)
    else throw new TypeError('alterations must have entries of UserScramCredentialAlteration')
  }
  const users = [...upsertions, ...deletions].map(({ user }) => user)
  const limits = new OptionReader(options).limits()
  return engine.keyed<string, void>(users, limits, async (call, results) => {
    // Without a mechanism there is nothing to hash with.
    for (const { user, scramCredentialInfo } of upsertions) {
      if (scramCredentialInfo.mechanism !== ScramMechanism.UNKNOWN) continue
      const error = new KafkaError(ErrorCode.UNSUPPORTED_SASL_MECHANISM, 'The mechanism is UNKNOWN')
      results.reject(user, new KafkaException(error))
    }
    const open = new Set(results.openKeys)
    if (open.size === 0) return
    const { random } = engine.core.runtime
    const salted = upsertions
      .filter(({ user }) => open.has(user))
      .map((upsertion) => saltedPassword(upsertion, random))
    const body = {
      deletions: deletions
        .filter(({ user }) => open.has(user))
        .map(({ user, mechanism }) => ({ name: user, mechanism })),
      upsertions: await Promise.all(salted),
    }
    const { response } = await call.ask(controller, {
      api: AlterUserScramCredentials,
      body,
      codesOf: (answer) => answer.results.map(({ errorCode }) => errorCode),
      isRepeatable: body.deletions.length === 0,
    })
    for (const { user, errorCode, errorMessage } of response.results) {
      results.settle(user, errorCode, errorMessage, undefined)
    }
  })
}

async function saltedPassword(
  { user, scramCredentialInfo, password, salt }: UserScramCredentialUpsertion,
  random: Random,
) {
  const { mechanism, iterations } = scramCredentialInfo
  const usedSalt = salt ?? random.bytes(saltBytes)
  const isSha256 = mechanism === ScramMechanism.SCRAM_SHA_256
  return {
    name: user,
    mechanism,
    iterations,
    salt: usedSalt,
    saltedPassword: await hash(
      password,
      usedSalt,
      iterations,
      isSha256 ? 32 : 64,
      isSha256 ? 'sha256' : 'sha512',
    ),
  }
}

async function describe(call: AdminCall, users: readonly string[] | null) {
  const { response } = await call.ask(controller, {
    api: DescribeUserScramCredentials,
    body: { users: users?.map((name) => ({ name })) ?? null },
    codesOf: ({ errorCode }) => [errorCode],
  })
  throwCode(response.errorCode, response.errorMessage)
  return response.results.map(({ user, errorCode, errorMessage, credentialInfos }) => ({
    user,
    errorCode,
    errorMessage,
    description: {
      user,
      scramCredentialInfos: credentialInfos.map(({ mechanism, iterations }) => {
        const isKnown = Object.values(ScramMechanism).includes(mechanism as ScramMechanism)
        return new ScramCredentialInfo(
          isKnown ? (mechanism as ScramMechanism) : ScramMechanism.UNKNOWN,
          iterations,
        )
      }),
    },
  }))
}
