/**
 * AlterConfigs and IncrementalAlterConfigs on the broker that is asked: the levels of its own loggers it changes itself (KIP-412), changes
 * of its settings it judges by what it was started with, and the rest of the request goes on to the controller. Resources that are
 * decided here never get there.
 */
import { ErrorCode } from '../../common/protocol/errors.ts'
import { type AlterOperation, checkOperations, isRefused, refuse } from '../config/alter.ts'
import { alterBroker } from '../config/alter-broker.ts'
import { alterBrokerLogger } from '../config/alter-broker-logger.ts'
import { NO_TEXTS } from '../config/levels.ts'
import { ELR_FEATURE } from '../metadata/features.ts'
import { ConfigResourceType } from '../metadata/image.ts'
import type { BrokerServices } from '../services.ts'

interface Resource {
  readonly resourceType: number
  readonly resourceName: string
}

interface Alterations<R extends Resource> {
  readonly resources: readonly R[]
  readonly validateOnly: boolean
}

interface Verdict {
  readonly error: ErrorCode
  readonly message: string | null
}

interface ResourceResult {
  readonly errorCode: ErrorCode
  readonly errorMessage: string | null
  readonly resourceType: number
  readonly resourceName: string
}

export interface DividedAlterations<R extends Resource> {
  /** What the controller has to decide; undefined when nothing is left. */
  readonly rest: { readonly resources: R[]; readonly validateOnly: boolean } | undefined
  /** The whole answer, in the order of the request. */
  merge(response: { readonly responses: readonly ResourceResult[] } | undefined): {
    responses: ResourceResult[]
  }
}

export interface DivisionOptions<R extends Resource> {
  readonly broker: BrokerServices
  readonly request: Alterations<R>
  readonly operationsOf: (resource: R) => readonly AlterOperation[]
  /** Loggers can only be altered incrementally. */
  readonly altersLoggers: boolean
}

const TAKEN: Verdict = { error: ErrorCode.NONE, message: null }

export function divideAlterations<R extends Resource>(options: DivisionOptions<R>): DividedAlterations<R> {
  const { resources, validateOnly } = options.request
  const counts = new Map<string, number>()
  for (const resource of resources) counts.set(keyOf(resource), (counts.get(keyOf(resource)) ?? 0) + 1)
  const verdicts = resources.map((resource) =>
    (counts.get(keyOf(resource)) ?? 0) > 1
      ? refuse(ErrorCode.INVALID_REQUEST, 'Each resource must appear at most once.')
      : verdictOf(options, resource),
  )
  const rest = resources.filter((_, index) => verdicts[index] === undefined)
  return {
    rest: rest.length === 0 ? undefined : { resources: rest, validateOnly },
    merge: (response) => {
      const answered = new Map(response?.responses.map((result) => [keyOf(result), result]))
      return {
        responses: resources.map((resource, index): ResourceResult => {
          const { resourceType, resourceName } = resource
          const verdict = verdicts[index]
          const { error: errorCode, message: errorMessage } = verdict ?? NO_ANSWER
          const own = { resourceType, resourceName, errorCode, errorMessage }
          return verdict === undefined ? (answered.get(keyOf(resource)) ?? own) : own
        }),
      }
    },
  }
}

const NO_ANSWER: Verdict = { error: ErrorCode.UNKNOWN_SERVER_ERROR, message: null }

function keyOf({ resourceType, resourceName }: Resource): string {
  return `${resourceType}\n${resourceName}`
}

/** @returns undefined when the controller decides */
function verdictOf<R extends Resource>(options: DivisionOptions<R>, resource: R): Verdict | undefined {
  const { broker, request, altersLoggers } = options
  const operations = options.operationsOf(resource)
  const malformed = checkOperations(operations)
  if (malformed !== null) return malformed
  const { nodeId, settings, metadata, loggers } = broker
  const { resourceType, resourceName } = resource
  switch (resourceType) {
    case ConfigResourceType.BROKER_LOGGER: {
      if (!altersLoggers) break
      const result = alterBrokerLogger({ nodeId, resourceName, current: loggers.levels, operations })
      if (!('levels' in result)) return result
      if (!request.validateOnly) loggers.replaceLevels(result.levels)
      return TAKEN
    }
    case ConfigResourceType.BROKER: {
      const result = alterBroker({
        nodeId,
        resourceName,
        levels: settings.levels,
        operations,
        isElrEnabled: (metadata.features.get(ELR_FEATURE) ?? 0) > 0,
      })
      return isRefused(result) ? result : undefined
    }
    case ConfigResourceType.TOPIC:
    case ConfigResourceType.CLIENT_METRICS:
    case ConfigResourceType.GROUP:
      return undefined
  }
  return refuse(ErrorCode.INVALID_REQUEST, `Unknown resource type ${resourceType}`)
}

/** The dynamic values that a broker resource has as this broker knows them; for other resources nothing is compared here. */
export function brokerTexts({ metadata }: BrokerServices, { resourceType, resourceName }: Resource) {
  return resourceType === ConfigResourceType.BROKER
    ? metadata.configsOf(ConfigResourceType.BROKER, resourceName)
    : NO_TEXTS
}
