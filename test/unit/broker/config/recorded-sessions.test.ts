import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type AlterOperation, replacingOperations } from '../../../../broker/config/alter.ts'
import { alterBroker } from '../../../../broker/config/alter-broker.ts'
import { alterBrokerLogger } from '../../../../broker/config/alter-broker-logger.ts'
import { alterClientMetrics } from '../../../../broker/config/alter-client-metrics.ts'
import { alterGroup } from '../../../../broker/config/alter-group.ts'
import { alterTopic, validateNewTopicConfigs } from '../../../../broker/config/alter-topic.ts'
import type { LogLevel } from '../../../../broker/config/broker-logger.ts'
import {
  type DescribedConfig,
  describeBroker,
  describeBrokerDefault,
  describeClientMetrics,
  describeGroup,
  describeTopic,
} from '../../../../broker/config/describe.ts'
import type { BrokerLevels } from '../../../../broker/config/levels.ts'
import { parseProperties } from '../../../../broker/config/properties.ts'
import { ErrorCode, errorName } from '../../../../common/protocol/errors.ts'

const FACTS = new URL('./facts/', import.meta.url)
const NODE_ID = 1
const TOPIC = 2
const BROKER = 4
const BROKER_LOGGER = 8
const CLIENT_METRICS = 16
const GROUP = 32

type RecordedEntry = [string, string | null, boolean, number, boolean, number, [string, string, number][]]

interface Step {
  readonly api: 'describe' | 'incremental' | 'legacy' | 'create'
  readonly type: number
  readonly name: string
  readonly ops?: readonly (readonly (string | number | null)[])[]
  readonly keys?: readonly string[]
  readonly errorCode?: number
  readonly configs?: readonly RecordedEntry[]
  readonly error?: string
  readonly message?: string | null
}

/** What the recorded Kafka refuses because it loads Java classes, which we cannot. */
const JAVA_CLASS_KEYS = ['principal.builder.class', 'metric.reporters']

/** Loggers are named after the parts of the broker at hand. */
const KAFKA_LOGGERS = /org\.apache\.kafka/

function readSteps(file: string): readonly Step[] {
  const lines = readFileSync(new URL(file, FACTS), 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Step)
}

function shown(entries: readonly DescribedConfig[]): readonly RecordedEntry[] {
  return entries.map((entry) => [
    entry.name,
    entry.value,
    entry.readOnly,
    entry.configSource,
    entry.isSensitive,
    entry.configType,
    entry.synonyms.map(({ name, value, source }) => [name, value as string, source]),
  ])
}

/** A cluster of one broker that knows nothing but its settings. */
class Settings {
  levels: BrokerLevels
  loggerLevels: ReadonlyMap<string, LogLevel> = new Map()
  readonly topics = new Map<string, ReadonlyMap<string, string>>()
  readonly groups = new Map<string, ReadonlyMap<string, string>>()
  readonly subscriptions = new Map<string, ReadonlyMap<string, string>>()

  constructor(properties: ReadonlyMap<string, string>, minInsyncReplicas: string) {
    // Formatting a cluster with eligible leader replicas writes this record (KIP-966).
    const dynamicDefault = new Map([['min.insync.replicas', minInsyncReplicas]])
    this.levels = { static: properties, dynamicBroker: new Map(), dynamicDefault }
  }

  describe({ type, name, keys = [] }: Step): readonly DescribedConfig[] {
    const options = { keys, includeSynonyms: true }
    if (type === TOPIC) return describeTopic(this.levels, this.topics.get(name) ?? new Map(), options)
    if (type === GROUP) return describeGroup(this.levels, this.groups.get(name) ?? new Map(), options)
    if (type === CLIENT_METRICS)
      return describeClientMetrics(this.subscriptions.get(name) ?? new Map(), options)
    return name === ''
      ? describeBrokerDefault(this.levels.dynamicDefault, options)
      : describeBroker(this.levels, options)
  }

  create({ name, ops = [] }: Step): [string, string | null] {
    const configs = ops.map(([key, value]) => ({ name: String(key), value: value as string | null }))
    const refusal = validateNewTopicConfigs(this.levels, configs)
    if (refusal !== null) return [errorName(refusal.error), refusal.message]
    this.topics.set(name, new Map(configs.map((config) => [config.name, config.value ?? ''])))
    return ['NONE', null]
  }

