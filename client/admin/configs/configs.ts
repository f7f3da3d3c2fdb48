/** `describeConfigs`, `alterConfigs`, `incrementalAlterConfigs`. The configuration of a broker is asked of that broker. */
import {
  DescribeConfigs,
  type DescribeConfigsResponse,
} from '../../../common/protocol/apis/32-describe-configs.ts'
import { AlterConfigs } from '../../../common/protocol/apis/33-alter-configs.ts'
import { IncrementalAlterConfigs } from '../../../common/protocol/apis/44-incremental-alter-configs.ts'
import { AlterConfigOpType, ConfigSource, ResourceType } from '../../constants.ts'
import { KafkaError, KafkaException, kafkaException, ValueError } from '../../errors.ts'
import type { AdminEngine } from '../admin-engine.ts'
import {
  type AdminLimits,
  type AdminOptions,
  type BrokerOptions,
  OptionReader,
  type ValidateOptions,
} from '../admin-options.ts'
import { listOf } from '../arguments.ts'
import type { Target } from '../broker-finder.ts'
import type { ResultMap } from '../keyed-map.ts'
import type { PendingResults } from '../pending-results.ts'
import { ConfigEntry } from './config-entry.ts'
import { ConfigResource, resourceKey } from './config-resource.ts'

type DescribedEntry = DescribeConfigsResponse['results'][number]['configs'][number]

/** What the protocol calls a group as the owner of a configuration; the other types have the same number in both. */
const wireGroup = 32
/** What Kafka 2.1 answers in the place of a type that it does not know; of those that are asked for, only groups are newer. */
const wireUnknown = 0

export function describeConfigs(
  engine: AdminEngine,
  resources: readonly ConfigResource[],
  options?: AdminOptions & BrokerOptions,
): ResultMap<ConfigResource, Map<string, ConfigEntry>> {
  const entries = [...listOf(resources, ConfigResource, 'resources')]
  const reader = new OptionReader(options)
  const nodeId = reader.integer('broker', 0)
  const limits = reader.limits()
  return engine.keyed<ConfigResource, Map<string, ConfigEntry>>(entries, limits, async (call, results) => {
    const { response } = await call.ask(targetOf(entries, nodeId), {
      api: DescribeConfigs,
      body: {
        resources: entries.map(({ restype, name }) => ({
          resourceType: wireType(restype),
          resourceName: name,
          configurationKeys: null,
        })),
        includeSynonyms: true,
      },
    })
    for (const { resourceType, resourceName, errorCode, errorMessage, configs } of response.results) {
      const described = new Map(configs.map((entry) => [entry.name, describedEntry(entry)]))
      results.settle(answerKey(resourceType, resourceName), errorCode, errorMessage, described)
    }
  })
}

/** Replaces the whole configuration: what is not named goes back to its default. */
export function alterConfigs(
  engine: AdminEngine,
  resources: readonly ConfigResource[],
  options?: AdminOptions & BrokerOptions & ValidateOptions,
): ResultMap<ConfigResource, void> {
  const { entries, nodeId, validateOnly, limits } = changesOf(resources, options)
  engine.warnOnce('alterConfigs is deprecated: incrementalAlterConfigs changes only what is named')
  return engine.keyed<ConfigResource, void>(entries, limits, async (call, results) => {
    const { response } = await call.ask(targetOf(entries, nodeId), {
      api: AlterConfigs,
      body: {
        resources: entries.map(({ restype, name, setConfigDict }) => ({
          resourceType: wireType(restype),
          resourceName: name,
          configs: Object.entries(setConfigDict).map(([entry, value]) => ({ name: entry, value })),
        })),
        validateOnly,
      },
    })
    settleAll(results, response.responses)
  })
}

