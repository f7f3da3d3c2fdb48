/** The statistics document of a consumer (part 13). */
import { OFFSET_INVALID } from '../constants.ts'
import { type BrokerPartition, commonStatistics } from '../statistics/broker-document.ts'
import { Window } from '../statistics/window.ts'
import type { AssignedPartition } from './assigned-partition.ts'
import type { ConsumerEngine } from './consumer-engine.ts'

interface TopicEntry {
  readonly partitions: Record<string, object>
  readonly [field: string]: unknown
}

export function consumerStatistics<C>(engine: ConsumerEngine<C>): object {
  const { core, assignment, delivery, membership } = engine
  const { clock } = core.runtime
  const isReadCommitted = core.config.get('isolation.level') === 'read_committed'
  const topics: Record<string, TopicEntry> = {}
  const empty = new Window()
  const led: BrokerPartition[] = []
  for (const partition of assignment.all()) {
    const { topic, id } = partition
    const info = core.metadata.cache.topic(topic)
    const entry: TopicEntry = topics[topic] ?? {
      topic,
      age: Math.round(clock.monotonicMs() - partition.assignedAtMs),
      metadata_age: info === undefined ? -1 : Math.round(clock.monotonicMs() - info.updatedMs),
      batchsize: (engine.fetched.batchSize.get(topic) ?? empty).roll(),
      batchcnt: (engine.fetched.batchCount.get(topic) ?? empty).roll(),
      partitions: {},
    }
    topics[topic] = entry
    const leaderId = info?.partitions[id]?.leaderId ?? -1
    const nodeId = partition.preferredReplica?.nodeId ?? leaderId
    led.push({ topic, partition: id, nodeId, readyMessages: 0, messagesInFlight: 0 })
    entry.partitions[id] = {
      ...partitionStatistics(partition, isReadCommitted),
      leader: leaderId,
      broker: nodeId,
      leader_epoch: info?.partitions[id]?.leaderEpoch ?? -1,
    }
  }
  return {
    ...commonStatistics(core, 'consumer', led),
    replyq: core.events.size + delivery.bufferedMessages,
    rxmsgs: engine.fetched.messages,
    rxmsg_bytes: engine.fetched.bytes,
    topics,
    cgrp: {
      state: membership.stateName,
      stateage: Math.round(clock.monotonicMs() - engine.coordinator.stateSinceMs),
      join_state: membership.joinStateName,
      rebalance_age:
        membership.rebalanceCount === 0 ? 0 : Math.round(clock.monotonicMs() - membership.rebalancedAtMs),
      rebalance_cnt: membership.rebalanceCount,
      rebalance_reason: membership.rebalanceReason,
      assignment_size: assignment.size,
    },
  }
}

function partitionStatistics(partition: AssignedPartition, isReadCommitted: boolean): object {
  const end = partition.endOffset(isReadCommitted)
  const lag = (offset: number): number =>
    end === OFFSET_INVALID || offset < 0 ? -1 : Math.max(0, end - offset)
  return {
    partition: partition.id,
    desired: true,
    unknown: false,
    msgq_cnt: 0,
    msgq_bytes: 0,
    xmit_msgq_cnt: 0,
    xmit_msgq_bytes: 0,
    fetchq_cnt: partition.queuedMessages,
    fetchq_size: partition.queuedBytes,
    fetch_state: partition.state,
    query_offset: partition.lookup?.timestamp ?? OFFSET_INVALID,
    next_offset: partition.fetchOffset,
    app_offset: partition.appOffset,
    stored_offset: partition.storedOffset,
    stored_leader_epoch: partition.storedEpoch,
    committed_offset: partition.committed.offset,
    committed_leader_epoch: partition.committed.leaderEpoch,
    eof_offset: partition.eofOffset,
    lo_offset: partition.logStartOffset,
    hi_offset: partition.highWatermark,
    ls_offset: partition.lastStableOffset,
    consumer_lag: lag(Math.max(partition.appOffset, partition.committed.offset)),
    consumer_lag_stored: lag(partition.storedOffset),
    txmsgs: 0,
    txbytes: 0,
    rxmsgs: partition.rxMessages,
    rxbytes: partition.rxBytes,
    msgs: partition.rxMessages,
    rx_ver_drops: 0,
    msgs_inflight: 0,
    next_ack_seq: 0,
    next_err_seq: 0,
    acked_msgid: 0,
  }
}
