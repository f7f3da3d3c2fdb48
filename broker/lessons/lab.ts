/**
 * The clusters of a lesson, in virtual time, and requests to them that may wait for long.
 *
 * Owner: the stage. Invariants: everything goes through the cluster's public face and the protocol; nothing waits for real time, so that
 * the same commands print the same lines.
 */
import { FindCoordinator } from '../../common/protocol/apis/10-find-coordinator.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { ApiSchema, RequestInputOf, ResponseOf } from '../../common/protocol/schema.ts'
import type { TraceEvent } from '../../common/runtime/trace.ts'
import { KafkaError } from '../testing/kafka-error.ts'
import type { StartOptions } from '../testing/options.ts'
import type { PendingCall } from '../testing/pending-call.ts'
import type { ReplicatedPartition } from '../testing/replica-view.ts'
import { startCluster } from '../testing/start-cluster.ts'
import type { TestCluster } from '../testing/test-cluster.ts'
import { LessonError } from './lesson.ts'

/** How often what must come by itself (a coordinator that loads) is looked for. */
const MAX_TRIES = 200
const PATIENCE_MS = 100

interface Waiting {
  /** The lines to print, once there is something to say. */
  readonly check: () => readonly string[] | undefined
}

export class Lab {
  /** What replicas did since the last command. */
  readonly events: TraceEvent[] = []
  readonly #clusters: TestCluster[] = []
  readonly #calls: PendingCall<unknown>[] = []
  #waiting: Waiting[] = []
  #cluster: TestCluster | undefined

  /** @throws LessonError before `cluster` */
  get cluster(): TestCluster {
    if (this.#cluster === undefined) throw new LessonError('Begin with the command "cluster".')
    return this.#cluster
  }

  async start(options: StartOptions): Promise<void> {
    this.take(await startCluster({ ...options, clock: 'virtual', profile: 'kafka', journal: false }))
  }

  /** From now on commands are about this cluster. */
  take(cluster: TestCluster): void {
    this.#clusters.push(cluster)
    this.#cluster = cluster
    cluster.runtime.trace.listen((event) => this.events.push(event), 'debug')
  }

  async close(): Promise<void> {
    for (const call of this.#calls.splice(0)) call.close()
    for (const cluster of this.#clusters.splice(0)) {
      cluster.faults.reset()
      // Nobody looks at how it ends, and a lesson may leave it without a controller to hand over to.
      cluster.kill()
    }
  }

  // --- requests ----------------------------------------------------------------------------------------------------

  /** Sends and lets it arrive; it may still wait for its answer then. */
  async send<A extends ApiSchema>(
    nodeId: number,
    api: A,
    request: RequestInputOf<A>,
    options: { readonly version?: number; readonly clientId?: string } = {},
  ): Promise<PendingCall<ResponseOf<A>>> {
    const call = this.cluster.ask(nodeId, api, request, options)
    this.#calls.push(call)
    await this.cluster.clock.settle()
    return call
  }

  /** Sends and lets time pass until it is answered. @throws LessonError when it never is */
  async call<A extends ApiSchema>(
    nodeId: number,
    api: A,
    request: RequestInputOf<A>,
    options: { readonly version?: number; readonly clientId?: string } = {},
  ): Promise<ResponseOf<A>> {
    const call = await this.send(nodeId, api, request, options)
    for (let tries = 0; call.outcome === undefined && tries < MAX_TRIES; tries++)
      await this.cluster.clock.advance(PATIENCE_MS)
    const { outcome } = call
    if (outcome === undefined || 'failure' in outcome)
      throw new LessonError(`${api.name} was not answered by broker ${nodeId}.`)
    return outcome.response
  }

  /** Prints lines as soon as there are any: now, or after a later command. */
  whenever(check: Waiting['check']): void {
    this.#waiting.push({ check })
  }

  /** What can be said now that could not before. */
  news(): string[] {
    const lines: string[] = []
    this.#waiting = this.#waiting.filter(({ check }) => {
      const said = check()
      if (said !== undefined) lines.push(...said)
      return said === undefined
    })
    return lines
  }

  /** `t-1 `, or nothing when the topic has one partition. */
  placeText(topic: string, partition: number): string {
    return this.partitionCount(topic) > 1 ? `${topic}-${partition} ` : ''
  }

  // --- the cluster -------------------------------------------------------------------------------------------------

  partition(topic: string, index = 0): ReplicatedPartition {
    return this.cluster.replicas(topic, index)
  }

  /** @throws LessonError when there is no such topic */
  partitionCount(topic: string): number {
    for (let count = 0; ; count++) {
      try {
        this.cluster.replicas(topic, count)
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        if (count === 0) throw new LessonError(`There is no topic ${topic}.`)
        return count
      }
    }
  }

  /** @throws LessonError when nobody leads */
  leaderOf(topic: string, index = 0): number {
    const { leader } = this.partition(topic, index)
    if (leader < 0) throw new LessonError(`${topic}-${index} has no leader.`)
    return leader
  }

  /** A broker that runs. */
  anyBroker(): number {
    const found = this.cluster.nodes.find(({ state, role }) => state === 'running' && role !== 'controller')
    if (found === undefined) throw new LessonError('No broker runs.')
    return found.nodeId
  }

  /** The coordinator of a group or a transactional id, once there is one. */
  async coordinatorOf(keyType: 0 | 1, key: string): Promise<number> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const { coordinators } = await this.call(this.anyBroker(), FindCoordinator, {
        keyType,
        coordinatorKeys: [key],
      })
      const [found] = coordinators
      if (found?.errorCode === ErrorCode.NONE) return found.nodeId
      await this.cluster.clock.advance(PATIENCE_MS)
    }
    throw new LessonError(`"${key}" has no coordinator.`)
  }
}