  alter(step: Step): [string, string | null] {
    const { type, name } = step
    const current = this.currentOf(type, name)
    const operations =
      step.api === 'legacy'
        ? replacingOperations(
            current,
            (step.ops ?? []).map(([key, value]) => ({ name: String(key), value: value as string | null })),
          )
        : (step.ops ?? []).map(([key, operation, value]) => ({
            name: String(key),
            operation: Number(operation),
            value: value as string | null,
          }))
    const { levels } = this
    if (type === BROKER_LOGGER) return this.alterLogger(name, operations)
    const result =
      type === TOPIC
        ? alterTopic({ topicName: name, levels, current, operations })
        : type === GROUP
          ? alterGroup({ groupId: name, levels, current, operations })
          : type === CLIENT_METRICS
            ? alterClientMetrics({ subscriptionName: name, current, operations })
            : alterBroker({ nodeId: NODE_ID, resourceName: name, levels, operations, isElrEnabled: true })
    if (!('newValues' in result)) return [errorName(result.error), result.message]
    if (type === TOPIC) this.topics.set(name, result.newValues)
    else if (type === GROUP) this.groups.set(name, result.newValues)
    else if (type === CLIENT_METRICS) this.subscriptions.set(name, result.newValues)
    else if (name === '') this.levels = { ...this.levels, dynamicDefault: result.newValues }
    else this.levels = { ...this.levels, dynamicBroker: result.newValues }
    return [errorName(ErrorCode.NONE), null]
  }

  private alterLogger(resourceName: string, operations: readonly AlterOperation[]): [string, string | null] {
    const current = this.loggerLevels
    const result = alterBrokerLogger({ nodeId: NODE_ID, resourceName, current, operations })
    if (!('levels' in result)) return [errorName(result.error), result.message]
    this.loggerLevels = result.levels
    return [errorName(result.error), null]
  }

  private currentOf(type: number, name: string): ReadonlyMap<string, string> {
    const empty = new Map<string, string>()
    if (type === TOPIC) return this.topics.get(name) ?? empty
    if (type === GROUP) return this.groups.get(name) ?? empty
    if (type === CLIENT_METRICS) return this.subscriptions.get(name) ?? empty
    return name === '' ? this.levels.dynamicDefault : this.levels.dynamicBroker
  }
}

/** What the callers decide: whether the resource exists, and types nobody knows. */
function isForCallers(step: Step): boolean {
  if (step.type === BROKER_LOGGER)
    return step.api !== 'incremental' || KAFKA_LOGGERS.test(JSON.stringify(step.ops))
  if (![TOPIC, BROKER, CLIENT_METRICS, GROUP].includes(step.type)) return true
  if (step.api === 'describe') return step.errorCode !== 0
  if ((step.ops ?? []).some(([key]) => JAVA_CLASS_KEYS.includes(String(key)))) return true
  return ['UNKNOWN_TOPIC_OR_PARTITION', 'INVALID_TOPIC_EXCEPTION'].includes(step.error ?? '')
}

describe.each([
  ['a broker with defaults', 'session-default', '1'],
  ['a broker with settings of its own', 'session-tuned', '2'],
])('a session recorded from Kafka with %s', (_title, file, minInsyncReplicas) => {
  const { properties } = parseProperties(readFileSync(new URL(`${file}.properties`, FACTS), 'utf8'))
  const steps = readSteps(`${file}.jsonl`).filter((step) => !isForCallers(step))
  const settings = new Settings(new Map([...properties, ['broker.id', '1']]), minInsyncReplicas)

  test.each(
    steps.map((step, index) => [`${index + 1} ${step.api} ${step.type} '${step.name}'`, step] as const),
  )('step %s has the same answer', (_step, step) => {
    if (step.api === 'describe') expect(shown(settings.describe(step))).toEqual(step.configs)
    else {
      const answer = step.api === 'create' ? settings.create(step) : settings.alter(step)
      expect(answer, JSON.stringify(step.ops)).toEqual([step.error, step.message ?? null])
    }
  })
})
