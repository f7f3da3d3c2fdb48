/** Settings of topics, brokers, groups and client metrics. */
import { DescribeConfigs } from '../../../common/protocol/apis/32-describe-configs.ts'
import { AlterConfigs } from '../../../common/protocol/apis/33-alter-configs.ts'
import { IncrementalAlterConfigs } from '../../../common/protocol/apis/44-incremental-alter-configs.ts'
import { ListConfigResources } from '../../../common/protocol/apis/74-list-config-resources.ts'
import { each, type Scenario, type Step, step } from '../scenario.ts'
import { topic } from '../support.ts'

const TOPIC = 2
const BROKER = 4
const LOGGER = 8
const METRICS = 16
const GROUP = 32

type Change = readonly [name: string, operation: number, value: string | null]

function change(
  title: string,
  version: number,
  type: number,
  resourceName: string,
  changes: readonly Change[],
  validateOnly = false,
): Step {
  return step(title, IncrementalAlterConfigs, version, {
    resources: [
      {
        resourceType: type,
        resourceName,
        configs: changes.map(([name, configOperation, value]) => ({ name, configOperation, value })),
      },
    ],
    validateOnly,
  })
}

function describe(
  title: string,
  version: number,
  type: number,
  resourceName: string,
  keys: string[] | null,
  includeSynonyms = true,
): Step {
  return step(title, DescribeConfigs, version, {
    resources: [{ resourceType: type, resourceName, configurationKeys: keys }],
    includeSynonyms,
  })
}

/** Asks until what the controller wrote has reached the broker. */
function settled(title: string, type: number, resourceName: string, key: string, value: string | null): Step {
  return step(
    title,
    DescribeConfigs,
    4,
    { resources: [{ resourceType: type, resourceName, configurationKeys: [key] }], includeSynonyms: true },
    { until: ({ results }) => results[0]?.configs[0]?.value === value },
  )
}

