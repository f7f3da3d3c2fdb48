/**
 * Behaviour: the quotas whose entity meets every component of the filter: the given name (exact), the default entity (default), or any
 *   of the type (specified). Unless `strict`, entities may have types that the filter does not name. No component means all, and with
 *   `strict` nothing.
 * Versions: v0, v1 differ in encoding only (KIP-546).
 * Errors: INVALID_REQUEST for an empty or repeated entity type, an unknown match type, a match string where there must be none or none
 *   where there must be one, and ip beside user or client-id; UNSUPPORTED_VERSION for an entity type that does not exist.
 * Deviations: none.
 */
import { DescribeClientQuotas } from '../../common/protocol/apis/48-describe-client-quotas.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { RequestOf, ResponseInputOf } from '../../common/protocol/schema.ts'
import type { QuotaEntity } from '../metadata/image.ts'
import { defineHandler } from './handler.ts'

type Request = RequestOf<typeof DescribeClientQuotas>
type Response = ResponseInputOf<typeof DescribeClientQuotas>
type Component = Request['components'][number]

const MATCH_EXACT = 0
const MATCH_DEFAULT = 1
const MATCH_SPECIFIED = 2
const ENTITY_TYPES: readonly string[] = ['user', 'client-id', 'ip']

interface Refusal {
  readonly error: Exclude<ErrorCode, 0>
  readonly message: string
}

function invalid(message: string): Refusal {
  return { error: ErrorCode.INVALID_REQUEST, message }
}

function matchProblem({ matchType, match }: Component): Refusal | undefined {
  switch (matchType) {
    case MATCH_EXACT:
      return match === null
        ? invalid('Request specified MATCH_TYPE_EXACT, but set match string to null.')
        : undefined
    case MATCH_DEFAULT:
      if (match === null) return undefined
      return invalid('Request specified MATCH_TYPE_DEFAULT, but also specified a match string.')
    case MATCH_SPECIFIED:
      if (match === null) return undefined
      return invalid('Request specified MATCH_TYPE_SPECIFIED, but also specified a match string.')
    default:
      return invalid(`Unknown match type ${matchType}`)
  }
}

/** Kafka reads all components first, then looks at their types one by one, then at their combination. */
function filterProblem(components: readonly Component[]): Refusal | undefined {
  for (const component of components) {
    const problem = matchProblem(component)
    if (problem !== undefined) return problem
  }
  const seen = new Set<string>()
  for (const { entityType } of components) {
    if (entityType === '') return invalid('Invalid empty entity type.')
    if (seen.has(entityType))
      return invalid(`Entity type ${entityType} cannot appear more than once in the filter.`)
    if (!ENTITY_TYPES.includes(entityType)) {
      return { error: ErrorCode.UNSUPPORTED_VERSION, message: `Unsupported entity type ${entityType}` }
    }
    seen.add(entityType)
  }
  if (seen.has('ip') && seen.size > 1) {
    return invalid(
      'Invalid entity filter component combination. IP filter component should not be used with user or clientId filter component.',
    )
  }
  return undefined
}

function meets({ parts }: QuotaEntity, { entityType, matchType, match }: Component): boolean {
  const name = parts.get(entityType)
  if (name === undefined) return false
  if (matchType === MATCH_SPECIFIED) return true
  return matchType === MATCH_DEFAULT ? name === null : name === match
}

export const describeClientQuotas = defineHandler(DescribeClientQuotas, {
  versions: '0-1',
  runsOn: 'any',
  handle: ({ broker }, request) => {
    const { components, strict } = request
    const problem = filterProblem(components)
    if (problem !== undefined) return refuse(request, problem.error, problem.message)
    const found = [...broker.metadata.quotas.values()].filter(
      (quota) =>
        components.every((component) => meets(quota, component)) &&
        (!strict || quota.parts.size === components.length),
    )
    return {
      errorCode: ErrorCode.NONE,
      errorMessage: '',
      entries: found.map(({ parts, values }) => ({
        entity: [...parts].map(([entityType, entityName]) => ({ entityType, entityName })),
        values: [...values].map(([key, value]) => ({ key, value })),
      })),
    }
  },
  refuse,
})

function refuse(_request: Request, error: Exclude<ErrorCode, 0>, message?: string): Response {
  return { errorCode: error, errorMessage: message ?? null, entries: null }
}
