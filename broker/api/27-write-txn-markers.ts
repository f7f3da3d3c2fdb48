/**
 * Behaviour: ends transactions in partitions that this broker leads: appends a control batch to each, answers when they are committed, and
 *   tells the group coordinator, whose offsets of the transaction become visible or vanish.
 * Versions: v2 the transaction version: with 2 a marker must have a raised epoch (KIP-1228).
 * Errors: UNKNOWN_TOPIC_OR_PARTITION for partitions without a replica here; NOT_LEADER_OR_FOLLOWER; INVALID_PRODUCER_EPOCH;
 *   UNKNOWN_SERVER_ERROR for the whole request, of which nothing is done, when a marker for a partition here has producer id or epoch -1;
 *   TRANSACTION_COORDINATOR_FENCED; NOT_ENOUGH_REPLICAS, NOT_ENOUGH_REPLICAS_AFTER_APPEND; REQUEST_TIMED_OUT; KAFKA_STORAGE_ERROR.
 * Deviations: none.
 */
import { WriteTxnMarkers } from '../../common/protocol/apis/27-write-txn-markers.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { RequestOf } from '../../common/protocol/schema.ts'
import { NO_PRODUCER_EPOCH, NO_PRODUCER_ID } from '../../common/record/batch.ts'
import { buildEndTransactionMarkerBatch } from '../../common/record/control-record.ts'
import type { RequestContext } from '../network/request-context.ts'
import type { AppendEntry } from '../replica/replica-appender.ts'
import { OFFSETS_TOPIC } from '../topic-names.ts'
import { defineHandler } from './handler.ts'

type Marker = RequestOf<typeof WriteTxnMarkers>['markers'][number]

/** One partition of one marker and what became of it. */
interface Item {
  readonly partitionIndex: number
  errorCode: ErrorCode
}

function entryOf(
  { broker }: RequestContext,
  marker: Marker,
  topic: string,
  partitionIndex: number,
): AppendEntry | undefined {
  const partition = broker.replicas.partition(topic, partitionIndex)
  if (partition === undefined) return undefined
  const {
    producerId,
    producerEpoch,
    coordinatorEpoch,
    transactionResult: isCommit,
    transactionVersion,
  } = marker
  const timestamp = broker.runtime.clock.wallMs()
  return {
    partition,
    records: buildEndTransactionMarkerBatch({
      producerId,
      producerEpoch,
      coordinatorEpoch,
      isCommit,
      timestamp,
    }),
    transactionVersion,
    onAppended: (offset) => {
      if (topic !== OFFSETS_TOPIC) return
      broker.groups.service.onTransactionMarker(
        partitionIndex,
        { producerId, producerEpoch, isCommit },
        offset,
      )
    },
  }
}

function hasProducer({ producerId, producerEpoch }: Marker): boolean {
  return producerId !== NO_PRODUCER_ID && producerEpoch !== NO_PRODUCER_EPOCH
}

function hasPartitionHere({ broker }: RequestContext, marker: Marker): boolean {
  return marker.topics.some(({ name, partitionIndexes }) =>
    partitionIndexes.some((partitionIndex) => broker.replicas.partition(name, partitionIndex) !== undefined),
  )
}

function refuseMarkers(request: RequestOf<typeof WriteTxnMarkers>, error: ErrorCode) {
  return {
    markers: request.markers.map(({ producerId, topics }) => ({
      producerId,
      topics: topics.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map((partitionIndex) => ({ partitionIndex, errorCode: error })),
      })),
    })),
  }
}

export const writeTxnMarkers = defineHandler(WriteTxnMarkers, {
  versions: '1-2',
  runsOn: 'leader',
  handle: (context, request) => {
    if (request.markers.some((marker) => !hasProducer(marker) && hasPartitionHere(context, marker)))
      return refuseMarkers(request, ErrorCode.UNKNOWN_SERVER_ERROR)
    const open: Item[] = []
    const entries: AppendEntry[] = []
    const markers = request.markers.map((marker) => ({
      producerId: marker.producerId,
      topics: marker.topics.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map((partitionIndex): Item => {
          const entry = entryOf(context, marker, name, partitionIndex)
          const item: Item = { partitionIndex, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }
          if (entry !== undefined) {
            entries.push(entry)
            open.push(item)
          }
          return item
        }),
      })),
    }))
    const { broker } = context
    const timeoutMs = broker.settings.config.get('request.timeout.ms')
    return broker.replicas.append(entries, { acks: -1, timeoutMs, origin: 'coordinator' }).map((results) => {
      open.forEach((item, index) => {
        item.errorCode = results[index]?.error ?? ErrorCode.UNKNOWN_SERVER_ERROR
      })
      return { markers }
    })
  },
  refuse: refuseMarkers,
})
