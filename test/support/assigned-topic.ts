/** A topic of one partition with replicas where the test wants them. */
import { CreateTopics } from '../../common/protocol/apis/19-create-topics.ts'
import { rawClient } from './raw-client.ts'

/** @returns the topic's id */
export async function createAssigned(
  bootstrapServers: string,
  name: string,
  brokerIds: readonly number[],
  configs: readonly { readonly name: string; readonly value: string }[] = [],
): Promise<string> {
  const client = rawClient(bootstrapServers)
  try {
    const { topics } = await client.call(CreateTopics, {
      topics: [
        {
          name,
          numPartitions: -1,
          replicationFactor: -1,
          assignments: [{ partitionIndex: 0, brokerIds }],
          configs,
        },
      ],
      timeoutMs: 5_000,
    })
    return topics[0]?.topicId as string
  } finally {
    client.close()
  }
}
