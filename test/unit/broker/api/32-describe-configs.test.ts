import { describe, expect, it } from 'vitest'
import { describeConfigs } from '../../../../broker/api/32-describe-configs.ts'
import { ConfigResourceType } from '../../../../broker/metadata/image.ts'
import { brokerHarness } from './broker-harness.ts'

const { TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP } = ConfigResourceType

function asking(resourceType: number, resourceName: string, ...keys: string[]) {
  return { resources: [{ resourceType, resourceName, configurationKeys: keys.length === 0 ? null : keys }] }
}

describe('DescribeConfigs', () => {
  it("tells a topic's own value and what it would inherit", () => {
    const harness = brokerHarness()
    harness.createTopic('orders', [[1]])
    harness.setConfig(TOPIC, 'orders', { 'retention.ms': '1000' })
    const request = { ...asking(TOPIC, 'orders', 'retention.ms'), includeSynonyms: true }
    expect(harness.call(describeConfigs, 4, request).results).toMatchObject([
      {
        errorCode: 0,
        errorMessage: '',
        resourceType: TOPIC,
        resourceName: 'orders',
        configs: [
          {
            name: 'retention.ms',
            value: '1000',
            readOnly: false,
            configSource: 1,
            isSensitive: false,
            synonyms: [{ name: 'retention.ms', value: '1000', source: 1 }],
            configType: 5,
            documentation: null,
          },
        ],
      },
    ])
  })

  it('leaves types and documentation out before version 3', () => {
    const harness = brokerHarness()
    harness.createTopic('orders', [[1]])
    const [result] = harness.call(describeConfigs, 1, asking(TOPIC, 'orders', 'retention.ms')).results
    expect(result?.configs).toMatchObject([
      { configSource: 5, configType: 0, synonyms: [], documentation: '' },
    ])
  })

  it('says which name is wrong, each resource by itself', () => {
    const harness = brokerHarness()
    const cases: [number, string, number, string][] = [
      [TOPIC, 'absent', 3, ''],
      [
        TOPIC,
        'bad name',
        17,
        "Topic name is invalid: 'bad name' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
      ],
      [TOPIC, '', 17, 'Topic name is invalid: the empty string is not allowed'],
      [BROKER, '2', 42, 'Unexpected broker id, expected 1 or empty string, but received 2'],
      [BROKER, 'x', 42, 'Broker id must be an integer, but it is: x'],
      [BROKER, '99999999999', 42, 'Broker id must be an integer, but it is: 99999999999'],
      [BROKER_LOGGER, '2', 42, 'Unexpected broker id, expected 1 but received 2'],
      [BROKER_LOGGER, '', 42, 'Broker id must not be empty'],
      [CLIENT_METRICS, '', 42, 'Client metrics subscription name must not be empty'],
      [GROUP, '', 42, 'Group name must not be empty'],
    ]
    const resources = cases.flatMap(([type, name]) => asking(type, name).resources)
    const { results } = harness.call(describeConfigs, 4, { resources })
    expect(
      results.map(({ resourceType, resourceName, errorCode, errorMessage }) => [
        resourceType,
        resourceName,
        errorCode,
        errorMessage,
      ]),
    ).toEqual(cases)
  })

  it('refuses everything when one resource is of no known type', () => {
    const harness = brokerHarness()
    harness.createTopic('orders', [[1]])
    const resources = [...asking(TOPIC, 'orders').resources, ...asking(77, 'what').resources]
    const { results } = harness.call(describeConfigs, 4, { resources })
    expect(results.map(({ errorCode }) => errorCode)).toEqual([42, 42])
    expect(results[0]?.errorMessage).toMatch(/^This most likely occurs because of a request being malformed/)
  })

  it("tells a broker's settings by its id and the cluster's defaults by the empty name", () => {
    const harness = brokerHarness({ 'num.partitions': '4' })
    const defaults = () => harness.call(describeConfigs, 4, asking(BROKER, '')).results[0]?.configs
    expect(defaults()).toEqual([])
    harness.setConfig(BROKER, '', { 'log.retention.ms': '5' })
    expect(defaults()).toMatchObject([{ name: 'log.retention.ms', value: '5', configSource: 3 }])
    const own = harness.call(describeConfigs, 4, asking(BROKER, '1', 'num.partitions', 'log.retention.ms'))
    expect(own.results[0]?.configs).toMatchObject([
      { name: 'log.retention.ms', value: '5', configSource: 3 },
      { name: 'num.partitions', value: '4', configSource: 4, readOnly: true },
    ])
  })

  it('tells the levels of loggers, set or inherited', () => {
    const harness = brokerHarness()
    harness.broker.loggers.replaceLevels(new Map([['root', 'WARN']]))
    const { results } = harness.call(
      describeConfigs,
      4,
      asking(BROKER_LOGGER, '1', 'root', 'kafkito.storage'),
    )
    expect(results[0]?.configs).toMatchObject([
      { name: 'kafkito.storage', value: 'WARN', configSource: 6 },
      { name: 'root', value: 'WARN', configSource: 6 },
    ])
  })

  it('describes groups and subscriptions that do not exist by their defaults', () => {
    const harness = brokerHarness()
    const describedValue = (type: number, key: string) =>
      harness.call(describeConfigs, 4, asking(type, 'any', key)).results[0]?.configs[0]
    expect(describedValue(CLIENT_METRICS, 'interval.ms')).toMatchObject({ value: '300000', configSource: 5 })
    expect(describedValue(GROUP, 'consumer.session.timeout.ms')).toMatchObject({
      value: '45000',
      configSource: 5,
    })
    harness.setConfig(GROUP, 'any', { 'consumer.session.timeout.ms': '50000' })
    expect(describedValue(GROUP, 'consumer.session.timeout.ms')).toMatchObject({
      value: '50000',
      configSource: 8,
    })
  })
})
