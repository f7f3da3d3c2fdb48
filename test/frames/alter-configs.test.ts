import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../broker/index.ts'
import { DescribeConfigs } from '../../common/protocol/apis/32-describe-configs.ts'
import { AlterConfigs } from '../../common/protocol/apis/33-alter-configs.ts'
import { IncrementalAlterConfigs } from '../../common/protocol/apis/44-incremental-alter-configs.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { type RawClient, rawClient } from '../support/raw-client.ts'

const BROKER = 4
const LOGGER = 8
const METRICS = 16
const LOGGER_NAME = 'kafkito.storage'

let cluster: Cluster
let client: RawClient

beforeAll(async () => {
  cluster = await startCluster()
  client = rawClient(cluster.bootstrapServers)
})

afterAll(async () => {
  client.close()
  await cluster.stop()
})

interface Change {
  readonly type: number
  readonly resource: string
  readonly name: string
  readonly value: string | null
  readonly operation?: number
}

async function alter(changes: readonly Change[], validateOnly = false) {
  const resources = changes.map(({ type, resource, name, value, operation = 0 }) => ({
    resourceType: type,
    resourceName: resource,
    configs: [{ name, configOperation: operation, value }],
  }))
  return (await client.call(IncrementalAlterConfigs, { resources, validateOnly })).responses
}

async function levelOf(name: string): Promise<string | null | undefined> {
  const { results } = await client.call(DescribeConfigs, {
    resources: [{ resourceType: LOGGER, resourceName: '1', configurationKeys: [name] }],
  })
  return results[0]?.configs[0]?.value
}

function setLevel(value: string | null, operation = 0): Change {
  return { type: LOGGER, resource: '1', name: LOGGER_NAME, value, operation }
}

describe('a broker that is asked to alter configs', () => {
  it('sets the levels of its loggers and takes them back', async () => {
    expect(await alter([setLevel('DEBUG')])).toMatchObject([
      { resourceType: LOGGER, resourceName: '1', errorCode: ErrorCode.NONE },
    ])
    expect(await levelOf(LOGGER_NAME)).toBe('DEBUG')
    await alter([setLevel(null, 1)])
    expect(await levelOf(LOGGER_NAME)).toBe('INFO')
  })

  it('changes no level when it only validates', async () => {
    expect(await alter([setLevel('TRACE')], true)).toMatchObject([{ errorCode: ErrorCode.NONE }])
    expect(await levelOf(LOGGER_NAME)).toBe('INFO')
  })

  it('refuses loggers of other brokers, unknown ones, unknown levels and the other way of altering', async () => {
    const [other] = await alter([{ ...setLevel('DEBUG'), resource: '2' }])
    expect(other?.errorCode).toBe(ErrorCode.INVALID_REQUEST)
    const [unknown] = await alter([{ ...setLevel('DEBUG'), name: 'no.such' }])
    expect(unknown?.errorCode).toBe(ErrorCode.INVALID_CONFIG)
    const [loud] = await alter([setLevel('LOUD')])
    expect(loud?.errorCode).toBe(ErrorCode.INVALID_CONFIG)
    const { responses } = await client.call(AlterConfigs, {
      resources: [
        { resourceType: LOGGER, resourceName: '1', configs: [{ name: LOGGER_NAME, value: 'DEBUG' }] },
      ],
      validateOnly: false,
    })
    expect(responses[0]).toMatchObject({
      errorCode: ErrorCode.INVALID_REQUEST,
      errorMessage: 'Unknown resource type 8',
    })
  })

  it('answers in the order of the request what it decides and what the controller decides', async () => {
    const answers = await alter([
      { type: METRICS, resource: 'all', name: 'interval.ms', value: '1000' },
      setLevel('WARN'),
      { type: BROKER, resource: '2', name: 'log.retention.ms', value: '1' },
      { type: BROKER, resource: '', name: 'log.retention.ms', value: '100000' },
      { type: 99, resource: 'x', name: 'a', value: 'b' },
    ])
    expect(
      answers.map(({ resourceType, resourceName, errorCode }) => [resourceType, resourceName, errorCode]),
    ).toEqual([
      [METRICS, 'all', ErrorCode.NONE],
      [LOGGER, '1', ErrorCode.NONE],
      [BROKER, '2', ErrorCode.INVALID_REQUEST],
      [BROKER, '', ErrorCode.NONE],
      [99, 'x', ErrorCode.INVALID_REQUEST],
    ])
    expect(answers[2]?.errorMessage).toBe('Unexpected broker id, expected 1, but received 2')
    expect(await levelOf(LOGGER_NAME)).toBe('WARN')
  })

  it('refuses a resource that is named twice, both times', async () => {
    const change = { type: BROKER, resource: '', name: 'log.retention.ms', value: '5' }
    const answers = await alter([change, change])
    expect(answers.map(({ errorCode }) => errorCode)).toEqual([
      ErrorCode.INVALID_REQUEST,
      ErrorCode.INVALID_REQUEST,
    ])
  })

  it('keeps what is said behind a listener prefix to one broker, but for limits of connections', async () => {
    const change = (resource: string, name: string, value: string) =>
      alter([{ type: BROKER, resource, name, value }], true)
    expect(await change('', 'listener.name.external.ssl.keystore.location', '/nowhere.jks')).toMatchObject([
      {
        errorCode: ErrorCode.INVALID_REQUEST,
        errorMessage: expect.stringContaining('Cannot update these configs at default cluster level'),
      },
    ])
    expect(await change('', 'listener.name.external.max.connections', '100')).toMatchObject([
      { errorCode: ErrorCode.NONE },
    ])
    expect(await change('1', 'listener.name.external.max.connections', '100')).toMatchObject([
      { errorCode: ErrorCode.NONE },
    ])
  })
})
