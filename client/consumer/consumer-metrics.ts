/** Counters and gauges of a consumer, for `metrics()`. */
import { commonMetrics, type Metric, metric } from '../statistics/metrics.ts'
import type { ConsumerEngine } from './consumer-engine.ts'

export function consumerMetrics<C>(engine: ConsumerEngine<C>): Metric[] {
  const { core, assignment, delivery, membership, fetched } = engine
  const isCommitted = core.config.get('isolation.level') === 'read_committed'
  const samples: { labels: Record<string, string>; value: number }[] = []
  for (const partition of assignment.all()) {
    const end = partition.endOffset(isCommitted)
    const position = Math.max(partition.appOffset, partition.committed.offset)
    if (end < 0 || position < 0) continue
    const labels = { topic: partition.topic, partition: `${partition.id}` }
    samples.push({ labels, value: Math.max(0, end - position) })
  }
  const { bufferedMessages } = delivery
  return [
    ...commonMetrics(core),
    { name: 'kafka_consumer_lag', type: 'gauge', help: 'Messages behind the position', samples },
    metric('kafka_consumer_buffered_messages', 'gauge', 'Fetched and not handed out', bufferedMessages),
    metric('kafka_consumer_fetched_total', 'counter', 'Messages fetched', fetched.messages),
    metric('kafka_consumer_fetched_bytes_total', 'counter', 'Bytes fetched', fetched.bytes),
    metric('kafka_consumer_rebalances_total', 'counter', 'Rebalances', membership.rebalanceCount),
  ]
}
