import { describe, expect, it } from 'vitest'
import { vote } from '../../../../broker/api/52-vote.ts'
import { beginQuorumEpoch } from '../../../../broker/api/53-begin-quorum-epoch.ts'
import { endQuorumEpoch } from '../../../../broker/api/54-end-quorum-epoch.ts'
import { fetchSnapshot } from '../../../../broker/api/59-fetch-snapshot.ts'
import type { Handler } from '../../../../broker/api/handler.ts'
import type { Vote } from '../../../../common/protocol/apis/52-vote.ts'
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../../../common/protocol/codec.ts'
import type { ApiSchema, RequestInputOf, ResponseOf } from '../../../../common/protocol/schema.ts'
import { RaftCluster } from '../../../sim/raft-cluster.ts'

const CLUSTER_ID = '7zP3mXqRQ5e0yq1v2tD9xA'
const TOPIC = '__cluster_metadata'
const KNOWN = { leaderId: 1, leaderEpoch: 1 }

/** Node 2, which follows node 1 in epoch 1. */
function following(): RaftCluster {
  const cluster = new RaftCluster({ seed: 1, voters: 3 })
  cluster.startAll()
  cluster.world.advance(100)
  expect(cluster.node(2).log.role).toBe('follower')
  return cluster
}

function ask<A extends ApiSchema>(
  cluster: RaftCluster,
  handler: Handler<A>,
  version: number,
  request: RequestInputOf<A>,
): ResponseOf<A> {
  const { api } = handler
  const context = { broker: { metadataLog: cluster.node(2).log }, apiVersion: version }
  const decoded = decodeRequest(api, version, encodeRequest(api, version, request))
  const answer = handler.handle(context as never, decoded)
  return decodeResponse(api, version, encodeResponse(api, version, answer as never))
}

function voting(version: number, more: object = {}): RequestInputOf<typeof Vote> {
  return {
    clusterId: CLUSTER_ID,
    topics: [
      {
        topicName: TOPIC,
        partitions: [
          {
            partitionIndex: 0,
            replicaEpoch: 2,
            replicaId: 3,
            lastOffsetEpoch: 1,
            lastOffset: 50,
            ...(version >= 2 ? { preVote: true } : {}),
            ...more,
          },
        ],
      },
    ],
  }
}

describe('the requests of the quorum', () => {
  it.each([0, 1])('Vote v%i asks for a vote', (version) => {
    const response = ask(following(), vote, version, voting(version))
    expect(response.topics[0]?.partitions[0]).toMatchObject({
      errorCode: 0,
      voteGranted: true,
      leaderEpoch: 2,
    })
  })

  it('Vote v2 asks for a pre-vote, which a node that hears of its leader refuses', () => {
    const response = ask(following(), vote, 2, voting(2, { replicaEpoch: 1 }))
    expect(response.topics[0]?.partitions[0]).toMatchObject({ errorCode: 0, voteGranted: false, ...KNOWN })
    expect(response.nodeEndpoints).toEqual([{ nodeId: 1, host: 'node-1', port: 9093 }])
  })

  it.each([0, 1])('BeginQuorumEpoch v%i of the known leader changes nothing', (version) => {
    const cluster = following()
    const partitions = [{ partitionIndex: 0, ...KNOWN }]
    const request = { clusterId: CLUSTER_ID, topics: [{ topicName: TOPIC, partitions }] }
    const response = ask(cluster, beginQuorumEpoch, version, request)
    expect(response.topics[0]?.partitions[0]).toMatchObject({ errorCode: 0, ...KNOWN })
    expect(response.nodeEndpoints).toHaveLength(version)
    expect(cluster.node(2).log.role).toBe('follower')
  })

  it.each([
    [0, { preferredSuccessors: [2, 3] }],
    [1, { preferredCandidates: [{ candidateId: 2, candidateDirectoryId: 'AAAAAAAAAAAAAAAAAAAAAA' }] }],
  ])('EndQuorumEpoch v%i makes the first that it names campaign', (version, order) => {
    const cluster = following()
    cluster.world.network.isolate(['node-2'], ['node-1', 'node-3'])
    const partitions = [{ partitionIndex: 0, ...KNOWN, ...order }]
    ask(cluster, endQuorumEpoch, version, {
      clusterId: CLUSTER_ID,
      topics: [{ topicName: TOPIC, partitions }],
    })
    cluster.world.reactor.runUntilIdle()
    expect(cluster.node(2).log.role).toBe('prospective')
  })

  it.each([0, 1])('FetchSnapshot v%i is for the leader', (version) => {
    const snapshotId = { endOffset: 1, epoch: 1 }
    const partitions = [{ partition: 0, currentLeaderEpoch: 1, snapshotId, position: 0 }]
    const request = { clusterId: CLUSTER_ID, topics: [{ name: TOPIC, partitions }] }
    const response = ask(following(), fetchSnapshot, version, request)
    expect(response.topics[0]?.partitions[0]).toMatchObject({ errorCode: 6, currentLeader: KNOWN })
    expect(response.nodeEndpoints).toHaveLength(version)
  })
})
