/** A broker in this process and raw connections to it, for tests that send what no client would. */

import { type Cluster, startCluster } from '../../broker/cluster.ts'
import { ListOffsets } from '../../common/protocol/apis/02-list-offsets.ts'
import { CreateTopics } from '../../common/protocol/apis/19-create-topics.ts'
import { decodeResponse } from '../../common/protocol/codec.ts'
import { joinFrame } from '../../common/protocol/frame.ts'
import { decodeResponseHeader, encodeRequestFrame } from '../../common/protocol/header.ts'
import type { ApiSchema, RequestInputOf } from '../../common/protocol/schema.ts'
import { RawConnection } from '../differential/raw-client.ts'

export interface World {
  readonly cluster: Cluster
  connect(): Promise<RawConnection>
}

export async function startWorld(config: Readonly<Record<string, string | number>> = {}): Promise<World> {
  const cluster = await startCluster({ config })
  const [host = '', port = ''] = cluster.bootstrapServers.split(':')
  return { cluster, connect: () => RawConnection.open(host, Number(port)) }
}

/** Header and body of a request, without the length prefix. */
export function frameOf<A extends ApiSchema>(
  api: A,
  version: number,
  request: RequestInputOf<A>,
  correlationId = 1,
): Buffer {
  return joinFrame(encodeRequestFrame(api, { version, correlationId, clientId: 'fuzz' }, request))
}

/** A frame behind its length prefix. */
export function prefixed(frame: Buffer): Buffer {
  const prefix = Buffer.alloc(4)
  prefix.writeInt32BE(frame.length)
  return Buffer.concat([prefix, frame])
}

/** Resolves when the condition holds; looks again after every turn of the event loop. */
export async function eventually(what: string, condition: () => boolean, deadlineMs = 10_000): Promise<void> {
  const deadline = Date.now() + deadlineMs
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`still waiting: ${what}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Creates a topic of one partition and waits until it takes records. */
export async function createTopic(world: World, name: string, partitions = 1): Promise<void> {
  const connection = await world.connect()
  connection.send(
    frameOf(CreateTopics, 7, {
      topics: [{ name, numPartitions: partitions, replicationFactor: 1, assignments: [], configs: [] }],
    }),
  )
  const answer = await connection.next()
  if (typeof answer === 'string') throw new Error(`creating ${name}: ${answer}`)
  const deadline = Date.now() + 5_000
  for (let isThere = false; !isThere; ) {
    if (Date.now() > deadline) throw new Error(`no topic ${name}`)
    connection.send(
      frameOf(ListOffsets, 7, {
        replicaId: -1,
        topics: [{ name, partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
      }),
    )
    const found = await connection.next()
    if (typeof found === 'string') throw new Error(`looking for ${name}: ${found}`)
    const { reader } = decodeResponseHeader(ListOffsets, 7, found)
    isThere = decodeResponse(ListOffsets, 7, reader).topics[0]?.partitions[0]?.errorCode === 0
  }
  connection.close()
}
