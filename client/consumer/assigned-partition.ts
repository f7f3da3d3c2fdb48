/**
 * One partition that the consumer is assigned: where it stands, what is buffered, what is stored and committed. Data and
 * its simple rules; the fetcher, the position resolver and the commits work on it.
 *
 *     offset-query ─► offset-wait ─► validating ─► active          (stopped: no start can be found, waits for a seek)
 *      (committed?)   (ListOffsets)   (KIP-320)   (is fetched)
 *
 * `version` changes with every jump of the position: answers to questions of an older version are of no use.
 */
import {
  OFFSET_BEGINNING,
  OFFSET_END,
  OFFSET_INVALID,
  OFFSET_SPEC_EARLIEST,
  OFFSET_SPEC_LATEST,
  OFFSET_STORED,
  OFFSET_TAIL_BASE,
} from '../constants.ts'
import type { Message } from '../values/message.ts'
import { topicPartitionKey } from '../values/topic-partition.ts'
import type { FetchChunk } from './fetch-chunk.ts'

export type FetchState = 'offset-query' | 'offset-wait' | 'validating' | 'active' | 'stopped'

/** An offset with the epoch of the leader that wrote the record before it; -1 when not known. */
export interface Position {
  readonly offset: number
  readonly leaderEpoch: number
}

/** What ListOffsets is asked for a start. */
export interface StartLookup {
  /** `OFFSET_SPEC_EARLIEST`, `OFFSET_SPEC_LATEST`, or milliseconds. */
  readonly timestamp: number
  /** Records before what was found. */
  readonly tailCount: number
}

const NO_POSITION: Position = { offset: OFFSET_INVALID, leaderEpoch: -1 }

export class AssignedPartition {
  readonly topic: string
  readonly id: number
  readonly key: string
  state: FetchState = 'stopped'
  version = 0
  isPaused = false
  /** No longer assigned. */
  isRemoved = false
  /** A request about the position is in progress. */
  isResolving = false
  lookup: StartLookup | undefined
  /** Next offset to ask the broker for. */
  fetchOffset = OFFSET_INVALID
  fetchEpoch = -1
  /** Leader epoch for which the fetch position is known to be good. */
  validatedEpoch = -1
  /** Last returned offset + 1. */
  appOffset = OFFSET_INVALID
  appEpoch = -1
  /** What the next argument-less commit commits. */
  storedOffset = OFFSET_INVALID
  storedEpoch = -1
  storedMetadata: string | null = null
  committed: Position = NO_POSITION
  highWatermark = OFFSET_INVALID
  lastStableOffset = OFFSET_INVALID
  logStartOffset = OFFSET_INVALID
  /** End for which `_PARTITION_EOF` was told. */
  eofOffset = OFFSET_INVALID
  /** A follower in the consumer's rack that the leader named (KIP-392). */
  preferredReplica: { readonly nodeId: number; readonly untilMs: number } | undefined
  /** Monotonic time before which nothing is asked. */
  retryAtMs = 0
  /** The queue was full: monotonic time until which it is left alone, unless it drains. */
  heldUntilMs = 0
  maxBytes: number
  /** What waits for the application, in order: fetched records, and events between them. */
  readonly items: (FetchChunk | Message)[] = []
  queuedMessages = 0
  queuedBytes = 0
  /** Code of the last error about the position that was told; OFFSET_INVALID for none. */
  toldCode = OFFSET_INVALID
  /** Of the last `lag` event; -1 before the first. */
  toldLag = -1
  rxMessages = 0
  /** Monotonic. */
  assignedAtMs = 0
  rxBytes = 0

  constructor(topic: string, id: number, maxBytes: number) {
    this.topic = topic
    this.id = id
    this.key = topicPartitionKey(topic, id)
    this.maxBytes = maxBytes
  }

  /** Jumps to an absolute or logical offset. What is buffered must have been dropped. */
  startAt(offset: number, leaderEpoch: number): void {
    this.version++
    this.isResolving = false
    this.retryAtMs = 0
    this.heldUntilMs = 0
    this.lookup = undefined
    this.eofOffset = OFFSET_INVALID
    this.fetchOffset = OFFSET_INVALID
    this.fetchEpoch = -1
    if (offset >= 0) this.moveTo(offset, leaderEpoch)
    else if (offset === OFFSET_STORED || offset === OFFSET_INVALID) this.state = 'offset-query'
    else this.lookUp(lookupOf(offset))
  }

  /** Asks ListOffsets for the start. */
  lookUp(lookup: StartLookup): void {
    this.lookup = lookup
    this.state = 'offset-wait'
  }

  /** A known position; one with an epoch is validated before it is used (KIP-320). */
  moveTo(offset: number, leaderEpoch: number): void {
    this.fetchOffset = offset
    this.fetchEpoch = leaderEpoch
    this.validatedEpoch = -1
    this.state = leaderEpoch >= 0 ? 'validating' : 'active'
  }

  /** The end as this isolation level sees it; OFFSET_INVALID when not known. */
  endOffset(isReadCommitted: boolean): number {
    return isReadCommitted && this.lastStableOffset >= 0 ? this.lastStableOffset : this.highWatermark
  }

  /** What an argument-less commit would commit. */
  get hasOffsetToCommit(): boolean {
    return this.storedOffset >= 0 && this.storedOffset > this.committed.offset
  }
}

/** A logical offset that needs no group: beginning, end, or tail. */
function lookupOf(offset: number): StartLookup {
  if (offset === OFFSET_BEGINNING) return { timestamp: OFFSET_SPEC_EARLIEST, tailCount: 0 }
  return {
    timestamp: OFFSET_SPEC_LATEST,
    tailCount: offset <= OFFSET_TAIL_BASE ? OFFSET_TAIL_BASE - offset : 0,
  }
}

/** Whether `assign` and `seek` know what to do with it. */
export function isUsableOffset(offset: number): boolean {
  return (
    offset >= 0 ||
    offset === OFFSET_BEGINNING ||
    offset === OFFSET_END ||
    offset === OFFSET_STORED ||
    offset === OFFSET_INVALID ||
    offset <= OFFSET_TAIL_BASE
  )
}
