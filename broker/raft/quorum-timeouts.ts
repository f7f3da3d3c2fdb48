/**
 * How long the voters of the metadata quorum wait for each other, in milliseconds. The defaults are Kafka's.
 */
import type { Random } from '../../common/runtime/random.ts'

export interface QuorumTimeouts {
  /** `controller.quorum.election.timeout.ms`: without a leader for this long, and up to twice as long, a voter campaigns. */
  readonly electionTimeoutMs: number
  /** `controller.quorum.fetch.timeout.ms`: a follower that cannot fetch for this long gives its leader up. */
  readonly fetchTimeoutMs: number
  /** `controller.quorum.election.backoff.max.ms`: longest pause after a lost election. */
  readonly electionBackoffMaxMs: number
  /** `controller.quorum.request.timeout.ms` */
  readonly requestTimeoutMs: number
  /** `controller.quorum.retry.backoff.ms`: first pause before a request that failed is sent again; it grows. */
  readonly retryBackoffMs: number
  /** How long a leader keeps a Fetch that has nothing to bring. */
  readonly fetchMaxWaitMs: number
}

export const DEFAULT_QUORUM_TIMEOUTS: QuorumTimeouts = {
  electionTimeoutMs: 1000,
  fetchTimeoutMs: 2000,
  electionBackoffMaxMs: 1000,
  requestTimeoutMs: 2000,
  retryBackoffMs: 20,
  fetchMaxWaitMs: 500,
}

/** A leader that less than a majority fetched from for this many fetch time-outs resigns (KAFKA-15489). */
export const CHECK_QUORUM_FACTOR = 1.5

const LONGEST_RETRY_MS = 160

const LOST_ELECTION_BACKOFF_MS = 50

/** The pause before attempt `attempt` (1 is the first repetition) of a request that failed. */
export function retryDelayMs({ retryBackoffMs }: QuorumTimeouts, attempt: number): number {
  return Math.max(retryBackoffMs, Math.min(LONGEST_RETRY_MS, retryBackoffMs * 2 ** Math.min(attempt - 1, 10)))
}

/** Of a node that waits for another's election or for the end of its own: between one and two times `electionTimeoutMs`. */
export function electionTimeoutMs({ electionTimeoutMs: shortestMs }: QuorumTimeouts, random: Random): number {
  return shortestMs + random.float() * shortestMs
}

/**
 * When a node campaigns whose leader resigned and named successors, this one at `place` of them: the first at once, the others only
 * if those before them did not. @returns undefined when it is not named, and waits as after any other loss of a leader
 */
export function successionDelayMs(
  { electionBackoffMaxMs }: QuorumTimeouts,
  random: Random,
  place: number,
): number | undefined {
  if (place < 0) return undefined
  if (place === 0) return 0
  return (
    random.int(LOST_ELECTION_BACKOFF_MS) +
    Math.min(electionBackoffMaxMs, LOST_ELECTION_BACKOFF_MS * 2 ** place)
  )
}

/** When a candidate that was refused tries again; `lostElections` in a row. */
export function lostElectionDelayMs(
  { electionBackoffMaxMs }: QuorumTimeouts,
  random: Random,
  lostElections: number,
): number {
  const longestMs = Math.min(
    electionBackoffMaxMs,
    LOST_ELECTION_BACKOFF_MS * 2 ** Math.min(lostElections, 16),
  )
  return random.float() * longestMs
}
