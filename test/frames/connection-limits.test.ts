import { afterEach, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../broker/index.ts'
import { ApiVersions } from '../../common/protocol/apis/18-api-versions.ts'
import { joinFrame } from '../../common/protocol/frame.ts'
import { encodeRequestFrame } from '../../common/protocol/header.ts'
import { RawConnection } from '../differential/raw-client.ts'

let cluster: Cluster | undefined
const connections: RawConnection[] = []

afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close()
  await cluster?.stop()
})

async function connected(): Promise<RawConnection> {
  const [host = '', port = ''] = cluster?.bootstrapServers.split(':') ?? []
  const connection = await RawConnection.open(host, Number(port))
  connections.push(connection)
  const header = { version: 0, correlationId: 1, clientId: null }
  connection.send(joinFrame(encodeRequestFrame(ApiVersions, header, {})))
  return connection
}

it('a connection above max.connections is served once another one ends', async () => {
  cluster = await startCluster({ config: { 'max.connections': '2' } })
  const first = await connected()
  expect(await first.next()).toBeInstanceOf(Buffer)
  const second = await connected()
  expect(await second.next()).toBeInstanceOf(Buffer)
  const third = await connected()
  expect(await third.next(100)).toBe('timeout')
  first.close()
  expect(await third.next()).toBeInstanceOf(Buffer)
  expect(third.isClosed).toBe(false)
})

it('a connection above max.connections that gives up waiting makes no room', async () => {
  cluster = await startCluster({ config: { 'max.connections': '1' } })
  const first = await connected()
  expect(await first.next()).toBeInstanceOf(Buffer)
  const impatient = await connected()
  impatient.close()
  const patient = await connected()
  expect(await patient.next(100)).toBe('timeout')
  first.close()
  expect(await patient.next()).toBeInstanceOf(Buffer)
})

it('a connection above max.connections.per.ip is closed', async () => {
  cluster = await startCluster({ config: { 'max.connections.per.ip': '1' } })
  const first = await connected()
  expect(await first.next()).toBeInstanceOf(Buffer)
  expect(await (await connected()).next()).toBe('closed')
})

it('a connection that idles for connections.max.idle.ms is closed', async () => {
  cluster = await startCluster({ config: { 'connections.max.idle.ms': '50' } })
  const idle = await connected()
  expect(await idle.next()).toBeInstanceOf(Buffer)
  expect(await idle.next()).toBe('closed')
})
