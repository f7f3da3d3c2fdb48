/**
 * Dynamic configs: AlterConfigs (replaces) and IncrementalAlterConfigs.
 *
 * What a change may be is decided in `broker/config`; here it becomes records. With eligible leader replicas a change of
 * `min.insync.replicas` also clears the ELR it was made with (KIP-966).
 */
import type { AlterConfigs } from '../../common/protocol/apis/33-alter-configs.ts'
import type { IncrementalAlterConfigs } from '../../common/protocol/apis/44-incremental-alter-configs.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { RequestOf, ResponseInputOf } from '../../common/protocol/schema.ts'
import {
  type AlterOperation,
  type AlterResult,
  isRefused,
  refuse,
  replacingOperations,
} from '../config/alter.ts'
import { alterBroker } from '../config/alter-broker.ts'
import { alterClientMetrics } from '../config/alter-client-metrics.ts'
import { alterGroup } from '../config/alter-group.ts'
import { alterTopic } from '../config/alter-topic.ts'
import type { ConfigTexts } from '../config/levels.ts'
import { ConfigResourceType } from '../metadata/image.ts'
import { type MetadataRecord, metadataRecord } from '../metadata/metadata-record.ts'
import type { ControllerMachine } from './machine.ts'
import type { ControllerOutcome } from './refusals.ts'

export interface ConfigResource {
  readonly type: ConfigResourceType
  readonly name: string
}

const MIN_ISR = 'min.insync.replicas'

/**
 * The records that turn the present values of a resource into the new ones.
 * @param named keys that the request named: those of brokers are written again even with the value they have
 */
export function configRecords(
  machine: ControllerMachine,
  resource: ConfigResource,
  { current, wanted, named = [] }: { current: ConfigTexts; wanted: ConfigTexts; named?: readonly string[] },
): MetadataRecord[] {
  const { type: resourceType, name: resourceName } = resource
  const isForBrokers = resourceType === ConfigResourceType.BROKER
  const written = new Set(isForBrokers ? named : [])
  for (const name of [...wanted.keys(), ...current.keys()]) {
    if (wanted.get(name) !== current.get(name)) written.add(name)
  }
  const records: MetadataRecord[] = [...written].map((name) =>
    metadataRecord('ConfigRecord', 0, { resourceType, resourceName, name, value: wanted.get(name) ?? null }),
  )
  const isForTopics = resourceType === ConfigResourceType.TOPIC || (isForBrokers && resourceName === '')
  if (written.has(MIN_ISR) && isForTopics && machine.isElrEnabled) {
    const topicName = resourceType === ConfigResourceType.TOPIC ? resourceName : ''
    records.push(metadataRecord('ClearElrRecord', 0, { topicName }))
  }
  return records
}

type ResourceRequest = { readonly resourceType: number; readonly resourceName: string }
type ConfigResult = ResponseInputOf<typeof IncrementalAlterConfigs>['responses'][number]

/** Whether the caller may change a resource; a refusal's error, or 0. */
export type ConfigPermission = (resourceType: number, resourceName: string) => ErrorCode

export function incrementalAlterConfigs(
  machine: ControllerMachine,
  request: RequestOf<typeof IncrementalAlterConfigs>,
  mayAlter: ConfigPermission = () => ErrorCode.NONE,
): ControllerOutcome<ResponseInputOf<typeof IncrementalAlterConfigs>> {
  return alterResources(machine, request, mayAlter, ({ configs }) =>
    configs.map(({ name, configOperation: operation, value }) => ({ name, operation, value })),
  )
}

export function alterConfigs(
  machine: ControllerMachine,
  request: RequestOf<typeof AlterConfigs>,
  mayAlter: ConfigPermission = () => ErrorCode.NONE,
): ControllerOutcome<ResponseInputOf<typeof AlterConfigs>> {
  return alterResources(machine, request, mayAlter, ({ resourceType, resourceName, configs }) =>
    replacingOperations(currentOf(machine, resourceType, resourceName), configs),
  )
}

function alterResources<Resource extends ResourceRequest>(
  machine: ControllerMachine,
  request: { readonly resources: readonly Resource[]; readonly validateOnly: boolean },
  mayAlter: ConfigPermission,
  operationsOf: (resource: Resource) => readonly AlterOperation[],
): ControllerOutcome<{ responses: ConfigResult[] }> {
  const counts = new Map<string, number>()
  for (const resource of request.resources)
    counts.set(keyOf(resource), (counts.get(keyOf(resource)) ?? 0) + 1)
  const records: MetadataRecord[] = []
  const responses = request.resources.map((resource): ConfigResult => {
    const { resourceType, resourceName } = resource
    const operations = operationsOf(resource)
    const result =
      (counts.get(keyOf(resource)) ?? 0) > 1
        ? refuse(ErrorCode.INVALID_REQUEST, 'Each resource must appear at most once.')
        : alterResource(machine, resource, operations, mayAlter)
    if (isRefused(result)) {
      return { resourceType, resourceName, errorCode: result.error, errorMessage: result.message }
    }
    const target = { type: resourceType as ConfigResourceType, name: resourceName }
    const current = currentOf(machine, resourceType, resourceName)
    const named = operations.map(({ name }) => name)
    records.push(...configRecords(machine, target, { current, wanted: result.newValues, named }))
    return { resourceType, resourceName, errorCode: ErrorCode.NONE, errorMessage: null }
  })
  return { records: request.validateOnly ? [] : records, response: { responses } }
}

function keyOf({ resourceType, resourceName }: ResourceRequest): string {
  return `${resourceType}\n${resourceName}`
}

function currentOf(machine: ControllerMachine, resourceType: number, name: string): ConfigTexts {
  return machine.image.configsOf(resourceType as ConfigResourceType, name)
}

function alterResource(
  machine: ControllerMachine,
  { resourceType, resourceName }: ResourceRequest,
  operations: readonly AlterOperation[],
  mayAlter: ConfigPermission,
): AlterResult {
  const denied = mayAlter(resourceType, resourceName)
  if (denied !== ErrorCode.NONE) return refuse(denied, null)
  const { levels } = machine
  const current = currentOf(machine, resourceType, resourceName)
  switch (resourceType) {
    case ConfigResourceType.TOPIC: {
      const result = alterTopic({ topicName: resourceName, levels, current, operations })
      if (isRefused(result) || machine.image.topicsByName.has(resourceName)) return result
      return refuse(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `The topic '${resourceName}' does not exist.`)
    }
    case ConfigResourceType.BROKER: {
      const isKnown = machine.image.brokers.has(Number(resourceName))
      return alterBroker({
        // A broker answers for itself only; the controller speaks for those that it knows.
        nodeId: isKnown ? Number(resourceName) : machine.environment.nodeId,
        resourceName,
        levels: levelsOfBroker(machine, resourceName),
        operations,
        isElrEnabled: machine.isElrEnabled,
      })
    }
    case ConfigResourceType.CLIENT_METRICS:
      return alterClientMetrics({ subscriptionName: resourceName, current, operations })
    case ConfigResourceType.GROUP:
      return alterGroup({ groupId: resourceName, levels, current, operations })
    default:
      return refuse(ErrorCode.INVALID_REQUEST, `Unknown resource type ${resourceType}`)
  }
}

/** The start-up settings are this node's: another broker's are known to itself only. */
function levelsOfBroker(machine: ControllerMachine, name: string) {
  return { ...machine.levels, dynamicBroker: currentOf(machine, ConfigResourceType.BROKER, name) }
}
