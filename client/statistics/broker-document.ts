/** The part of the statistics document that every handle has: the client as a whole and its brokers. */
import type { ClientCore } from '../client-core.ts'
import type { Broker } from '../connections/broker.ts'

/** A partition that a broker leads, and what the producer has for it. */
export interface BrokerPartition {
  readonly topic: string
  readonly partition: number
  readonly nodeId: number
  /** Complete batches that wait. */
  readonly readyMessages: number
  readonly messagesInFlight: number
}

/** Top level without what only a producer or a consumer knows. */
export function commonStatistics(
  core: ClientCore,
  type: 'producer' | 'consumer',
  partitions: readonly BrokerPartition[] = [],
): Record<string, unknown> {
  const { clock } = core.runtime
  const nowMs = clock.monotonicMs()
  const totals = { tx: 0, tx_bytes: 0, rx: 0, rx_bytes: 0 }
  const brokers: Record<string, unknown> = {}
  for (const broker of core.pool.all()) {
    const { metrics } = broker
    totals.tx += metrics.tx
    totals.tx_bytes += metrics.txBytes
    totals.rx += metrics.rx
    totals.rx_bytes += metrics.rxBytes
    const isLogical = broker.source === 'logical'
    // A connection of its own to a broker that has another one already.
    const name = isLogical ? `${broker.name}/coordinator` : broker.name
    brokers[name] = brokerStatistics(broker, name, nowMs, isLogical ? [] : partitionsOf(broker, partitions))
  }
  return {
    name: core.name,
    client_id: core.config.get('client.id'),
    type,
    ts: Math.round(nowMs * 1000),
    time: Math.floor(clock.wallMs() / 1000),
    age: Math.round((nowMs - core.startedMs) * 1000),
    replyq: core.events.size,
    msg_cnt: 0,
    msg_size: 0,
    msg_max: 0,
    msg_size_max: 0,
    simple_cnt: 0,
    metadata_cache_cnt: core.metadata.cache.topicCount,
    ...totals,
    txmsgs: 0,
    txmsg_bytes: 0,
    rxmsgs: 0,
    rxmsg_bytes: 0,
    brokers,
  }
}

function partitionsOf(
  { nodeId }: Broker,
  partitions: readonly BrokerPartition[],
): readonly BrokerPartition[] {
  return nodeId < 0 ? [] : partitions.filter((partition) => partition.nodeId === nodeId)
}

/** Microseconds; -1 when there was nothing yet. */
function idleness(atMs: number | undefined, nowMs: number): number {
  return atMs === undefined ? -1 : Math.round((nowMs - atMs) * 1000)
}

function brokerStatistics(
  broker: Broker,
  name: string,
  nowMs: number,
  partitions: readonly BrokerPartition[],
): Record<string, unknown> {
  const { metrics } = broker
  const toppars = partitions.map(({ topic, partition }) => [`${topic}-${partition}`, { topic, partition }])
  return {
    name,
    nodeid: broker.nodeId,
    nodename: broker.nodeName,
    source: broker.source,
    state: broker.state,
    stateage: Math.round(broker.stateAgeMs * 1000),
    outbuf_cnt: broker.waitingCount,
    outbuf_msg_cnt: partitions.reduce((sum, { readyMessages }) => sum + readyMessages, 0),
    waitresp_cnt: broker.inFlightCount,
    waitresp_msg_cnt: partitions.reduce((sum, { messagesInFlight }) => sum + messagesInFlight, 0),
    tx: metrics.tx,
    txbytes: metrics.txBytes,
    txerrs: metrics.txErrors,
    txretries: metrics.txRetries,
    txidle: idleness(metrics.sentAtMs, nowMs),
    req_timeouts: metrics.requestTimeouts,
    rx: metrics.rx,
    rxbytes: metrics.rxBytes,
    rxerrs: metrics.rxErrors,
    rxcorriderrs: metrics.correlationErrors,
    rxpartial: 0,
    rxidle: idleness(metrics.receivedAtMs, nowMs),
    zbuf_grow: 0,
    buf_grow: 0,
    wakeups: 0,
    connects: metrics.connects,
    disconnects: metrics.disconnects,
    req: Object.fromEntries(metrics.requests),
    int_latency: metrics.intLatency.roll(),
    outbuf_latency: metrics.outbufLatency.roll(),
    rtt: metrics.rtt.roll(),
    throttle: metrics.throttle.roll(),
    toppars: Object.fromEntries(toppars),
  }
}