/** Changes only what is named. Brokers before Kafka 2.3 do not know it: `_UNSUPPORTED_FEATURE`. */
export function incrementalAlterConfigs(
  engine: AdminEngine,
  resources: readonly ConfigResource[],
  options?: AdminOptions & BrokerOptions & ValidateOptions,
): ResultMap<ConfigResource, void> {
  const { entries, nodeId, validateOnly, limits } = changesOf(resources, options)
  const wireResources = entries.map(({ restype, name, incrementalConfigs }) => {
    const names = new Set(incrementalConfigs.map((entry) => entry.name))
    if (names.size !== incrementalConfigs.length) {
      throw kafkaException(KafkaError._INVALID_ARG, `An entry of ${name} is named twice`)
    }
    return {
      resourceType: wireType(restype),
      resourceName: name,
      configs: incrementalConfigs.map(changeOf),
    }
  })
  return engine.keyed<ConfigResource, void>(entries, limits, async (call, results) => {
    const { response } = await call.ask(targetOf(entries, nodeId), {
      api: IncrementalAlterConfigs,
      body: { resources: wireResources, validateOnly },
    })
    settleAll(results, response.responses)
  })
}

/** The arguments of the two calls that change configurations. */
function changesOf(
  resources: readonly ConfigResource[],
  options: (AdminOptions & BrokerOptions & ValidateOptions) | undefined,
): {
  readonly entries: readonly ConfigResource[]
  readonly nodeId: number | undefined
  readonly validateOnly: boolean
  readonly limits: AdminLimits
} {
  const entries = [...listOf(resources, ConfigResource, 'resources')]
  const reader = new OptionReader(options)
  const nodeId = reader.integer('broker', 0)
  const validateOnly = reader.flag('validateOnly')
  return { entries, nodeId, validateOnly, limits: reader.limits() }
}

function changeOf({ name, value, incrementalOperation }: ConfigEntry): {
  name: string
  configOperation: number
  value: string | null
} {
  if (incrementalOperation === null) throw new ValueError(`the entry ${name} has no incrementalOperation`)
  const isDelete = incrementalOperation === AlterConfigOpType.DELETE
  if (!isDelete && value === null) throw new TypeError(`the entry ${name} needs a value`)
  return { name, configOperation: incrementalOperation, value: isDelete ? null : value }
}

function settleAll(
  results: PendingResults<ConfigResource, void>,
  responses: readonly {
    readonly resourceType: number
    readonly resourceName: string
    readonly errorCode: number
    readonly errorMessage: string | null
  }[],
): void {
  for (const { resourceType, resourceName, errorCode, errorMessage } of responses) {
    results.settle(answerKey(resourceType, resourceName), errorCode, errorMessage, undefined)
  }
}

/** A broker resource decides, then the option. Throws `_CONFLICT` for two broker resources. */
function targetOf(resources: readonly ConfigResource[], nodeId: number | undefined): Target {
  const brokers = resources.filter(({ restype }) => restype === ResourceType.BROKER)
  if (brokers.length > 1) {
    throw kafkaException(KafkaError._CONFLICT, 'Only one ConfigResource of type BROKER is allowed per call')
  }
  const name = brokers[0]?.name
  // The empty name stands for the defaults of all brokers.
  if (name !== undefined && name !== '') {
    if (!/^\d{1,10}$/.test(name)) {
      throw new KafkaException(new KafkaError(KafkaError._INVALID_ARG, `"${name}" is not the id of a broker`))
    }
    return { kind: 'broker', nodeId: Number(name) }
  }
  return nodeId === undefined ? { kind: 'any' } : { kind: 'broker', nodeId }
}

function describedEntry(entry: DescribedEntry): ConfigEntry {
  const { name, value, readOnly, configSource, isSensitive, synonyms } = entry
  return new ConfigEntry(name, value, {
    source: sourceOf(configSource),
    isReadOnly: readOnly,
    isDefault: configSource === ConfigSource.DEFAULT_CONFIG,
    isSensitive,
    synonyms: synonyms.map(
      (synonym) =>
        new ConfigEntry(synonym.name, synonym.value, {
          source: sourceOf(synonym.source),
          isDefault: synonym.source === ConfigSource.DEFAULT_CONFIG,
          isSensitive,
          isSynonym: true,
        }),
    ),
  })
}

function sourceOf(source: number): number {
  return source < 0 ? ConfigSource.UNKNOWN_CONFIG : source
}

function wireType(restype: number): number {
  return restype === ResourceType.GROUP ? wireGroup : restype
}

function answerKey(resourceType: number, resourceName: string): string {
  const isGroup = resourceType === wireGroup || resourceType === wireUnknown
  return resourceKey(isGroup ? ResourceType.GROUP : resourceType, resourceName)
}
