import { describe, expect, it } from 'vitest'
import { fetch } from '../../../../broker/api/01-fetch.ts'
import type { MetadataLog } from '../../../../broker/raft/metadata-log.ts'
import { Fetch } from '../../../../common/protocol/apis/01-fetch.ts'
import { FetchSnapshot } from '../../../../common/protocol/apis/59-fetch-snapshot.ts'
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../../../common/protocol/codec.ts'
import { ErrorCode } from '../../../../common/protocol/errors.ts'
import type { RequestInputOf, ResponseInputOf } from '../../../../common/protocol/schema.ts'
import { BatchCursor } from '../../../../common/record/batch.ts'
import { asDeferred, type Deferred } from '../../../../common/runtime/deferred.ts'
import { RaftCluster } from '../../../sim/raft-cluster.ts'

const CLUSTER_ID = '7zP3mXqRQ5e0yq1v2tD9xA'
const METADATA_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'

type FetchedPartition = RequestInputOf<typeof Fetch>['topics'][number]['partitions'][number]

/** Node 1 leads epoch 1 alone with observer 2; its log holds the leader change and one record, all committed. */
function leading(): RaftCluster {
  const cluster = new RaftCluster({ seed: 1, voters: 1, observers: 1 })
  cluster.start(cluster.node(1))
  cluster.append(cluster.node(1))
  cluster.world.runUntilIdle()
  return cluster
}

function fetching(
  log: MetadataLog,
  partition: Partial<FetchedPartition> = {},
  more: Partial<RequestInputOf<typeof Fetch>> = {},
  version = 18,
) {
  const request = encodeRequest(Fetch, version, {
    ...(version >= 12 ? { clusterId: CLUSTER_ID } : {}),
    ...(version >= 15 ? { replicaState: { replicaId: 2, replicaEpoch: -1 } } : { replicaId: 2 }),
    maxWaitMs: 0,
    minBytes: 0,
    topics: [
      {
        topic: '__cluster_metadata',
        topicId: METADATA_TOPIC_ID,
        partitions: [
          {
            partition: 0,
            currentLeaderEpoch: 1,
            fetchOffset: 2,
            lastFetchedEpoch: 1,
            partitionMaxBytes: 1 << 20,
            ...partition,
          },
        ],
      },
    ],
    ...more,
  })
  const connection = { listener: { kind: 'controller' }, onClosed: () => () => undefined }
  const context = { broker: { metadataLog: log }, connection, apiVersion: version }
  const answer = fetch.handle(context as never, decodeRequest(Fetch, version, request))
  return asDeferred(answer as Deferred<ResponseInputOf<typeof Fetch>>).map((response) => {
    const decoded = decodeResponse(Fetch, version, encodeResponse(Fetch, version, response))
    return { errorCode: decoded.errorCode, partition: decoded.responses[0]?.partitions[0] }
  })
}

