/**
 * ACLs: what may be created, and which of them a filter means (KIP-11, KIP-290).
 */
import type { CreateAcls } from '../../common/protocol/apis/30-create-acls.ts'
import type { DeleteAcls } from '../../common/protocol/apis/31-delete-acls.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { RequestOf, ResponseInputOf } from '../../common/protocol/schema.ts'
import type { AclImage } from '../metadata/image.ts'
import { type MetadataRecord, metadataRecord } from '../metadata/metadata-record.ts'
import { cidrProblem } from './acl-hosts.ts'
import type { ControllerMachine } from './machine.ts'
import { type ApiError, apiError, type ControllerOutcome, NO_ERROR } from './refusals.ts'

export const AclResourceType = {
  UNKNOWN: 0,
  ANY: 1,
  TOPIC: 2,
  GROUP: 3,
  CLUSTER: 4,
  TRANSACTIONAL_ID: 5,
  DELEGATION_TOKEN: 6,
  USER: 7,
} as const
export const AclPatternType = { UNKNOWN: 0, ANY: 1, MATCH: 2, LITERAL: 3, PREFIXED: 4 } as const

/** Said with SECURITY_DISABLED. */
export const NO_AUTHORIZER = 'No Authorizer is configured.'

const UNKNOWN = 0
const ANY = 1
const HIGHEST_OPERATION = 15
const HIGHEST_PERMISSION = 3
const CLUSTER_NAME = 'kafka-cluster'
const WILDCARD = '*'
/** Most ACLs that one request deletes. */
const MAX_DELETED_ACLS = 10_000

type NewAcl = RequestOf<typeof CreateAcls>['creations'][number]
export type AclFilter = RequestOf<typeof DeleteAcls>['filters'][number]

export function createAcls(
  machine: ControllerMachine,
  request: RequestOf<typeof CreateAcls>,
): ControllerOutcome<ResponseInputOf<typeof CreateAcls>> {
  const records: MetadataRecord[] = []
  const known = new Set([...machine.image.acls.values()].map(keyOf))
  const results = request.creations.map((creation) => {
    const { error, message } = checkNewAcl(creation)
    if (error !== ErrorCode.NONE) return { errorCode: error, errorMessage: message }
    const { resourcePatternType: patternType, ...rest } = creation
    const acl = { ...rest, patternType, id: machine.environment.random.uuid() }
    // One that is there already is not made twice, and that is no error.
    if (!known.has(keyOf(acl))) records.push(metadataRecord('AccessControlEntryRecord', 0, acl))
    known.add(keyOf(acl))
    return { errorCode: ErrorCode.NONE, errorMessage: null }
  })
  return { records, response: { results } }
}

function keyOf(acl: Omit<AclImage, 'id'>): string {
  const { resourceType, resourceName, patternType, principal, host, operation, permissionType } = acl
  return JSON.stringify([resourceType, resourceName, patternType, principal, host, operation, permissionType])
}

function checkNewAcl(acl: NewAcl): ApiError {
  const invalid = (message: string): ApiError => apiError(ErrorCode.INVALID_REQUEST, message)
  const { resourceType, resourceName } = acl
  if (resourceType === AclResourceType.CLUSTER && resourceName !== CLUSTER_NAME) {
    return invalid(`The only valid name for the CLUSTER resource is ${CLUSTER_NAME}`)
  }
  if (resourceName === '') return invalid('Invalid empty resource name')
  const name = (value: number): string => (value === ANY ? 'ANY' : 'UNKNOWN')
  if (resourceType <= ANY || resourceType > AclResourceType.USER) {
    return invalid(`Invalid resourceType ${name(resourceType)}`)
  }
  const { resourcePatternType: patternType, operation, permissionType, principal, host } = acl
  if (patternType !== AclPatternType.LITERAL && patternType !== AclPatternType.PREFIXED) {
    return invalid(
      `Invalid patternType ${patternType === AclPatternType.MATCH ? 'MATCH' : name(patternType)}`,
    )
  }
  if (operation <= ANY || operation > HIGHEST_OPERATION)
    return invalid(`Invalid operation ${name(operation)}`)
  if (permissionType <= ANY || permissionType > HIGHEST_PERMISSION) {
    return invalid(`Invalid permissionType ${name(permissionType)}`)
  }
  if (!principal.includes(':')) {
    return invalid(
      `Could not parse principal from \`${principal}\` (no colon is present separating the principal type from the principal name)`,
    )
  }
  if (host === '') return invalid('Host pattern cannot be null or empty')
  const problem = cidrProblem(host)
  return problem === undefined ? NO_ERROR : invalid(problem)
}

