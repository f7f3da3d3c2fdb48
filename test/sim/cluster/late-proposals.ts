/**
 * An ISR proposal that arrives late: its leader has given up the connection and sent it again, and meanwhile the world has changed.
 *
 *     waiting ──a proposal that adds a replica──► set aside ──what it was made for is over──► arrives, and after a moment all is as before
 *
 * What changes meanwhile, so that the replica is not what the proposal takes it for:
 * - it falls behind and leaves the ISR again: only the partition epoch says so (KIP-497);
 * - it loses its tail and comes back as another incarnation, which may register but has not fetched: only its epoch says so (KIP-903).
 *
 * Owner: the harm. Invariant: a request is carried out once, and only by the life of the broker that it was sent to; nothing is intercepted
 * while none is waited for.
 */

import { type Answer, CLOSE_CONNECTION } from '../../../broker/api/handler.ts'
import type { PartitionImage } from '../../../broker/metadata/image.ts'
import type { InterceptedRequest, Interceptor } from '../../../broker/network/interception.ts'
import { Fetch, type FetchRequest } from '../../../common/protocol/apis/01-fetch.ts'
import {
  AlterPartition,
  type AlterPartitionRequest,
} from '../../../common/protocol/apis/56-alter-partition.ts'
import { Deferred } from '../../../common/runtime/deferred.ts'
import type { Random } from '../../../common/runtime/random.ts'
import type { SimCluster } from './sim-cluster.ts'
import type { SimNode } from './sim-node.ts'

/** How long a proposal is waited for, and how long it is held. */
const WAIT_LIMIT_MS = 4_000
const HOLD_LIMIT_MS = 6_000
/** Longest pause before the next is waited for. */
const PAUSE_MS = 1_500
const LOOK_MS = 5
/** How long the replica does not catch up after the proposal has arrived. */
const AFTERMATH_MS = 400

interface Late {
  readonly intercepted: InterceptedRequest
  readonly leaderId: number
  readonly replica: SimNode
  /** Of the replica's incarnation that the proposal is about. */
  readonly replicaEpoch: number
  readonly topicId: string
  readonly index: number
  /** Whether the replica dies meanwhile. */
  readonly isOfEarlierLife: boolean
}

export interface LateProposalsOptions {
  readonly cluster: SimCluster
  readonly random: Random
  /** Power loss of a broker that comes back at once. @returns false when it may not die now */
  readonly loseTail: (node: SimNode) => boolean
  /** A proposal was set aside. */
  readonly onHeld: () => void
}

export class LateProposals implements Interceptor {
  readonly #options: LateProposalsOptions
  #isOver = false
  #isWaiting = false
  #late: Late | undefined
  #hasArrived = false
  /** Fetches of the replica, which its leader does not come to. */
  readonly #fetches: Deferred<Answer<unknown>>[] = []

  constructor(options: LateProposalsOptions) {
    this.#options = options
  }

