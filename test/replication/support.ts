/** Requests about replicas, to a cluster of the fixture. */

import type { TestCluster } from '../../broker/index.ts'
import { AlterPartitionReassignments } from '../../common/protocol/apis/45-alter-partition-reassignments.ts'
import { ListPartitionReassignments } from '../../common/protocol/apis/46-list-partition-reassignments.ts'
import type { ApiSchema, RequestInputOf, ResponseOf } from '../../common/protocol/schema.ts'
import { rawClient } from '../support/raw-client.ts'

/** For waits: a machine may be slow. */
export const PATIENT = { timeoutMs: 20_000 }

/** To any broker, on a connection of its own. */
export async function ask<A extends ApiSchema>(
  cluster: TestCluster,
  api: A,
  request: RequestInputOf<A>,
  nodeId = cluster.engine.brokers[0]?.nodeId ?? 1,
  version = api.versions.highest,
): Promise<ResponseOf<A>> {
  const client = rawClient(cluster.broker(nodeId).address)
  try {
    return await client.call(api, request, version)
  } finally {
    client.close()
  }
}

/** Asks for other replicas of one partition; null takes that back. @returns the error code of the partition */
export async function reassign(
  cluster: TestCluster,
  topic: string,
  replicas: readonly number[] | null,
  { partition = 0, allowReplicationFactorChange = true } = {},
): Promise<number> {
  const answer = await ask(cluster, AlterPartitionReassignments, {
    timeoutMs: 10_000,
    allowReplicationFactorChange,
    topics: [{ name: topic, partitions: [{ partitionIndex: partition, replicas }] }],
  })
  return answer.responses[0]?.partitions[0]?.errorCode ?? answer.errorCode
}

/** The reassignments in progress, all or those of some partitions. */
export async function reassignments(
  cluster: TestCluster,
  topics: readonly { readonly name: string; readonly partitionIndexes: readonly number[] }[] | null = null,
) {
  const answer = await ask(cluster, ListPartitionReassignments, { timeoutMs: 10_000, topics })
  return answer.topics.flatMap(({ name, partitions }) => partitions.map((one) => ({ topic: name, ...one })))
}

/** The replica of a broker that runs. */
export function replicaOn(cluster: TestCluster, nodeId: number, topic: string, partition = 0) {
  return cluster.engine.node(nodeId).broker?.services.replicas.partition(topic, partition)
}

/** Directories of a topic's logs on the disk of a broker that runs, those put aside too. */
export function directoriesOn(cluster: TestCluster, nodeId: number, topic: string): readonly string[] {
  const services = cluster.engine.node(nodeId).broker?.services
  return (services?.logs.directories ?? []).flatMap(({ path }) =>
    (services?.runtime.files.list(path) ?? []).filter((name) => name.startsWith(`${topic}-`)),
  )
}
