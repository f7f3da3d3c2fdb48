/** Rules as kafkajs writes them, and as the AdminClient does. */
import { AclBinding, AclBindingFilter } from '../admin/security/acls.ts'
import type { AclEntry, AclFilter, DeleteAclResponse, DescribeAclResponse } from './admin-types.ts'

type MatchingAcls = DeleteAclResponse['filterResponses'][number]

export function aclBindingOf(entry: AclEntry): AclBinding {
  return new AclBinding(
    entry.resourceType as never,
    entry.resourceName,
    entry.resourcePatternType as never,
    entry.principal,
    entry.host,
    entry.operation as never,
    entry.permissionType as never,
  )
}

export function aclBindingFilterOf(filter: AclFilter): AclBindingFilter {
  return new AclBindingFilter(
    filter.resourceType as never,
    filter.resourceName ?? null,
    filter.resourcePatternType as never,
    filter.principal ?? null,
    filter.host ?? null,
    filter.operation as never,
    filter.permissionType as never,
  )
}

/** The rules, by what they protect. */
export function aclsByResource(bindings: readonly AclBinding[]): DescribeAclResponse['resources'] {
  const resources = new Map<string, DescribeAclResponse['resources'][number]>()
  for (const binding of bindings) {
    const { restype: resourceType, name: resourceName, resourcePatternType } = binding
    const { principal, host, operation, permissionType } = binding
    const key = `${resourceType} ${resourcePatternType} ${resourceName}`
    const known = resources.get(key) ?? { resourceType, resourceName, resourcePatternType, acls: [] }
    resources.set(key, { ...known, acls: [...known.acls, { principal, host, operation, permissionType }] })
  }
  return [...resources.values()]
}

/** What one filter of DeleteAcls has removed. */
export function removedAcls(bindings: readonly AclBinding[]): MatchingAcls {
  return {
    errorCode: 0,
    matchingAcls: bindings.map((binding) => ({
      errorCode: 0,
      resourceType: binding.restype,
      resourceName: binding.name,
      resourcePatternType: binding.resourcePatternType,
      principal: binding.principal,
      host: binding.host,
      operation: binding.operation,
      permissionType: binding.permissionType,
    })),
  }
}
