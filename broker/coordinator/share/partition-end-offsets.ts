/** Asks the leaders of partitions for their ends (ListOffsets), for the lag of share groups. */
import type { ListOffsets } from '../../../common/protocol/apis/02-list-offsets.ts'
import { ErrorCode } from '../../../common/protocol/errors.ts'
import type { RequestInputOf, ResponseOf } from '../../../common/protocol/schema.ts'
import type { CallResult } from '../../../common/rpc/channel.ts'
import { Deferred } from '../../../common/runtime/deferred.ts'
import { LATEST_TIMESTAMP } from '../../../storage/time-lookup.ts'
import type { MetadataImage } from '../../metadata/image.ts'

export interface PartitionEndOffsetsOptions {
  readonly metadata: () => MetadataImage
  readonly call: (
    brokerId: number,
    request: RequestInputOf<typeof ListOffsets>,
  ) => Deferred<CallResult<ResponseOf<typeof ListOffsets>>>
}

export interface NamedPartition {
  readonly topicName: string
  readonly partition: number
}

const CONSUMER = -1
const READ_UNCOMMITTED = 0

/** @returns a function that gives the end of each partition, -1 where its leader does not answer */
export function partitionEndOffsets({
  metadata,
  call,
}: PartitionEndOffsetsOptions): (partitions: readonly NamedPartition[]) => Deferred<number[]> {
  return (partitions) =>
    Deferred.all(
      partitions.map(({ topicName, partition }) => {
        const image = metadata().topicsByName.get(topicName)?.partitions[partition]
        if (image === undefined || image.leaderId < 0) return Deferred.of(-1)
        return call(image.leaderId, {
          replicaId: CONSUMER,
          isolationLevel: READ_UNCOMMITTED,
          topics: [
            {
              name: topicName,
              partitions: [
                {
                  partitionIndex: partition,
                  currentLeaderEpoch: -1,
                  timestamp: LATEST_TIMESTAMP,
                },
              ],
            },
          ],
        }).map((answer) => {
          const found = answer.ok ? answer.response.topics[0]?.partitions[0] : undefined
          return found?.errorCode === ErrorCode.NONE ? found.offset : -1
        })
      }),
    )
}
