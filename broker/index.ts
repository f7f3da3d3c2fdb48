/**
 * kafkito: a Kafka cluster in this process.
 */
export { Cluster, type ClusterOptions, startCluster } from './cluster.ts'
export type { ClusterWarning } from './cluster-warning.ts'
export { StartError, type StartErrorCode } from './start-error.ts'
