/** What a broker is made from; its parts take theirs from the same. Owner: the node that makes the broker. */
import type { Runtime } from '../common/runtime/runtime.ts'
import type { SchedulerScope } from '../common/runtime/scheduler.ts'
import type { Address, Transport } from '../common/runtime/transport.ts'
import type { BrokerConfig } from './config/broker-config.ts'
import type { EndPoint } from './config/listeners.ts'
import type { Interception } from './network/interception.ts'
import type { ReplicaHistory } from './replica/replica-history.ts'

export interface BrokerOptions {
  readonly nodeId: number
  readonly clusterId: string
  /** The ports of this broker's machine; its timers are those of `scheduler`. */
  readonly runtime: Runtime
  readonly scheduler: SchedulerScope
  /** Carries what nodes of the cluster say to each other's controllers. */
  readonly internalTransport: Transport
  readonly config: BrokerConfig
  readonly logDirectories: readonly string[]
  /** Where clients connect; port 0 takes a free one. */
  readonly listeners: readonly EndPoint[]
  /** What clients are told; the port of a listener that took a free one is filled in. */
  readonly advertisedListeners: readonly EndPoint[]
  /** All nodes of the cluster start now; false when this one comes back to others that went on. */
  readonly isWholeClusterNew: boolean
  /** Who votes in the metadata quorum. */
  readonly voters: readonly number[]
  /** false: a controller only, that registers as no broker, has no replicas and no listeners for clients. */
  readonly servesClients: boolean
  readonly replicaHistory?: ReplicaHistory
  /** How many ports after a busy one may be tried. */
  readonly alternativePorts: number
  /** Where a node's controller listens. */
  readonly controllerAddressOf: (nodeId: number) => Address | undefined
  /** Who stands between clients and handlers, if anybody. */
  readonly interception?: Interception
}
