/** The few requests that prepare a measurement, over a connection of their own. */
import { Metadata } from '../../../common/protocol/apis/03-metadata.ts'
import { CreateTopics } from '../../../common/protocol/apis/19-create-topics.ts'
import { decodeResponse } from '../../../common/protocol/codec.ts'
import { joinFrame } from '../../../common/protocol/frame.ts'
import { decodeResponseHeader, encodeRequestFrame } from '../../../common/protocol/header.ts'
import type { ApiSchema, RequestInputOf, ResponseOf } from '../../../common/protocol/schema.ts'
import { RawConnection } from '../../differential/raw-client.ts'

const DEADLINE_MS = 120_000

export async function ask<A extends ApiSchema>(
  bootstrap: string,
  api: A,
  version: number,
  request: RequestInputOf<A>,
): Promise<ResponseOf<A>> {
  const [host = '', port = ''] = bootstrap.split(',')[0]?.split(':') ?? []
  const connection = await RawConnection.open(host, Number(port))
  try {
    connection.send(
      joinFrame(encodeRequestFrame(api, { version, correlationId: 1, clientId: 'bench' }, request)),
    )
    const answer = await connection.next(DEADLINE_MS)
    if (typeof answer === 'string') throw new Error(`${api.name}: ${answer}`)
    return decodeResponse(api, version, decodeResponseHeader(api, version, answer).reader)
  } finally {
    connection.close()
  }
}

/** Creates a topic and waits until all its partitions have leaders; answers how long that took. */
export async function createTopic(
  bootstrap: string,
  name: string,
  partitions: number,
  replicationFactor = 1,
): Promise<number> {
  const startMs = performance.now()
  const { topics } = await ask(bootstrap, CreateTopics, 7, {
    topics: [{ name, numPartitions: partitions, replicationFactor, assignments: [], configs: [] }],
    timeoutMs: DEADLINE_MS,
  })
  const [made] = topics
  if (made?.errorCode !== 0) throw new Error(`creating ${name}: ${made?.errorMessage ?? made?.errorCode}`)
  await whenUsable(bootstrap, name, partitions)
  return performance.now() - startMs
}

/** `host:port` of the leader of each partition. */
export async function leadersOf(bootstrap: string, name: string): Promise<string[]> {
  const { topics, brokers } = await ask(bootstrap, Metadata, 9, {
    topics: [{ name }],
    allowAutoTopicCreation: false,
  })
  return (topics[0]?.partitions ?? [])
    .toSorted((left, right) => left.partitionIndex - right.partitionIndex)
    .map(({ leaderId, partitionIndex }) => {
      const leader = brokers.find(({ nodeId }) => nodeId === leaderId)
      if (leader === undefined) throw new Error(`${name}-${partitionIndex} has no leader`)
      return `${leader.host}:${leader.port}`
    })
}

export async function whenUsable(bootstrap: string, name: string, partitions: number): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS
  for (;;) {
    const { topics } = await ask(bootstrap, Metadata, 9, {
      topics: [{ name }],
      allowAutoTopicCreation: false,
    })
    const found = topics[0]?.partitions ?? []
    if (found.length === partitions && found.every((one) => one.errorCode === 0)) return
    if (Date.now() > deadline) throw new Error(`${name} is not usable`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
