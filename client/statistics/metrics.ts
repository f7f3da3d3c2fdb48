/** `metrics()`: counters and gauges to be pulled at any time, beside the `stats_cb` document. Reading changes nothing. */
import type { ClientCore } from '../client-core.ts'

export interface Metric {
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  readonly samples: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]
}

/** One metric without labels of its own. */
export function metric(name: string, type: Metric['type'], help: string, value: number): Metric {
  return { name, type, help, samples: [{ labels: {}, value }] }
}

/** What every handle can tell. */
export function commonMetrics(core: ClientCore): Metric[] {
  const brokers = [...core.pool.all()]
  const perBroker = (
    name: string,
    help: string,
    read: (broker: (typeof brokers)[number]) => number,
  ): Metric => ({
    name,
    type: 'counter',
    help,
    samples: brokers.map((broker) => ({
      labels: { broker: broker.name, source: broker.source },
      value: read(broker),
    })),
  })
  return [
    metric(
      'kafka_client_connections',
      'gauge',
      'Connections that are up',
      brokers.filter(({ isUp }) => isUp).length,
    ),
    metric('kafka_client_events_queued', 'gauge', 'Callbacks that wait to be served', core.events.size),
    perBroker('kafka_client_requests_total', 'Requests sent', ({ metrics }) => metrics.tx),
    perBroker(
      'kafka_client_request_timeouts_total',
      'Requests timed out',
      ({ metrics }) => metrics.requestTimeouts,
    ),
    perBroker('kafka_client_sent_bytes_total', 'Bytes sent', ({ metrics }) => metrics.txBytes),
    perBroker('kafka_client_received_bytes_total', 'Bytes received', ({ metrics }) => metrics.rxBytes),
    perBroker('kafka_client_connects_total', 'Connections tried', ({ metrics }) => metrics.connects),
    perBroker('kafka_client_disconnects_total', 'Connections lost', ({ metrics }) => metrics.disconnects),
  ]
}

/** The text format of Prometheus. @param labels added to every sample */
export function prometheusText(
  metrics: readonly Metric[],
  labels: Readonly<Record<string, string>> = {},
): string {
  const lines: string[] = []
  for (const { name, type, help, samples } of metrics) {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)
    for (const sample of samples) {
      const pairs = Object.entries({ ...labels, ...sample.labels })
      const text = pairs.map(([key, value]) => `${key}="${escaped(value)}"`).join()
      lines.push(`${name}${text === '' ? '' : `{${text}}`} ${sample.value}`)
    }
  }
  return `${lines.join('\n')}\n`
}

function escaped(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')
}