const configs: Scenario = {
  name: 'configs',
  steps: (name) => {
    const a = name('a')
    return [
      ...topic(a, { configs: { 'retention.ms': '1000' } }),
      ...each([1, 2, 3, 4], (version) => [
        describe('a topic, some keys', version, TOPIC, a, ['retention.ms', 'cleanup.policy', 'no.such.key']),
        describe('a topic that is not there', version, TOPIC, name('none'), null),
        describe('broker keys', version, BROKER, '1', [
          'log.retention.ms',
          'num.io.threads',
          'node.id',
          'ssl.keystore.password',
        ]),
        describe('cluster default', version, BROKER, '', null),
        describe('another broker', version, BROKER, '77', null),
      ]),
      describe('a topic, all keys', 4, TOPIC, a, null),
      describe('a topic, all keys without synonyms', 1, TOPIC, a, null, false),
      describe('no keys', 4, TOPIC, a, []),
      describe('a bad topic name', 4, TOPIC, 'a b', null),
      describe('an empty topic name', 4, TOPIC, '', null),
      describe('not a broker id', 4, BROKER, 'one', null),
      describe('an unknown type', 4, 77, 'x', null),
      describe('a group', 4, GROUP, name('g'), null),
      describe('an empty group', 4, GROUP, '', null),
      describe('client metrics', 4, METRICS, name('m'), null),
      describe('a logger of another broker', 4, LOGGER, '77', null),
      describe('a logger without number', 4, LOGGER, '', null),
      step(
        'documentation',
        DescribeConfigs,
        4,
        {
          resources: [{ resourceType: TOPIC, resourceName: a, configurationKeys: ['flush.ms'] }],
          includeDocumentation: true,
        },
        {
          only: (answer) => {
            for (const one of answer.results)
              for (const entry of one.configs)
                entry.documentation = entry.documentation === null ? null : 'text'
          },
        },
      ),
      step('the same twice', DescribeConfigs, 4, {
        resources: [
          { resourceType: TOPIC, resourceName: a, configurationKeys: ['flush.ms'] },
          { resourceType: TOPIC, resourceName: a, configurationKeys: ['flush.ms'] },
        ],
      }),
      ...each([0, 1], (version) => [
        change('set', version, TOPIC, a, [['retention.ms', 0, '2000']]),
        change('check only', version, TOPIC, a, [['retention.ms', 0, '3000']], true),
        change('a bad value', version, TOPIC, a, [['retention.ms', 0, 'soon']]),
        change('an unknown key', version, TOPIC, a, [['no.such.key', 0, '1']]),
        change('an unknown topic', version, TOPIC, name('none'), [['retention.ms', 0, '1']]),
        change('an unknown operation', version, TOPIC, a, [['retention.ms', 9, '1']]),
      ]),
      settled('after it', TOPIC, a, 'retention.ms', '2000'),
      change('append to a list', 1, TOPIC, a, [['cleanup.policy', 2, 'compact']]),
      settled('appended', TOPIC, a, 'cleanup.policy', 'delete,compact'),
      change('append again', 1, TOPIC, a, [['cleanup.policy', 2, 'compact']]),
      change('take from a list', 1, TOPIC, a, [['cleanup.policy', 3, 'delete']]),
      settled('taken', TOPIC, a, 'cleanup.policy', 'compact'),
      change('append to a number', 1, TOPIC, a, [['retention.ms', 2, '5']]),
      change('delete', 1, TOPIC, a, [['retention.ms', 1, null]]),
      settled('deleted', TOPIC, a, 'retention.ms', '604800000'),
      change('delete what is not set', 1, TOPIC, a, [['flush.ms', 1, null]]),
      change('the same key twice', 1, TOPIC, a, [
        ['flush.ms', 0, '1'],
        ['flush.ms', 0, '2'],
      ]),
      change('set to nothing', 1, TOPIC, a, [['flush.ms', 0, null]]),
      change('nothing', 1, TOPIC, a, []),
      change('an empty topic', 1, TOPIC, '', [['flush.ms', 0, '1']]),
      change('two that exclude each other', 1, TOPIC, a, [
        ['local.retention.ms', 0, '5000'],
        ['retention.ms', 0, '1000'],
      ]),
      step('the same topic twice', IncrementalAlterConfigs, 1, {
        resources: [
          {
            resourceType: TOPIC,
            resourceName: a,
            configs: [{ name: 'flush.ms', configOperation: 0, value: '9' }],
          },
          {
            resourceType: TOPIC,
            resourceName: a,
            configs: [{ name: 'flush.ms', configOperation: 0, value: '8' }],
          },
        ],
        validateOnly: false,
      }),
      change('a dynamic broker key', 1, BROKER, '1', [['log.cleaner.threads', 0, '2']]),
      settled('the broker has it', BROKER, '1', 'log.cleaner.threads', '2'),
      change('a dynamic broker key away', 1, BROKER, '1', [['log.cleaner.threads', 1, null]]),
      change('a fixed broker key', 1, BROKER, '1', [['node.id', 0, '2']]),
      change('a bad broker value', 1, BROKER, '1', [['log.cleaner.threads', 0, 'many']]),
      change('an unknown broker key', 1, BROKER, '1', [['no.such.key', 0, 'x']]),
      change('a cluster default', 1, BROKER, '', [['log.retention.ms', 0, '777000']]),
      settled('the broker inherits', BROKER, '1', 'log.retention.ms', '777000'),
      settled('a topic keeps its own', TOPIC, a, 'retention.ms', '1000'),
      change('the default away', 1, BROKER, '', [['log.retention.ms', 1, null]]),
      change('a broker that is not there', 1, BROKER, '99', [['log.retention.ms', 0, '1']]),
      change('a broker that is no number', 1, BROKER, 'one', [['log.retention.ms', 0, '1']]),
      change('a group', 1, GROUP, name('g'), [['consumer.session.timeout.ms', 0, '50000']]),
      settled('the group has it', GROUP, name('g'), 'consumer.session.timeout.ms', '50000'),
      change('a group out of range', 1, GROUP, name('g'), [['consumer.session.timeout.ms', 0, '1']]),
      change('a group key unknown', 1, GROUP, name('g'), [['no.such.key', 0, '1']]),
      change('a group without name', 1, GROUP, '', [['consumer.session.timeout.ms', 0, '50000']]),
      change('client metrics', 1, METRICS, name('m'), [
        ['interval.ms', 0, '60000'],
        ['metrics', 0, 'org.apache.kafka.consumer.'],
      ]),
      settled('metrics has it', METRICS, name('m'), 'interval.ms', '60000'),
      change('client metrics, bad match', 1, METRICS, name('m'), [['match', 0, 'nonsense=[']]),
      change('client metrics away', 1, METRICS, name('m'), [
        ['interval.ms', 1, null],
        ['metrics', 1, null],
      ]),
      change('an unknown type', 1, 77, 'x', [['a', 0, 'b']]),
      change('a logger, unknown level', 1, LOGGER, '1', [['kafka.server.KafkaApis', 0, 'LOUD']]),
      change('a logger of nothing', 1, LOGGER, '1', [['no.such.Logger', 0, 'DEBUG']]),
      change('append to a logger', 1, LOGGER, '1', [['kafka.server.KafkaApis', 2, 'DEBUG']]),
      ...each([0, 1, 2], (version) => [
        step('set all', AlterConfigs, version, {
          resources: [
            {
              resourceType: TOPIC,
              resourceName: a,
              configs: [{ name: 'flush.ms', value: String(10 + version) }],
            },
          ],
          validateOnly: false,
        }),
        settled(`all set by version ${version}`, TOPIC, a, 'flush.ms', String(10 + version)),
        step('set all to nonsense', AlterConfigs, version, {
          resources: [{ resourceType: TOPIC, resourceName: a, configs: [{ name: 'flush.ms', value: 'x' }] }],
          validateOnly: false,
        }),
      ]),
      step('set all, unknown topic', AlterConfigs, 2, {
        resources: [{ resourceType: TOPIC, resourceName: name('none'), configs: [] }],
        validateOnly: false,
      }),
      step('set all to nothing', AlterConfigs, 2, {
        resources: [{ resourceType: TOPIC, resourceName: a, configs: [{ name: 'flush.ms', value: null }] }],
        validateOnly: false,
      }),
      step('set none', AlterConfigs, 2, {
        resources: [{ resourceType: TOPIC, resourceName: a, configs: [] }],
        validateOnly: false,
      }),
      settled('none is set', TOPIC, a, 'cleanup.policy', 'delete'),
      step(
        'list of metrics',
        ListConfigResources,
        0,
        {},
        {
          only: (answer, runId) => {
            answer.configResources = answer.configResources.filter((one) =>
              one.resourceName.startsWith(runId),
            )
          },
        },
      ),
      step(
        'list of groups',
        ListConfigResources,
        1,
        { resourceTypes: [GROUP] },
        {
          only: (answer, runId) => {
            answer.configResources = answer.configResources.filter((one) =>
              one.resourceName.startsWith(`${runId}-configs`),
            )
          },
        },
      ),
      step(
        'list of topics',
        ListConfigResources,
        1,
        { resourceTypes: [TOPIC] },
        {
          only: (answer, runId) => {
            answer.configResources = answer.configResources.filter((one) =>
              one.resourceName.startsWith(`${runId}-configs`),
            )
          },
        },
      ),
      step('list of brokers', ListConfigResources, 1, { resourceTypes: [BROKER, LOGGER] }),
      step('list of an unknown type', ListConfigResources, 1, { resourceTypes: [77] }),
      step('list of another type in version 0', ListConfigResources, 0, {}),
    ]
  },
}

export const configScenarios: readonly Scenario[] = [configs]