  /** Now and then, until it ends, the next proposal that adds a replica comes late. */
  begin(): void {
    this.#after(this.#options.random.int(PAUSE_MS), () => {
      if (this.#isOver) return
      this.#isWaiting = true
      this.#options.cluster.interception.interceptor = this
      this.#after(WAIT_LIMIT_MS, () => {
        if (this.#isWaiting) this.#release()
      })
    })
  }

  end(): void {
    this.#isOver = true
    this.#release()
  }

  /** All is as before. */
  #release(): void {
    this.#isWaiting = false
    this.#late = undefined
    this.#options.cluster.interception.interceptor = undefined
    if (!this.#isOver) this.begin()
    for (const fetch of this.#fetches.splice(0)) fetch.complete(CLOSE_CONNECTION)
  }

  intercept(intercepted: InterceptedRequest): Deferred<Answer<unknown>> {
    const { api, request } = intercepted
    if (api === AlterPartition && this.#isToGetLost(intercepted, request as AlterPartitionRequest))
      return Deferred.of<Answer<unknown>>(CLOSE_CONNECTION)
    if (api === Fetch && this.#isOfReplica(intercepted, request as FetchRequest)) {
      const answer = new Deferred<Answer<unknown>>()
      this.#fetches.push(answer)
      return answer
    }
    return intercepted.proceed()
  }

  #isToGetLost(intercepted: InterceptedRequest, request: AlterPartitionRequest): boolean {
    const late = this.#late
    // The proposal about an earlier life must not have been decided before that life is over.
    if (late !== undefined)
      return late.isOfEarlierLife && request.brokerId === late.leaderId && !this.#hasArrived
    if (!this.#isWaiting) return false
    for (const { topicId, partitions } of request.topics) {
      for (const { partitionIndex: index, newIsrWithEpochs } of partitions) {
        const isr = this.#stateOf(topicId, index)?.isr ?? []
        const added = newIsrWithEpochs.find(
          ({ brokerId }) => brokerId !== request.brokerId && !isr.includes(brokerId),
        )
        if (added === undefined) continue
        this.#hold(intercepted, {
          leaderId: request.brokerId,
          replica: this.#options.cluster.node(added.brokerId),
          replicaEpoch: added.brokerEpoch,
          topicId,
          index,
        })
        return true
      }
    }
    return false
  }

  #hold(intercepted: InterceptedRequest, of: Omit<Late, 'intercepted' | 'isOfEarlierLife'>): void {
    const { cluster, random, loseTail, onHeld } = this.#options
    this.#isWaiting = false
    this.#hasArrived = false
    const isOfEarlierLife = random.int(2) === 0 && loseTail(of.replica)
    const late = { ...of, intercepted, isOfEarlierLife }
    this.#late = late
    onHeld()
    cluster.events.add(
      `the proposal of ${of.leaderId} to add ${of.replica.nodeId} to partition ${of.index} comes late, ${isOfEarlierLife ? 'in its next life' : 'when it has fallen behind'}`,
    )
    this.#look(late, cluster.nowMs + HOLD_LIMIT_MS)
  }

  #look(late: Late, untilMs: number): void {
    this.#after(LOOK_MS, () => {
      if (this.#late !== late) return
      const { cluster, random } = this.#options
      if (!this.#isWrongByNow(late) && cluster.nowMs < untilMs) {
        this.#look(late, untilMs)
        return
      }
      this.#arrive(late)
      this.#after(random.int(AFTERMATH_MS), () => {
        if (this.#late === late) this.#release()
      })
    })
  }

  #isWrongByNow({ isOfEarlierLife, replica, replicaEpoch, topicId, index, intercepted }: Late): boolean {
    const { cluster } = this.#options
    if (!isOfEarlierLife) {
      const state = this.#stateOf(topicId, index)
      const proposed = (intercepted.request as AlterPartitionRequest).topics
        .find((topic) => topic.topicId === topicId)
        ?.partitions.find(({ partitionIndex }) => partitionIndex === index)
      return (
        state !== undefined &&
        state.partitionEpoch > (proposed?.partitionEpoch ?? 0) &&
        !state.isr.includes(replica.nodeId)
      )
    }
    const registered = cluster.image?.brokers.get(replica.nodeId)
    return registered !== undefined && registered.epoch > replicaEpoch && !registered.isFenced
  }

  #arrive({ intercepted, replica }: Late): void {
    const { cluster } = this.#options
    this.#hasArrived = true
    const { broker } = intercepted.context
    const isAlive = cluster.nodes.some((node) => node.state === 'running' && node.broker?.services === broker)
    cluster.events.add(
      `the proposal to add ${replica.nodeId} arrives${isAlive ? '' : ' nowhere: its receiver is gone'}`,
    )
    if (isAlive) intercepted.proceed()
  }

  #isOfReplica({ context }: InterceptedRequest, request: FetchRequest): boolean {
    const late = this.#late
    if (late === undefined || context.connection.listener.kind === 'controller') return false
    const replicaId = Math.max(request.replicaId, request.replicaState.replicaId)
    return replicaId === late.replica.nodeId && context.broker.nodeId === late.leaderId
  }

  #stateOf(topicId: string, index: number): PartitionImage | undefined {
    return this.#options.cluster.image?.topicsById.get(topicId)?.partitions[index]
  }

  #after(ms: number, task: () => void): void {
    this.#options.cluster.world.scheduler.schedule('late proposal', ms, task)
  }
}