describe('a fetch of the metadata log', () => {
  it('brings whole batches, the high watermark and who leads', () => {
    const { log } = leading().node(1)
    const { partition } = fetching(log, { fetchOffset: 0, lastFetchedEpoch: 0 }).value ?? {}
    expect(partition).toMatchObject({
      errorCode: 0,
      highWatermark: 2,
      logStartOffset: 0,
      currentLeader: { leaderId: 1, leaderEpoch: 1 },
      divergingEpoch: { epoch: -1 },
      snapshotId: { endOffset: -1 },
    })
    expect(partition?.records?.length).toBeGreaterThan(100)
  })

  it('brings one batch when controller.quorum.fetch.max.bytes allows no more', () => {
    const cluster = new RaftCluster({ seed: 1, voters: 1, observers: 1, fetchMaxBytes: 1 })
    cluster.start(cluster.node(1))
    cluster.append(cluster.node(1))
    cluster.world.runUntilIdle()
    const { log } = cluster.node(1)
    const { partition } = fetching(log, { fetchOffset: 0, lastFetchedEpoch: 0 }).value ?? {}
    const cursor = new BatchCursor(partition?.records ?? Buffer.alloc(0))
    const offsets: number[] = []
    while (cursor.next()) offsets.push(cursor.batch.baseOffset)
    expect(offsets).toEqual([0])
    expect(log.logEndOffset).toBe(2)
  })

  it.each([12, 15, 17])('names the topic as version %i does', (version) => {
    const { log } = leading().node(1)
    expect(fetching(log, {}, {}, version).value?.partition).toMatchObject({ errorCode: 0, highWatermark: 2 })
  })

  it.each([
    ['an old epoch', { currentLeaderEpoch: 0 }, ErrorCode.FENCED_LEADER_EPOCH],
    ['an epoch that is not yet', { currentLeaderEpoch: 2 }, ErrorCode.UNKNOWN_LEADER_EPOCH],
    ['no epoch', { currentLeaderEpoch: -1 }, ErrorCode.INVALID_REQUEST],
    ['a negative offset', { fetchOffset: -1 }, ErrorCode.INVALID_REQUEST],
  ])('with %s is refused, and told who leads', (_what, partition, error) => {
    const { log } = leading().node(1)
    expect(fetching(log, partition).value?.partition).toMatchObject({
      errorCode: error,
      currentLeader: { leaderId: 1, leaderEpoch: 1 },
    })
  })

  it('from a node that does not lead is refused, and told who leads', () => {
    const cluster = leading()
    cluster.start(cluster.node(2))
    cluster.world.advance(100)
    expect(fetching(cluster.node(2).log).value?.partition).toMatchObject({
      errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER,
      currentLeader: { leaderId: 1, leaderEpoch: 1 },
    })
  })

  it.each([
    ['of another cluster', { clusterId: 'other' }, ErrorCode.INCONSISTENT_CLUSTER_ID],
    ['of nothing', { topics: [] }, ErrorCode.INVALID_REQUEST],
    ['in a version without epochs', {}, ErrorCode.INVALID_REQUEST, 11],
  ])('%s is refused as a whole', (_what, more, error, version = 18) => {
    const partition = version < 12 ? { lastFetchedEpoch: -1 } : {}
    const asked = version < 12 ? {} : { clusterId: CLUSTER_ID, ...more }
    expect(fetching(leading().node(1).log, partition, asked, version).value).toMatchObject({
      errorCode: error,
      partition: undefined,
    })
  })

  it('is told where the logs part', () => {
    const { log } = leading().node(1)
    expect(fetching(log, { fetchOffset: 7 }).value?.partition).toMatchObject({
      errorCode: 0,
      divergingEpoch: { epoch: 1, endOffset: 2 },
    })
  })

  it('waits for records, at most its time', () => {
    const cluster = leading()
    const { log } = cluster.node(1)
    const first = fetching(log, { highWatermark: 2 }, { maxWaitMs: 500 })
    const second = fetching(log, { highWatermark: 2 }, { maxWaitMs: 100 })
    cluster.world.advance(99)
    expect([first.isDone, second.isDone]).toEqual([false, false])
    cluster.world.advance(1)
    expect(second.value?.partition).toMatchObject({ errorCode: 0, highWatermark: 2 })
    cluster.append(cluster.node(1))
    cluster.world.runUntilIdle()
    expect(first.value?.partition?.records?.length).toBeGreaterThan(50)
  })

  it('is answered at once when the replica does not know the high watermark yet (KIP-1166)', () => {
    const { log } = leading().node(1)
    expect(fetching(log, { highWatermark: 1 }, { maxWaitMs: 500 }).isDone).toBe(true)
    expect(fetching(log, { highWatermark: 2 }, { maxWaitMs: 500 }).isDone).toBe(false)
    expect(fetching(log, {}, { maxWaitMs: 500 }, 17).isDone).toBe(false)
  })

  it('that waits is told when the leader leads no more', () => {
    const cluster = leading()
    const waiting = fetching(cluster.node(1).log, { highWatermark: 2 }, { maxWaitMs: 500 })
    cluster.node(1).log.resign()
    cluster.world.runUntilIdle()
    expect(waiting.value?.partition).toMatchObject({ errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER })
  })

  it('names a snapshot when the log does not reach back to its offset', () => {
    const cluster = leading()
    cluster.snapshot(cluster.node(1))
    const { log } = cluster.node(1)
    expect(log.log.logStartOffset).toBe(2)
    expect(fetching(log, { fetchOffset: 0, lastFetchedEpoch: 0 }).value?.partition).toMatchObject({
      errorCode: 0,
      snapshotId: { endOffset: 2, epoch: 1 },
    })
    expect(fetching(log).value?.partition).toMatchObject({ snapshotId: { endOffset: -1 }, highWatermark: 2 })
  })
})

