/**
 * What the HTTP interface may do to a cluster: what an operator does to processes and cables, not what Kafka's own requests do. `Cluster`
 * fits it as it is.
 */
import type { Scheduler } from '../../common/runtime/scheduler.ts'

export interface ControlledNode {
  readonly nodeId: number
  /** `down`, `starting`, `running`, `frozen` or `stopping`. */
  readonly state: string
  readonly advertisedAddresses: ReadonlyMap<string, { readonly host: string; readonly port: number }>
  start(): Promise<void>
  stop(): Promise<void>
  kill(options: { readonly loseTail?: boolean }): void
  freeze(): void
  thaw(): void
}

export interface ControlledCluster {
  readonly nodes: readonly ControlledNode[]
  /** Why nodes that start wait; undefined when a majority of the voters is up. */
  readonly lackOfQuorum: string | undefined
  readonly runtime: { readonly scheduler: Pick<Scheduler, 'schedule'> }
  addBroker(options: { readonly rack?: string; readonly port?: number }): Promise<ControlledNode>
  removeBroker(nodeId: number): Promise<void>
  isolate(nodeId: number, options: { readonly way?: IsolationWay }): void
  heal(nodeId: number): void
}

/** What does not pass any more: `out` what the broker says, `in` what others say to it. */
export type IsolationWay = 'both' | 'in' | 'out'
