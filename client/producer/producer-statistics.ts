/** The statistics document of a producer (part 13). */
import type { ClientCore } from '../client-core.ts'
import type { Config } from '../config/config.ts'
import { OFFSET_INVALID } from '../constants.ts'
import { type BrokerPartition, commonStatistics } from '../statistics/broker-document.ts'
import { Window } from '../statistics/window.ts'
import type { Accumulator, TopicQueue } from './accumulator.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { IdentitySource } from './producer-identity.ts'
import type { Sender } from './sender.ts'
import type { TransactionManager } from './transaction-manager.ts'

export interface ProducerStatisticsSources {
  readonly core: ClientCore
  readonly config: Config
  readonly accumulator: Accumulator
  readonly sender: Sender
  readonly identity: IdentitySource | undefined
  readonly transactions: TransactionManager | undefined
}

export function producerStatistics(sources: ProducerStatisticsSources): object {
  const { core, config, accumulator, identity, transactions } = sources
  const topics: Record<string, unknown> = {}
  let txMessages = 0
  let txBytes = 0
  let epochCount = 0
  for (const topic of accumulator.topics()) {
    topics[topic.name] = topicStatistics(topic, sources)
    for (const partition of topic.partitions) {
      txMessages += partition.txMessages
      txBytes += partition.txBytes
      epochCount += partition.epochCount
    }
  }
  return {
    ...commonStatistics(core, 'producer', brokerPartitions(accumulator)),
    msg_cnt: accumulator.messageCount,
    msg_size: accumulator.chargedBytes,
    msg_max: config.get('queue.buffering.max.messages'),
    msg_size_max: config.get('queue.buffering.max.kbytes') * 1024,
    txmsgs: txMessages,
    txmsg_bytes: txBytes,
    topics,
    ...(identity === undefined
      ? {}
      : {
          eos: {
            idemp_state: identity.stateName,
            idemp_stateage: Math.round(identity.stateAgeMs),
            txn_state: transactions?.transactionState ?? 'Init',
            txn_stateage: Math.round(transactions?.transactionStateAgeMs ?? 0),
            txn_may_enq: transactions?.transactionState === 'InTransaction',
            producer_id: identity.state?.producerId ?? -1,
            producer_epoch: identity.state?.producerEpoch ?? -1,
            epoch_cnt: epochCount,
          },
        }),
  }
}

function readyMessages(partition: PartitionQueue): number {
  return partition.sealed.reduce((sum, { recordCount }) => sum + recordCount, 0)
}

function inFlightMessages(partition: PartitionQueue): number {
  return partition.inFlight.reduce((sum, { recordCount }) => sum + recordCount, 0)
}

function brokerPartitions(accumulator: Accumulator): BrokerPartition[] {
  return [...accumulator.partitions()].map((partition) => ({
    topic: partition.topic,
    partition: partition.id,
    nodeId: partition.leaderId,
    readyMessages: readyMessages(partition),
    messagesInFlight: inFlightMessages(partition),
  }))
}

function topicStatistics(topic: TopicQueue, { core, sender }: ProducerStatisticsSources): object {
  const nowMs = core.runtime.clock.monotonicMs()
  const partitions: Record<string, object> = {}
  for (const partition of topic.partitions) partitions[partition.id] = partitionStatistics(partition)
  partitions[-1] = {
    ...withoutTraffic,
    msgq_cnt: topic.unassigned.length,
    msgq_bytes: topic.unassigned.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  }
  const empty = new Window()
  return {
    topic: topic.name,
    age: Math.round(nowMs - topic.createdMs),
    metadata_age: topic.info === undefined ? -1 : Math.round(nowMs - topic.info.updatedMs),
    batchsize: (sender.batchSize.get(topic.name) ?? empty).roll(),
    batchcnt: (sender.batchCount.get(topic.name) ?? empty).roll(),
    partitions,
  }
}

/** What stands where a producer has nothing to say: consuming, and messages whose partition is still to be chosen. */
const withoutTraffic = {
  partition: -1,
  broker: -1,
  leader: -1,
  desired: false,
  unknown: false,
  msgq_cnt: 0,
  msgq_bytes: 0,
  xmit_msgq_cnt: 0,
  xmit_msgq_bytes: 0,
  fetchq_cnt: 0,
  fetchq_size: 0,
  fetch_state: 'none',
  query_offset: OFFSET_INVALID,
  next_offset: OFFSET_INVALID,
  app_offset: OFFSET_INVALID,
  stored_offset: OFFSET_INVALID,
  stored_leader_epoch: -1,
  committed_offset: OFFSET_INVALID,
  committed_leader_epoch: -1,
  eof_offset: OFFSET_INVALID,
  lo_offset: OFFSET_INVALID,
  hi_offset: OFFSET_INVALID,
  ls_offset: OFFSET_INVALID,
  consumer_lag: -1,
  consumer_lag_stored: -1,
  leader_epoch: -1,
  txmsgs: 0,
  txbytes: 0,
  rxmsgs: 0,
  rxbytes: 0,
  msgs: 0,
  rx_ver_drops: 0,
  msgs_inflight: 0,
  next_ack_seq: 0,
  next_err_seq: 0,
  acked_msgid: 0,
}

function partitionStatistics(partition: PartitionQueue): object {
  return {
    ...withoutTraffic,
    partition: partition.id,
    broker: partition.leaderId,
    leader: partition.leaderId,
    unknown: partition.leaderId < 0,
    msgq_cnt: partition.open?.recordCount ?? 0,
    msgq_bytes: partition.open?.sizeBytes ?? 0,
    xmit_msgq_cnt: readyMessages(partition),
    xmit_msgq_bytes: partition.sealed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    leader_epoch: partition.leaderEpoch,
    txmsgs: partition.txMessages,
    txbytes: partition.txBytes,
    msgs: partition.txMessages,
    msgs_inflight: inFlightMessages(partition),
    next_ack_seq: partition.inFlight[0]?.baseSequence ?? partition.nextSequence,
    acked_msgid: partition.ackedMessages,
  }
}
