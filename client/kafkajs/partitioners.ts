/** Partitioners in kafkajs's shape. The built-in one is the Java client's, and is left to the client itself. */
import type { ClusterMetadata } from '../values/cluster-metadata.ts'
import { KafkaJSNotImplemented } from './errors.ts'
import type { ProducedMessage } from './messages.ts'

export interface PartitionMetadata {
  readonly partitionErrorCode: number
  readonly partitionId: number
  readonly leader: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly offlineReplicas: readonly number[]
}

export interface PartitionerArgs {
  readonly topic: string
  readonly partitionMetadata: readonly PartitionMetadata[]
  readonly message: ProducedMessage
}

export type Partitioner = (args: PartitionerArgs) => number
export type ICustomPartitioner = () => Partitioner

/** A mark: murmur2 of the key, and keyless messages spread. */
function DefaultPartitioner(): Partitioner {
  throw new KafkaJSNotImplemented(
    'The default partitioner works inside the client: give it as createPartitioner',
  )
}

function LegacyPartitioner(): Partitioner {
  throw new KafkaJSNotImplemented(
    'LegacyPartitioner is not supported: its hash differs from every other client',
  )
}

export const Partitioners: Readonly<
  Record<'DefaultPartitioner' | 'LegacyPartitioner' | 'JavaCompatiblePartitioner', ICustomPartitioner>
> = {
  DefaultPartitioner,
  LegacyPartitioner,
  JavaCompatiblePartitioner: DefaultPartitioner,
}

/** undefined: the client's own. */
export function customPartitioner(create: ICustomPartitioner | undefined): Partitioner | undefined {
  return create === undefined || create === DefaultPartitioner ? undefined : create()
}

export function partitionMetadataOf(metadata: ClusterMetadata, topic: string): PartitionMetadata[] {
  const partitions = [...(metadata.topics.get(topic)?.partitions.values() ?? [])]
  return partitions.map(({ id, leader, replicas, isrs, error }) => ({
    partitionErrorCode: error?.code() ?? 0,
    partitionId: id,
    leader,
    replicas,
    isr: isrs,
    offlineReplicas: [],
  }))
}