describe('a fetch of a snapshot', () => {
  const snapshotOf = (
    log: MetadataLog,
    asked: {
      position?: number
      maxBytes?: number
      epoch?: number
      endOffset?: number
      clusterId?: string
    } = {},
  ) => {
    const request = encodeRequest(FetchSnapshot, 1, {
      clusterId: asked.clusterId ?? CLUSTER_ID,
      replicaId: 2,
      maxBytes: asked.maxBytes ?? 1 << 20,
      topics: [
        {
          name: '__cluster_metadata',
          partitions: [
            {
              partition: 0,
              currentLeaderEpoch: asked.epoch ?? 1,
              snapshotId: { endOffset: asked.endOffset ?? 2, epoch: 1 },
              position: asked.position ?? 0,
            },
          ],
        },
      ],
    })
    const response = log.handleFetchSnapshot(decodeRequest(FetchSnapshot, 1, request))
    const decoded = decodeResponse(FetchSnapshot, 1, encodeResponse(FetchSnapshot, 1, response))
    return { errorCode: decoded.errorCode, partition: decoded.topics[0]?.partitions[0] }
  }

  const withSnapshot = (): MetadataLog => {
    const cluster = leading()
    cluster.snapshot(cluster.node(1))
    return cluster.node(1).log
  }

  it('brings it piece by piece', () => {
    const log = withSnapshot()
    const whole = snapshotOf(log).partition
    expect(whole?.unalignedRecords?.length).toBe(whole?.size)
    const pieces: Buffer[] = []
    for (let position = 0; position < (whole?.size ?? 0); ) {
      const piece = snapshotOf(log, { position, maxBytes: 50 }).partition
      expect(piece).toMatchObject({ errorCode: 0, position, size: whole?.size })
      pieces.push(piece?.unalignedRecords as Buffer)
      position += piece?.unalignedRecords?.length ?? Number.NaN
    }
    expect(Buffer.concat(pieces).equals(whole?.unalignedRecords as Buffer)).toBe(true)
  })

  it.each([
    ['that is not there', { endOffset: 1 }, ErrorCode.SNAPSHOT_NOT_FOUND],
    ['from behind its end', { position: 1 << 20 }, ErrorCode.POSITION_OUT_OF_RANGE],
    ['from before its beginning', { position: -1 }, ErrorCode.POSITION_OUT_OF_RANGE],
    ['in an old epoch', { epoch: 0 }, ErrorCode.FENCED_LEADER_EPOCH],
    ['in an epoch that is not yet', { epoch: 2 }, ErrorCode.UNKNOWN_LEADER_EPOCH],
  ])('%s is refused', (_what, asked, error) => {
    expect(snapshotOf(withSnapshot(), asked).partition).toMatchObject({ errorCode: error })
  })

  it('of another cluster is refused', () => {
    expect(snapshotOf(withSnapshot(), { clusterId: 'other' }).errorCode).toBe(
      ErrorCode.INCONSISTENT_CLUSTER_ID,
    )
  })
})

describe('a metadata log with one voter', () => {
  it('leads when start returns, in a new epoch after each restart', () => {
    const cluster = new RaftCluster({ seed: 1, voters: 1 })
    const [node] = cluster.nodes
    for (const epoch of [1, 2, 3]) {
      cluster.startAll()
      expect([node?.log.isLeader, node?.log.leaderEpoch, node?.log.highWatermark]).toEqual([
        true,
        epoch,
        epoch,
      ])
      if (node !== undefined) cluster.crash(node)
    }
  })

  it('has no timers', () => {
    const cluster = leading()
    const labels = cluster.world.scheduler.pending().map(({ label }) => label)
    expect(labels.filter((label) => /quorum|election|metadata/.test(label))).toEqual([])
  })

  it('commits within the turn of the append', () => {
    const cluster = leading()
    const offset = cluster.append(cluster.node(1)) as number
    expect(cluster.node(1).log.highWatermark).toBe(offset)
    cluster.world.reactor.runTurn()
    expect(cluster.node(1).log.highWatermark).toBe(offset + 1)
    expect(cluster.acknowledged.at(-1)?.offset).toBe(offset)
  })

  it('refuses appends once it is closed or has resigned', () => {
    const cluster = leading()
    const { log } = cluster.node(1)
    log.resign()
    expect(log.appendStateBatch(Buffer.alloc(0)).error).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    const other = leading().node(1).log
    other.close()
    expect(other.appendStateBatch(Buffer.alloc(0)).error).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
  })
})