/** DeleteAcls: everything that a filter means goes; what two filters mean is told by both and deleted once. */
export function deleteAcls(
  machine: ControllerMachine,
  request: RequestOf<typeof DeleteAcls>,
): ControllerOutcome<ResponseInputOf<typeof DeleteAcls>> {
  const deleted = new Set<string>()
  const filterResults = request.filters.map((filter) => {
    const { error, message } = checkFilter(filter)
    if (error !== ErrorCode.NONE) return { errorCode: error, errorMessage: message, matchingAcls: [] }
    const matching = [...machine.image.acls.values()].filter((acl) => matchesFilter(acl, filter))
    if (deleted.size + matching.length > MAX_DELETED_ACLS) {
      const errorMessage = `Cannot remove more than ${MAX_DELETED_ACLS} acls in a single delete operation.`
      return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage, matchingAcls: [] }
    }
    for (const { id } of matching) deleted.add(id)
    return {
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      matchingAcls: matching.map(({ id: _, ...acl }) => ({
        ...acl,
        errorCode: ErrorCode.NONE,
        errorMessage: null,
      })),
    }
  })
  const records = [...deleted].map((id) => metadataRecord('RemoveAccessControlEntryRecord', 0, { id }))
  return { records, response: { filterResults } }
}

/** A filter that this build does not understand means nothing. */
export function checkFilter(filter: AclFilter): ApiError {
  const { resourceTypeFilter, patternTypeFilter, operation, permissionType } = filter
  if (
    isUnknown(resourceTypeFilter, AclResourceType.USER) ||
    isUnknown(patternTypeFilter, AclPatternType.PREFIXED)
  ) {
    return apiError(ErrorCode.INVALID_REQUEST, 'Unknown patternFilter.')
  }
  if (isUnknown(operation, HIGHEST_OPERATION) || isUnknown(permissionType, HIGHEST_PERMISSION)) {
    return apiError(ErrorCode.INVALID_REQUEST, 'Unknown entryFilter.')
  }
  return NO_ERROR
}

function isUnknown(value: number, highest: number): boolean {
  return value <= UNKNOWN || value > highest
}

/** MATCH means all patterns that apply to a resource of this name: its own, `*`, and prefixes of it. */
export function matchesFilter(acl: AclImage, filter: AclFilter): boolean {
  const isAnyOr = (wanted: number, value: number): boolean => wanted === ANY || wanted === value
  const isNullOr = (wanted: string | null, value: string): boolean => wanted === null || wanted === value
  return (
    isAnyOr(filter.resourceTypeFilter, acl.resourceType) &&
    matchesPattern(acl, filter.patternTypeFilter, filter.resourceNameFilter) &&
    isNullOr(filter.principalFilter, acl.principal) &&
    isNullOr(filter.hostFilter, acl.host) &&
    isAnyOr(filter.operation, acl.operation) &&
    isAnyOr(filter.permissionType, acl.permissionType)
  )
}

function matchesPattern(acl: AclImage, patternType: number, name: string | null): boolean {
  const isLiteral = acl.patternType === AclPatternType.LITERAL
  if (patternType !== ANY && patternType !== AclPatternType.MATCH && patternType !== acl.patternType)
    return false
  if (name === null) return true
  if (patternType !== AclPatternType.MATCH) return name === acl.resourceName
  if (isLiteral) return acl.resourceName === name || acl.resourceName === WILDCARD
  return name.startsWith(acl.resourceName)
}
