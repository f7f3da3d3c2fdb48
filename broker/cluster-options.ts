/** What a caller may say of the cluster to be started, and of brokers that are added to it later. */
import type { FileSystem } from '../common/runtime/files.ts'
import type { Runtime } from '../common/runtime/runtime.ts'
import type { ProfileName } from './config/profiles.ts'
import type { Interception } from './network/interception.ts'
import type { ReplicaHistory } from './replica/replica-history.ts'

export interface ClusterOptions {
  /** Number of brokers. Default 1. */
  readonly brokers?: number
  /**
   * Nodes beside the brokers that are controllers only; their ids follow those of the brokers. Default 0: the brokers are controllers too,
   * and cannot all be down at once without the cluster forgetting who may lead.
   */
  readonly controllers?: number
  /** `kill({ loseTail: true })` shall work: what was not flushed may be lost. Only in memory; costs a copy of every write. Default false. */
  readonly loseTail?: boolean
  /** Rules that replicas obeyed in earlier versions of Kafka; for lessons. */
  readonly replicaHistory?: ReplicaHistory
  /** Nodes that are down at first. */
  readonly down?: readonly number[]
  /** Port of the first broker; the others follow. Default 0: free ports. */
  readonly port?: number
  /** Address to listen on. Default 127.0.0.1. */
  readonly host?: string
  /** What clients are told to connect to. Default: `host`, or 127.0.0.1 when that means every address. */
  readonly advertisedHost?: string
  /** Directory of the data; absent: everything stays in memory, of which half of the machine's is taken at most. */
  readonly dataDir?: string
  /** `test` is quick where Kafka waits, `kafka` has Kafka's own settings. Default `test`. */
  readonly profile?: ProfileName
  /** Broker settings by Kafka's names. */
  readonly config?: ReadonlyMap<string, string> | Readonly<Record<string, string | number | boolean>>
  /** A busy port is an error. Default: the next free one is taken, unless `port` is 0 anyway. */
  readonly strictPorts?: boolean
  /** The world; for tests and simulations. Default: real time, files and sockets. */
  readonly runtime?: Runtime
  /** The file system of each node, in place of one that the cluster makes. */
  readonly files?: (nodeId: number) => FileSystem
  /** Port of each broker; 0 or none: a free one. Before `port`. */
  readonly ports?: readonly number[]
  /** `broker.rack` of each broker. */
  readonly racks?: readonly string[]
  /** Who stands between clients and handlers. */
  readonly interception?: Interception
}

/** One broker more. */
export interface AddBrokerOptions {
  /** Default: one more than the highest of the cluster. */
  readonly nodeId?: number
  /** Default: as of the brokers before it, a free one or the next. */
  readonly port?: number
  /** `broker.rack`. */
  readonly rack?: string
}
