/** Counters and gauges of a producer, for `metrics()`. */
import { commonMetrics, type Metric, metric } from '../statistics/metrics.ts'
import type { ProducerEngine } from './producer-engine.ts'

export function producerMetrics({ core, accumulator, sends }: ProducerEngine): Metric[] {
  const { messageCount, chargedBytes } = accumulator
  let delivered = 0
  for (const partition of accumulator.partitions()) delivered += partition.ackedMessages
  return [
    ...commonMetrics(core),
    metric('kafka_producer_queue_messages', 'gauge', 'Messages not reported yet', messageCount),
    metric('kafka_producer_queue_bytes', 'gauge', 'Bytes of these messages', chargedBytes),
    metric('kafka_producer_sends_waiting', 'gauge', 'Messages that wait for room', sends.waitingCount),
    metric('kafka_producer_delivered_total', 'counter', 'Messages acknowledged', delivered),
  ]
}
