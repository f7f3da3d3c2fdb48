import { expect, it } from 'vitest'
import { startCluster } from '../../broker/index.ts'
import { UpdateFeatures } from '../../common/protocol/apis/57-update-features.ts'
import { ConsumerGroupHeartbeat } from '../../common/protocol/apis/68-consumer-group-heartbeat.ts'
import { ConsumerGroupDescribe } from '../../common/protocol/apis/69-consumer-group-describe.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { rawClient } from '../support/raw-client.ts'

type Client = ReturnType<typeof rawClient>

const heartbeat = async (client: Client) => {
  const { errorCode } = await client.call(ConsumerGroupHeartbeat, {
    groupId: 'group',
    memberId: 'member',
    memberEpoch: 0,
    rebalanceTimeoutMs: 10_000,
    subscribedTopicNames: ['orders'],
    topicPartitions: [],
  })
  return errorCode
}

const describeGroup = async (client: Client) => {
  const { groups } = await client.call(ConsumerGroupDescribe, {
    groupIds: ['group'],
    includeAuthorizedOperations: false,
  })
  return groups[0]?.errorCode
}

const setGroupVersion = async (client: Client, maxVersionLevel: number, upgradeType: number) => {
  const featureUpdates = [{ feature: 'group.version', maxVersionLevel, upgradeType }]
  const { errorCode } = await client.call(UpdateFeatures, { timeoutMs: 10_000, featureUpdates })
  expect(errorCode).toBe(ErrorCode.NONE)
}

const UPGRADE = 1
const SAFE_DOWNGRADE = 2

it('consumer groups are served while group.version is finalized', async () => {
  const cluster = await startCluster()
  const client = rawClient(cluster.bootstrapServers)
  try {
    await setGroupVersion(client, 0, SAFE_DOWNGRADE)
    // The broker reads the metadata log on its own; the time limit is the test's.
    while ((await heartbeat(client)) !== ErrorCode.UNSUPPORTED_VERSION);
    expect(await describeGroup(client)).toBe(ErrorCode.UNSUPPORTED_VERSION)
    await setGroupVersion(client, 1, UPGRADE)
    while ((await heartbeat(client)) === ErrorCode.UNSUPPORTED_VERSION);
    expect(await describeGroup(client)).not.toBe(ErrorCode.UNSUPPORTED_VERSION)
  } finally {
    client.close()
    await cluster.stop()
  }
})

it('consumer groups are not served where the rebalance protocols leave them out', async () => {
  const cluster = await startCluster({ config: { 'group.coordinator.rebalance.protocols': 'classic' } })
  const client = rawClient(cluster.bootstrapServers)
  try {
    expect(await heartbeat(client)).toBe(ErrorCode.UNSUPPORTED_VERSION)
    expect(await describeGroup(client)).toBe(ErrorCode.UNSUPPORTED_VERSION)
  } finally {
    client.close()
    await cluster.stop()
  }
})
