/** One broker as the leader of assigned partitions. Owned by the `ShareFetcher`. */
import type { KafkaError } from '../errors.ts'
import type { Acknowledgements } from './in-flight-batch.ts'
import { ShareSession } from './share-session.ts'

/** Verdicts and who waits for their fate. */
export interface PendingAcknowledgements {
  readonly acknowledgements: Acknowledgements
  readonly done: (error: KafkaError | null) => void
}

export class ShareNode {
  readonly nodeId: number
  readonly session = new ShareSession()
  /** Verdicts for the next request. */
  pending: PendingAcknowledgements[] = []
  isInFlight = false
  /** Monotonic time before which nothing is fetched after a failure. */
  retryAtMs = 0
  /** Ends the session with the next request. */
  ended: (() => void) | undefined

  constructor(nodeId: number) {
    this.nodeId = nodeId
  }

  takePending(): PendingAcknowledgements[] {
    const { pending } = this
    this.pending = []
    return pending
  }
}

export function settle(pending: readonly PendingAcknowledgements[], error: KafkaError | null): void {
  for (const { done } of pending) done(error)
}
