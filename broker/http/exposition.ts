/**
 * Metrics in the format of Prometheus, under the names that the usual JMX exporter rules give Kafka's own, so that dashboards made for
 * Kafka show something. Everything is read when it is scraped; nothing is kept between scrapes.
 */
import { Counter, Gauge, Registry } from 'prom-client'
import { apiByKey } from '../../common/protocol/registry.ts'
import type { RequestCounter, TopicCounters } from '../metrics/counters.ts'
import type { BrokerView, ClusterView } from './cluster-view.ts'
import { clusterSnapshot, groupShards } from './snapshots.ts'

const TOPIC_COUNTERS: readonly (readonly [field: keyof TopicCounters, name: string, help: string])[] = [
  ['messagesIn', 'messagesin', 'Records produced by clients'],
  ['bytesIn', 'bytesin', 'Bytes of record batches produced by clients'],
  ['bytesOut', 'bytesout', 'Bytes of record batches fetched by clients'],
  ['replicationBytesOut', 'replicationbytesout', 'Bytes fetched by followers'],
  ['totalProduceRequests', 'totalproducerequests', 'Appends asked for, by partition'],
  ['failedProduceRequests', 'failedproducerequests', 'Appends refused, by partition'],
  ['totalFetchRequests', 'totalfetchrequests', 'Reads asked for, by partition'],
  ['failedFetchRequests', 'failedfetchrequests', 'Reads refused, by partition'],
]

const REQUEST_COUNTERS: readonly (readonly [field: keyof RequestCounter, name: string, help: string])[] = [
  ['count', 'requests', 'Requests answered'],
  ['totalTimeMs', 'totaltimems', 'Milliseconds from arrival to answer'],
  ['requestBytes', 'requestbytes', 'Bytes of requests'],
  ['responseBytes', 'responsebytes', 'Bytes of responses'],
]

interface Exposition {
  readonly contentType: string
  metrics(): Promise<string>
}

export function createExposition(cluster: ClusterView): Exposition {
  const registry = new Registry()
  addTopicCounters(registry, cluster)
  addRequestCounters(registry, cluster)
  addConnections(registry, cluster)
  addReplicas(registry, cluster)
  addLogs(registry, cluster)
  addController(registry, cluster)
  addGroups(registry, cluster)
  addProcess(registry)
  return registry
}

type Labels = Readonly<Record<string, string | number>>
type Read = (set: (labels: Labels, value: number) => void) => void

interface Definition {
  readonly name: string
  readonly help: string
  readonly labelNames: readonly string[]
  readonly read: Read
}

function addGauge(registry: Registry, { name, help, labelNames, read }: Definition): void {
  new Gauge({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    collect() {
      this.reset()
      read((labels, value) => this.set(labels, value))
    },
  })
}

/** The library counts itself; here it is told the whole count anew at each scrape. */
function addCounter(registry: Registry, { name, help, labelNames, read }: Definition): void {
  new Counter({
    name: `${name}_total`,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    collect() {
      this.reset()
      read((labels, value) => this.inc(labels, value))
    },
  })
}

function eachBroker(cluster: ClusterView, visit: (broker: BrokerView, nodeId: number) => void): void {
  for (const broker of cluster.brokers) visit(broker, broker.nodeId)
}

function addTopicCounters(registry: Registry, cluster: ClusterView): void {
  for (const [field, name, help] of TOPIC_COUNTERS) {
    addCounter(registry, {
      name: `kafka_server_brokertopicmetrics_${name}`,
      help,
      labelNames: ['broker'],
      read: (set) =>
        eachBroker(cluster, ({ services }, broker) => set({ broker }, services.replicas.counters[field])),
    })
  }
}

function addRequestCounters(registry: Registry, cluster: ClusterView): void {
  const labelNames = ['broker', 'request']
  const readField =
    (field: keyof RequestCounter): Read =>
    (set) =>
      eachBroker(cluster, ({ services }, broker) => {
        for (const [apiKey, counter] of services.requestCounters.entries()) {
          set({ broker, request: apiByKey(apiKey)?.name ?? String(apiKey) }, counter[field])
        }
      })
  for (const [field, name, help] of REQUEST_COUNTERS) {
    addCounter(registry, {
      name: `kafka_network_requestmetrics_${name}`,
      help,
      labelNames,
      read: readField(field),
    })
  }
  addGauge(registry, {
    name: 'kafka_network_requestmetrics_totaltimems_max',
    help: 'The longest time from arrival to answer, in milliseconds',
    labelNames,
    read: readField('maxTimeMs'),
  })
}

