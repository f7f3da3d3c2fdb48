import { describe, expect, it } from 'vitest'
import { listConfigResources } from '../../../../broker/api/74-list-config-resources.ts'
import { ConfigResourceType } from '../../../../broker/metadata/image.ts'
import { brokerHarness } from './broker-harness.ts'

function someResources() {
  const harness = brokerHarness()
  harness.registerBroker(1)
  harness.registerBroker(2)
  harness.createTopic('orders', [[1]])
  harness.setConfig(ConfigResourceType.CLIENT_METRICS, 'subscription', { 'interval.ms': '200' })
  harness.setConfig(ConfigResourceType.GROUP, 'group', { 'consumer.session.timeout.ms': '45001' })
  harness.setConfig(ConfigResourceType.BROKER, '', { 'log.retention.ms': '1' })
  return harness
}

function listed(resourceTypes: number[]) {
  const { configResources } = someResources().call(listConfigResources, 1, { resourceTypes })
  return configResources.map(({ resourceType, resourceName }) => `${resourceType} ${resourceName}`)
}

describe('ListConfigResources', () => {
  it('lists all types when none is given, but not the defaults of brokers', () => {
    expect(listed([])).toEqual(['32 group', '16 subscription', '8 1', '8 2', '4 1', '4 2', '2 orders'])
  })

  it('lists the given types, each once', () => {
    expect(listed([2, 2, 16])).toEqual(['16 subscription', '2 orders'])
    expect(listed([4])).toEqual(['4 1', '4 2'])
  })

  it('lists only client metrics subscriptions in version 0', () => {
    expect(someResources().call(listConfigResources, 0, {}).configResources).toMatchObject([
      { resourceName: 'subscription' },
    ])
  })

  it.each([0, 3, 99, -1])('refuses a type that does not exist (%i)', (type) => {
    const response = someResources().call(listConfigResources, 1, { resourceTypes: [2, type] })
    expect(response).toMatchObject({ errorCode: 35, configResources: [] })
  })
})
