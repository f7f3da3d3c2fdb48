/** The brokers that the client has to work with, down to Kafka 2.1. */

export interface OldVersion {
  /** These three as Maven knows them. */
  readonly kafka: string
  readonly scala: string
  readonly zookeeper: string
  readonly metadata: 'zookeeper' | 'kraft'
  /** Only in the long form. */
  readonly isLongOnly?: true
}

export const versions: readonly OldVersion[] = [
  // The oldest; without flexible versions (KIP-482), static members, incremental changes of configurations.
  { kafka: '2.1.1', scala: '2.12', zookeeper: '3.5.9', metadata: 'zookeeper' },
  // The last that many clusters with ZooKeeper stayed at; without topic ids in Fetch and Produce.
  { kafka: '2.8.2', scala: '2.13', zookeeper: '3.5.9', metadata: 'zookeeper' },
  { kafka: '3.3.2', scala: '2.13', zookeeper: '3.6.3', metadata: 'kraft', isLongOnly: true },
  // The last before KIP-848 and KIP-890.
  { kafka: '3.9.1', scala: '2.13', zookeeper: '3.8.4', metadata: 'kraft', isLongOnly: true },
]

/** Suites about what brokers of today answer, not about the client. */
export const suitesOfToday: readonly string[] = [
  'admin-flat-constants',
  'errors-of-coordinators',
  'errors-of-partitions',
]

/** What says most about a broker, without what is the client's own affair. */
export const shortSuites: readonly string[] = [
  'admin-configs',
  'admin-groups',
  'admin-records',
  'admin-replicas',
  'admin-topics',
  'admin-transactions',
  'admin-users',
  'consumer-assign',
  'consumer-group',
  'edge-cases',
  'kafkajs-facade',
  'local-effects',
  'producer',
  'transactions',
]
