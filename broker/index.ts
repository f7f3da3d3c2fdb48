/**
 * kafkito: a Kafka cluster in this process.
 */
export { Cluster, type ClusterOptions, type ClusterWarning, startCluster } from './cluster.ts'
export { StartError, type StartErrorCode } from './start-error.ts'
