/** `createAcls`, `describeAcls`, `deleteAcls`. Any broker takes them, and hands changes on to the controller. */
import { DescribeAcls } from '../../../common/protocol/apis/29-describe-acls.ts'
import { CreateAcls } from '../../../common/protocol/apis/30-create-acls.ts'
import { DeleteAcls } from '../../../common/protocol/apis/31-delete-acls.ts'
import { ErrorCode } from '../../../common/protocol/errors.ts'
import { AclOperation, AclPermissionType, ResourcePatternType, ResourceType } from '../../constants.ts'
import { KafkaError, KafkaException, ValueError } from '../../errors.ts'
import type { AdminEngine } from '../admin-engine.ts'
import { type AdminOptions, OptionReader } from '../admin-options.ts'
import { throwCode } from '../groups/group-arguments.ts'
import type { ResultMap } from '../keyed-map.ts'
import { AclBinding, AclBindingFilter } from './acls.ts'

const any = { kind: 'any' } as const
const retryOn: ReadonlySet<number> = new Set([ErrorCode.NOT_CONTROLLER])

/** A rule as brokers write it. */
interface WireAcl {
  readonly resourceType: number
  readonly resourceName: string
  readonly patternType: number
  readonly principal: string
  readonly host: string
  readonly operation: number
  readonly permissionType: number
}

/** A rule that exists already is no error. */
export function createAcls(
  engine: AdminEngine,
  acls: readonly AclBinding[],
  options?: AdminOptions,
): ResultMap<AclBinding, void> {
  const entries = distinct(acls, AclBinding, 'acls')
  for (const acl of entries) {
    const members = [acl.restype, acl.resourcePatternType, acl.operation, acl.permissionType]
    if (members.includes(0)) throw new ValueError('UNKNOWN cannot be created')
  }
  const creations = entries.map(
    ({ restype, name, resourcePatternType, principal, host, operation, permissionType }) => ({
      resourceType: restype,
      resourceName: name,
      resourcePatternType,
      principal,
      host,
      operation,
      permissionType,
    }),
  )
  const limits = new OptionReader(options).limits()
  return engine.keyed<AclBinding, void>(entries, limits, async (call, results) => {
    const { response } = await call.ask(any, {
      api: CreateAcls,
      body: { creations },
      codesOf: (answer) => answer.results.map(({ errorCode }) => errorCode),
      retryOn,
    })
    for (const [index, entry] of entries.entries()) {
      const result = response.results[index]
      if (result !== undefined) results.settle(entry, result.errorCode, result.errorMessage, undefined)
    }
  })
}

export async function describeAcls(
  engine: AdminEngine,
  filter: AclBindingFilter,
  options?: AdminOptions,
): Promise<AclBinding[]> {
  if (!(filter instanceof AclBindingFilter)) throw new TypeError('filter must be an AclBindingFilter')
  return await engine.single(new OptionReader(options).limits(), async (call) => {
    const { response } = await call.ask(any, { api: DescribeAcls, body: wireFilter(filter) })
    throwCode(response.errorCode, response.errorMessage)
    return response.resources.flatMap(({ resourceType, resourceName, patternType, acls }) =>
      acls.map((acl) => bindingOf({ resourceType, resourceName, patternType, ...acl })),
    )
  })
}

/** Each filter resolves with the rules that it removed. */
export function deleteAcls(
  engine: AdminEngine,
  filters: readonly AclBindingFilter[],
  options?: AdminOptions,
): ResultMap<AclBindingFilter, AclBinding[]> {
  const entries = distinct(filters, AclBindingFilter, 'filters')
  const limits = new OptionReader(options).limits()
  return engine.keyed<AclBindingFilter, AclBinding[]>(entries, limits, async (call, results) => {
    const { response } = await call.ask(any, {
      api: DeleteAcls,
      body: { filters: entries.map(wireFilter) },
      codesOf: (answer) => answer.filterResults.map(({ errorCode }) => errorCode),
      retryOn,
      isRepeatable: false,
    })
    for (const [index, entry] of entries.entries()) {
      const result = response.filterResults[index]
      if (result === undefined) continue
      const failed = [result, ...result.matchingAcls].find(({ errorCode }) => errorCode !== ErrorCode.NONE)
      if (failed === undefined) results.resolve(entry, result.matchingAcls.map(bindingOf))
      else {
        results.reject(
          entry,
          new KafkaException(new KafkaError(failed.errorCode, failed.errorMessage || undefined)),
        )
      }
    }
  })
}

function wireFilter(filter: AclBindingFilter) {
  const { restype, name, resourcePatternType, principal, host, operation, permissionType } = filter
  return {
    resourceTypeFilter: restype,
    resourceNameFilter: name,
    patternTypeFilter: resourcePatternType,
    principalFilter: principal,
    hostFilter: host,
    operation,
    permissionType,
  }
}

function bindingOf(acl: WireAcl): AclBinding {
  return new AclBinding(
    known(ResourceType, acl.resourceType),
    acl.resourceName,
    known(ResourcePatternType, acl.patternType),
    acl.principal,
    acl.host,
    known(AclOperation, acl.operation),
    known(AclPermissionType, acl.permissionType),
  )
}

/** UNKNOWN for what has no member. */
function known(members: Readonly<Record<string, number>>, value: number): number {
  return Object.values(members).includes(value) ? value : 0
}

/** TypeError for other types; ValueError for an empty list and for what is named twice. */
function distinct<T extends { key(): string }>(
  value: unknown,
  type: new (...args: never[]) => T,
  name: string,
): readonly T[] {
  if (!Array.isArray(value)) throw new TypeError(`${name} must be a list of ${type.name}`)
  if (value.length === 0) throw new ValueError(`${name} must be a list with entries`)
  if (!value.every((entry) => entry instanceof type)) {
    throw new TypeError(`${name} must have entries of ${type.name}`)
  }
  const entries: T[] = [...value]
  if (new Set(entries.map((entry) => entry.key())).size !== entries.length) {
    throw new ValueError(`${name} names something twice`)
  }
  return entries
}
