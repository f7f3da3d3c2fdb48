/**
 * What is known about a simulated cluster from outside of it: what was committed, what clients sent, what they were told, and what they read.
 * Owner: the simulation. The invariants compare the cluster with it.
 */
export interface PartitionId {
  readonly topic: string
  readonly topicId: string
  readonly index: number
}

export function keyOf({ topicId, index }: { readonly topicId: string; readonly index: number }): string {
  return `${topicId}-${index}`
}

/** A batch that was below a leader's high watermark once. */
export interface CommittedBatch {
  readonly baseOffset: number
  readonly nextOffset: number
  readonly leaderEpoch: number
  readonly crc: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly isTransactional: boolean
  /** 'commit' or 'abort' of a marker. */
  readonly control: 'commit' | 'abort' | 'other' | undefined
  /** Values of the records; undefined for topics that clients do not write to. */
  readonly values: readonly string[]
}

export interface CommittedLog extends PartitionId {
  readonly batches: CommittedBatch[]
  readonly byBaseOffset: Map<number, CommittedBatch>
  /** Offset to value, of data records. */
  readonly values: Map<number, string>
  /** Highest watermark that any leader had. */
  endOffset: number
  /** Acknowledged to a producer with acks=all: offset to value. */
  readonly acknowledged: Map<number, string>
}

export type SendState = 'pending' | 'acknowledged' | 'refused' | 'unknown'

/** A record that a producer made. Its value is unique. */
export interface SentRecord {
  readonly value: string
  readonly partition: string
  readonly acks: number
  /** The producer sends it again under the same sequence, so that it is there at most once. */
  readonly isIdempotent: boolean
  readonly transaction: SimTransaction | undefined
  state: SendState
}

export interface SimTransaction {
  readonly id: string
  readonly values: string[]
  /** Offsets that it commits for a group, by partition key. */
  outcome: 'open' | 'committed' | 'aborted' | 'unknown'
}

/** What a group was told to be its committed offset, at least. */
export interface CommittedOffset {
  readonly groupId: string
  readonly partition: string
  offset: number
}

export class Ledger {
  readonly logs = new Map<string, CommittedLog>()
  readonly sent = new Map<string, SentRecord>()
  readonly transactions: SimTransaction[] = []
  /** `epoch of partition` to the broker that leads in it. */
  readonly leaders = new Map<string, number>()
  /** `partition epoch of partition` to the state that had it. */
  readonly states = new Map<string, string>()
  readonly committedOffsets = new Map<string, CommittedOffset>()
  /** `generation of group and partition` to the member that owns it. */
  readonly owners = new Map<string, string>()
  /** Values that a `read_committed` reader got. */
  readonly readCommitted = new Set<string>()
  acknowledgedCount = 0
  readCount = 0

  log(partition: PartitionId): CommittedLog {
    const key = keyOf(partition)
    let log = this.logs.get(key)
    if (log === undefined) {
      const { topic, topicId, index } = partition
      log = {
        topic,
        topicId,
        index,
        batches: [],
        byBaseOffset: new Map(),
        values: new Map(),
        endOffset: 0,
        acknowledged: new Map(),
      }
      this.logs.set(key, log)
    }
    return log
  }

  add(log: CommittedLog, batch: CommittedBatch): void {
    log.batches.push(batch)
    log.byBaseOffset.set(batch.baseOffset, batch)
    batch.values.forEach((value, index) => {
      log.values.set(batch.baseOffset + index, value)
    })
  }
}