function addConnections(registry: Registry, cluster: ClusterView): void {
  addGauge(registry, {
    name: 'kafka_server_socket_server_metrics_connection_count',
    help: 'Open connections of clients',
    labelNames: ['broker'],
    read: (set) => eachBroker(cluster, ({ connectionCount }, broker) => set({ broker }, connectionCount)),
  })
}

function addReplicas(registry: Registry, cluster: ClusterView): void {
  const labelNames = ['broker']
  const gauge = (name: string, help: string, count: (broker: BrokerView) => number): void =>
    addGauge(registry, {
      name: `kafka_server_replicamanager_${name}`,
      help,
      labelNames,
      read: (set) => eachBroker(cluster, (broker, nodeId) => set({ broker: nodeId }, count(broker))),
    })
  gauge('partitioncount', 'Replicas on the broker', ({ services }) => {
    let count = 0
    for (const _ of services.replicas.partitions()) count += 1
    return count
  })
  gauge('leadercount', 'Partitions the broker leads', ({ services }) => {
    let count = 0
    for (const { isLeader } of services.replicas.partitions()) if (isLeader) count += 1
    return count
  })
  gauge('underreplicatedpartitions', 'Led partitions with replicas that are not in sync', (broker) => {
    const { metadata } = broker.services
    let count = 0
    for (const { partitions } of metadata.topicsByName.values()) {
      for (const { leaderId, isr, replicas } of partitions) {
        if (leaderId === broker.nodeId && isr.length < replicas.length) count += 1
      }
    }
    return count
  })
}

function addLogs(registry: Registry, cluster: ClusterView): void {
  const labelNames = ['broker', 'topic', 'partition']
  const gauge = (name: string, help: string, field: 'sizeBytes' | 'logStartOffset' | 'logEndOffset'): void =>
    addGauge(registry, {
      name,
      help,
      labelNames,
      read: (set) =>
        eachBroker(cluster, ({ services }, broker) => {
          for (const { topic, index, log } of services.replicas.partitions()) {
            if (log !== undefined) set({ broker, topic, partition: index }, log[field])
          }
        }),
    })
  gauge('kafka_log_log_size', 'Bytes of a log', 'sizeBytes')
  gauge('kafka_log_log_logstartoffset', 'First offset of a log', 'logStartOffset')
  gauge('kafka_log_log_logendoffset', 'Offset of the next record of a log', 'logEndOffset')
}

function addController(registry: Registry, cluster: ClusterView): void {
  const gauge = (name: string, help: string, value: () => number): void =>
    addGauge(registry, {
      name: `kafka_controller_kafkacontroller_${name}`,
      help,
      labelNames: [],
      read: (set) => set({}, value()),
    })
  gauge('activebrokercount', 'Brokers that are not fenced', () => activeBrokers(cluster, true))
  gauge('fencedbrokercount', 'Brokers that are fenced', () => activeBrokers(cluster, false))
  gauge('globaltopiccount', 'Topics', () => clusterSnapshot(cluster).topicCount)
  gauge('globalpartitioncount', 'Partitions', () => clusterSnapshot(cluster).partitionCount)
  gauge(
    'offlinepartitionscount',
    'Partitions without a leader',
    () => clusterSnapshot(cluster).offlinePartitionCount,
  )
}

function activeBrokers(cluster: ClusterView, isActive: boolean): number {
  return clusterSnapshot(cluster).brokers.filter(({ isFenced }) => isFenced !== isActive).length
}

function addGroups(registry: Registry, cluster: ClusterView): void {
  addGauge(registry, {
    name: 'kafka_coordinator_group_groupmetadatamanager_numgroups',
    help: 'Groups by protocol and state',
    labelNames: ['type', 'state'],
    read: (set) => {
      const counts = new Map<string, { type: string; state: string; count: number }>()
      for (const { groups } of groupShards(cluster)) {
        for (const { type, state } of groups.values()) {
          const key = `${type}\n${state}`
          const known = counts.get(key)
          if (known === undefined) counts.set(key, { type, state, count: 1 })
          else known.count += 1
        }
      }
      for (const { type, state, count } of counts.values()) set({ type, state }, count)
    },
  })
}

function addProcess(registry: Registry): void {
  addGauge(registry, {
    name: 'process_resident_memory_bytes',
    help: 'Resident memory of the process',
    labelNames: [],
    read: (set) => set({}, process.memoryUsage.rss()),
  })
  addCounter(registry, {
    name: 'process_cpu_seconds',
    help: 'CPU time of the process',
    labelNames: [],
    read: (set) => {
      const { user, system } = process.cpuUsage()
      set({}, (user + system) / 1e6)
    },
  })
}
