/**
 * The metadata log of a node that does not lead it: what it asks the leader for next, and what it does with the answer.
 *
 *     records           append as they are, on disk before the next fetch says so; follow the leader's watermark
 *     diverging epoch   cut the own log back to where the histories part (KIP-595), ask again
 *     snapshot          the leader's log begins later: take its snapshot in pieces, and go on behind it (KIP-630)
 *
 * Owner: the metadata log. Limits: a snapshot of at most 1 GiB; answers of at most as much as the settings of this node say.
 */
import type { Fetch, FetchResponse } from '../../common/protocol/apis/01-fetch.ts'
import type { FetchSnapshot, FetchSnapshotResponse } from '../../common/protocol/apis/59-fetch-snapshot.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { RequestInputOf } from '../../common/protocol/schema.ts'
import type { Trace } from '../../common/runtime/trace.ts'
import type { SnapshotId } from '../metadata/snapshot.ts'
import { METADATA_TOPIC } from '../topic-names.ts'
import type { CommitDelivery } from './commit-delivery.ts'
import { fetchedPartition } from './fetch-service.ts'
import type { LogFollowerHost, NextFetch, NextPiece } from './log-follower.ts'
import type { Quorum } from './quorum.ts'
import type { QuorumLimits } from './quorum-limits.ts'
import type { QuorumTimeouts } from './quorum-timeouts.ts'
import type { RaftLog } from './raft-log.ts'
import { METADATA_PARTITION, METADATA_TOPIC_ID } from './raft-messages.ts'

const MAX_SNAPSHOT_BYTES = 1 << 30

export interface FollowedLogOptions {
  readonly nodeId: number
  readonly clusterId: string
  readonly timeouts: QuorumTimeouts
  readonly limits: QuorumLimits
  readonly trace: Trace
  readonly quorum: Quorum
  readonly log: RaftLog
  readonly delivery: CommitDelivery
}

export class FollowedLog implements LogFollowerHost {
  readonly #options: FollowedLogOptions

  constructor(options: FollowedLogOptions) {
    this.#options = options
  }

  fetchRequest(): RequestInputOf<typeof Fetch> {
    const { nodeId, clusterId, timeouts, limits, quorum, log } = this.#options
    return {
      clusterId,
      replicaState: { replicaId: nodeId, replicaEpoch: -1 },
      maxWaitMs: timeouts.fetchMaxWaitMs,
      minBytes: 0,
      maxBytes: limits.fetchMaxBytes,
      topics: [
        {
          topic: METADATA_TOPIC,
          topicId: METADATA_TOPIC_ID,
          partitions: [
            {
              partition: METADATA_PARTITION,
              currentLeaderEpoch: quorum.epoch,
              fetchOffset: log.endOffset,
              lastFetchedEpoch: log.lastEpoch,
              partitionMaxBytes: limits.fetchMaxBytes,
              highWatermark: log.highWatermark,
            },
          ],
        },
      ],
    }
  }

  onFetched(response: FetchResponse, fromNodeId: number): NextFetch {
    const { quorum, log, delivery } = this.#options
    const answer = fetchedPartition(response)
    if (answer === undefined) {
      this.#warn(
        'quorum.fetch-refused',
        `node ${fromNodeId} refused a fetch with error ${response.errorCode}`,
      )
      return 'later'
    }
    quorum.learn(answer.currentLeader)
    if (answer.errorCode !== ErrorCode.NONE) {
      if (answer.errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER && fromNodeId === quorum.leaderId)
        quorum.loseLeader()
      return 'later'
    }
    if (fromNodeId !== quorum.leaderId) return 'later'
    quorum.noteFetched()
    const { divergingEpoch, snapshotId, records, highWatermark } = answer
    if (divergingEpoch.epoch >= 0) {
      log.truncateToDivergence(divergingEpoch)
      return log.log.isFailed ? this.#failed() : 'now'
    }
    if (snapshotId.endOffset >= 0) return { endOffset: snapshotId.endOffset, epoch: snapshotId.epoch }
    if (records !== null && records.length > 0) {
      const appended = log.log.appendAsFollower(records, quorum.epoch)
      if (appended.error === ErrorCode.KAFKA_STORAGE_ERROR) return this.#failed()
      if (appended.error !== ErrorCode.NONE) {
        this.#warn(
          'quorum.append-refused',
          `records of node ${fromNodeId} were refused: ${appended.errorMessage}`,
        )
        return 'later'
      }
      // The next fetch says that this is durable.
      if (log.sync() !== ErrorCode.NONE) return this.#failed()
    }
    if (highWatermark >= 0) delivery.advanceHighWatermark(highWatermark)
    return 'now'
  }

  snapshotRequest(id: SnapshotId, position: number): RequestInputOf<typeof FetchSnapshot> {
    const { nodeId, clusterId, limits, quorum } = this.#options
    const partition = {
      partition: METADATA_PARTITION,
      currentLeaderEpoch: quorum.epoch,
      snapshotId: { endOffset: id.endOffset, epoch: id.epoch },
      position,
    }
    return {
      clusterId,
      replicaId: nodeId,
      maxBytes: limits.fetchSnapshotMaxBytes,
      topics: [{ name: METADATA_TOPIC, partitions: [partition] }],
    }
  }

  onSnapshotPiece(response: FetchSnapshotResponse, id: SnapshotId, pieces: Buffer[]): NextPiece {
    const { quorum, log, delivery } = this.#options
    const answer = response.topics[0]?.partitions[0]
    if (answer === undefined) return 'later'
    quorum.learn(answer.currentLeader)
    if (answer.errorCode !== ErrorCode.NONE) return 'later'
    quorum.noteFetched()
    const received = pieces.reduce((sum, piece) => sum + piece.length, 0)
    const { unalignedRecords, size, position } = answer
    if (position !== received || unalignedRecords === null || size > MAX_SNAPSHOT_BYTES) return 'later'
    if (unalignedRecords.length === 0) return 'later'
    pieces.push(unalignedRecords)
    if (received + unalignedRecords.length < size) return 'more'
    const content = log.installSnapshot(id, Buffer.concat(pieces))
    if (content === undefined) return log.log.isFailed ? this.#failed() : 'later'
    delivery.restartFrom(content, id)
    return 'now'
  }

  #failed(): 'later' {
    this.#options.quorum.fail()
    return 'later'
  }

  #warn(kind: string, message: string): void {
    const { trace, nodeId } = this.#options
    trace.emit({ level: 'warn', kind, nodeId, message })
  }
}
