/**
 * Brings ISR proposals of this broker's partitions to the controller (AlterPartition, KIP-497): many partitions in one request, one request
 * at a time, tried again until the controller has decided or the proposal is out of date.
 */
import { AlterPartition } from '../../common/protocol/apis/56-alter-partition.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { ResponseOf } from '../../common/protocol/schema.ts'
import type { SchedulerScope } from '../../common/runtime/scheduler.ts'
import type { ControllerClient } from '../peer/controller-client.ts'
import type { Partition } from './partition.ts'
import type { IsrAnswer, IsrProposal } from './partition-leadership.ts'

export interface IsrUpdaterOptions {
  readonly nodeId: number
  readonly scheduler: SchedulerScope
  readonly controller: ControllerClient
  /** -1 while this broker is not registered. */
  readonly brokerEpoch: () => number
}

const REQUEST_TIMEOUT_MS = 30_000
const RETRY_MS = 50

export class IsrUpdater {
  readonly #options: IsrUpdaterOptions
  readonly #waiting = new Map<Partition, IsrProposal>()
  #isInFlight = false

  constructor(options: IsrUpdaterOptions) {
    this.#options = options
  }

  propose(partition: Partition, proposal: IsrProposal): void {
    this.#waiting.set(partition, proposal)
    this.#sendLater(0)
  }

  /** A turn later, so that what many partitions propose in one turn goes together. */
  #sendLater(delayMs: number): void {
    const { scheduler, nodeId } = this.#options
    if (this.#isInFlight || this.#waiting.size === 0) return
    this.#isInFlight = true
    scheduler.schedule(`ISR changes of broker ${nodeId}`, delayMs, () => this.#send())
  }

  #send(): void {
    const sent = new Map(this.#waiting)
    this.#waiting.clear()
    const topics = new Map<string, { topicId: string; partitions: PartitionRequest[] }>()
    for (const [partition, proposal] of sent) {
      const topic = topics.get(partition.topicId) ?? { topicId: partition.topicId, partitions: [] }
      topic.partitions.push({
        partitionIndex: partition.index,
        leaderEpoch: proposal.leaderEpoch,
        newIsrWithEpochs: proposal.isr,
        leaderRecoveryState: proposal.leaderRecoveryState,
        partitionEpoch: proposal.partitionEpoch,
      })
      topics.set(partition.topicId, topic)
    }
    const { controller, nodeId, brokerEpoch } = this.#options
    const request = { brokerId: nodeId, brokerEpoch: brokerEpoch(), topics: [...topics.values()] }
    controller.call(AlterPartition, request, REQUEST_TIMEOUT_MS).whenDone((answer) => {
      this.#isInFlight = false
      const mustWait =
        answer.ok && answer.response.errorCode === ErrorCode.NONE
          ? this.#take(sent, answer.response)
          : this.#putBack(sent)
      this.#sendLater(mustWait ? RETRY_MS : 0)
    })
  }

  /** @returns whether some of it has to be tried again */
  #take(sent: ReadonlyMap<Partition, IsrProposal>, response: ResponseOf<typeof AlterPartition>): boolean {
    const answers = new Map<string, IsrAnswer>()
    for (const { topicId, partitions } of response.topics) {
      for (const { partitionIndex, errorCode, isr, leaderEpoch, partitionEpoch, leaderId } of partitions) {
        const answer: IsrAnswer =
          errorCode === ErrorCode.NONE
            ? { error: ErrorCode.NONE, isr, leaderEpoch, partitionEpoch, leaderId }
            : { error: errorCode }
        answers.set(`${topicId}-${partitionIndex}`, answer)
      }
    }
    let hasRetry = false
    for (const [partition, proposal] of sent) {
      const answer = answers.get(`${partition.topicId}-${partition.index}`) ?? {
        error: ErrorCode.UNKNOWN_SERVER_ERROR,
      }
      if (partition.onIsrAnswer(proposal, answer) === 'done') continue
      hasRetry = true
      if (!this.#waiting.has(partition)) this.#waiting.set(partition, proposal)
    }
    return hasRetry
  }

  #putBack(sent: ReadonlyMap<Partition, IsrProposal>): boolean {
    for (const [partition, proposal] of sent) {
      const isCurrent =
        partition.isLeader && partition.hasIsrProposal && partition.partitionEpoch === proposal.partitionEpoch
      if (isCurrent && !this.#waiting.has(partition)) this.#waiting.set(partition, proposal)
    }
    return true
  }
}

interface PartitionRequest {
  readonly partitionIndex: number
  readonly leaderEpoch: number
  readonly newIsrWithEpochs: readonly { readonly brokerId: number; readonly brokerEpoch: number }[]
  readonly leaderRecoveryState: 0 | 1
  readonly partitionEpoch: number
}
