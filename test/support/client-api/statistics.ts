/** Fields of the statistics document, by level. */
export const statisticsFields: Readonly<Record<string, string>> = {
  top: `name client_id type ts time age replyq msg_cnt msg_size msg_max msg_size_max simple_cnt metadata_cache_cnt tx tx_bytes
    rx rx_bytes txmsgs txmsg_bytes rxmsgs rxmsg_bytes brokers topics`,
  broker: `name nodeid nodename source state stateage outbuf_cnt outbuf_msg_cnt waitresp_cnt waitresp_msg_cnt tx txbytes txerrs
    txretries txidle req_timeouts rx rxbytes rxerrs rxcorriderrs rxpartial rxidle req zbuf_grow buf_grow wakeups connects
    disconnects int_latency outbuf_latency rtt throttle toppars`,
  window: 'min max avg sum cnt stddev hdrsize p50 p75 p90 p95 p99 p99_99 outofrange',
  topic: 'topic age metadata_age batchsize batchcnt partitions',
  partition: `partition broker leader desired unknown msgq_cnt msgq_bytes xmit_msgq_cnt xmit_msgq_bytes fetchq_cnt fetchq_size
    fetch_state query_offset next_offset app_offset stored_offset stored_leader_epoch committed_offset committed_leader_epoch
    eof_offset lo_offset hi_offset ls_offset consumer_lag consumer_lag_stored leader_epoch txmsgs txbytes rxmsgs rxbytes msgs
    rx_ver_drops msgs_inflight next_ack_seq next_err_seq acked_msgid`,
  cgrp: 'state stateage join_state rebalance_age rebalance_cnt rebalance_reason assignment_size',
  eos: 'idemp_state idemp_stateage txn_state txn_stateage txn_may_enq producer_id producer_epoch epoch_cnt',
}

export function fieldsOf(level: string): readonly string[] {
  return statisticsFields[level]?.split(/\s+/) ?? []
}
