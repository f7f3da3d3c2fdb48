/**
 * The documented AdminClient. Surface only: each family of calls has a module of its own, and `AdminEngine` what they share.
 *
 * Calls go on by themselves; `poll` serves the callbacks of the handle (errors, statistics, log lines).
 */
import { ClientCore } from '../client-core.ts'
import type { ClientHooks } from '../client-hooks.ts'
import { readConfig } from '../config/read-config.ts'
import type { ClientConfig } from '../config/table.ts'
import { callLimits, type Timeout } from '../timeouts.ts'
import type { ClusterMetadata } from '../values/cluster-metadata.ts'
import { AdminEngine } from './admin-engine.ts'
import type { AdminOptions, AuthorizedOptions } from './admin-options.ts'
import { type DescribeClusterResult, describeCluster } from './cluster.ts'

export class AdminClient {
  readonly #engine: AdminEngine

  /**
   * @param extra overrides `conf`: `{ logger }`
   * @param hooks for tests: see `ClientHooks`
   */
  constructor(conf?: ClientConfig, extra?: ClientConfig, hooks: ClientHooks = {}) {
    const config = readConfig('admin', conf, extra)
    const core = new ClientCore(config, hooks, { onRoom: () => {}, onDown: () => {} })
    this.#engine = new AdminEngine(core)
  }

  // Topics and partitions

  // Cluster

  /** Brokers, and all topics or one. */
  listTopics(topic?: string | null, timeout?: Timeout): Promise<ClusterMetadata> {
    return this.#engine.core.listTopics(topic, timeout)
  }

  /** Brokers, controller, and with `includeAuthorizedOperations` what the caller may do. */
  async describeCluster(options?: AdminOptions & AuthorizedOptions): Promise<DescribeClusterResult> {
    return await describeCluster(this.#engine, options)
  }

  // Configurations

  // Access control

  // Groups

  // Users

  // The handle

  /** Serves queued callbacks; waits for the first one. @returns how many were served */
  async poll(timeout?: Timeout): Promise<number> {
    this.#engine.core.checkOpen()
    const { timeoutMs, signal } = callLimits(timeout)
    return await this.#engine.core.events.poll(timeoutMs, signal)
  }

  /** For PLAIN and SCRAM, from the next authentication on. */
  setSaslCredentials(username: string, password: string): void {
    this.#engine.core.setSaslCredentials(username, password)
  }

  /** Callbacks that wait for `poll`. */
  get length(): number {
    return this.#engine.core.events.size
  }

  len(): number {
    return this.length
  }

  /** Calls in progress fail with `_DESTROY`; what they asked for may still take effect. Idempotent. */
  async close(): Promise<void> {
    this.#engine.close()
    await Promise.resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
