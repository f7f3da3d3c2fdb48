/**
 * A reader of all partitions from their beginning, without a group: compares everything it gets with the ledger.
 */
import { Fetch } from '../../../common/protocol/apis/01-fetch.ts'
import { ErrorCode, errorName } from '../../../common/protocol/errors.ts'
import { BatchCursor } from '../../../common/record/batch.ts'
import { consumersSeeTheCommitted, nothingAbortedIsRead } from '../cluster/invariants.ts'
import { keyOf } from '../cluster/ledger.ts'
import { committedBatch } from '../cluster/observer.ts'
import { type KnownPartition, SimClient } from './sim-client.ts'

export type Isolation = 'read_uncommitted' | 'read_committed'

export interface FetchedRecords {
  readonly error: ErrorCode | undefined
  readonly nextOffset: number
  readonly records: readonly { readonly offset: number; readonly value: string }[]
}

/** Fetches once from one partition and checks what came. */
export function fetchOnce(
  client: SimClient,
  known: KnownPartition,
  options: { offset: number; isolation: Isolation; maxWaitMs: number },
  done: (fetched: FetchedRecords) => void,
): void {
  const { offset, isolation, maxWaitMs } = options
  const request = {
    maxWaitMs,
    minBytes: 1,
    maxBytes: 1 << 20,
    isolationLevel: isolation === 'read_committed' ? 1 : 0,
    topics: [
      {
        topicId: known.topicId,
        partitions: [
          {
            partition: known.index,
            currentLeaderEpoch: known.leaderEpoch,
            fetchOffset: offset,
            partitionMaxBytes: 1 << 16,
          },
        ],
      },
    ],
  }
  client.call(known.leaderId, Fetch, request, { version: 17 }).whenDone((answer) => {
    if (client.isClosed) return
    const partition = answer.ok ? answer.response.responses[0]?.partitions[0] : undefined
    if (partition === undefined || partition.errorCode !== ErrorCode.NONE) {
      done({ error: partition?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR, nextOffset: offset, records: [] })
      return
    }
    const aborted = (partition.abortedTransactions ?? [])
      .map(({ producerId, firstOffset }) => ({ producerId, firstOffset }))
      .sort((left, right) => left.firstOffset - right.firstOffset)
    const abortedNow = new Set<number>()
    const log = client.ledger.log(known)
    const records: { offset: number; value: string }[] = []
    let nextOffset = offset
    const cursor = new BatchCursor(partition.records ?? Buffer.alloc(0))
    while (cursor.next()) {
      const batch = committedBatch(cursor.batch, known.topic)
      while (aborted[0] !== undefined && aborted[0].firstOffset < batch.nextOffset) {
        abortedNow.add((aborted.shift() as { producerId: number }).producerId)
      }
      if (batch.control === 'abort') abortedNow.delete(batch.producerId)
      const isSkipped =
        isolation === 'read_committed' && batch.isTransactional && abortedNow.has(batch.producerId)
      batch.values.forEach((value, index) => {
        const recordOffset = batch.baseOffset + index
        if (recordOffset < offset) return
        consumersSeeTheCommitted(log, recordOffset, value)
        if (isSkipped) return
        if (isolation === 'read_committed') nothingAbortedIsRead(client.ledger.sent.get(value))
        records.push({ offset: recordOffset, value })
        client.ledger.readCount += 1
      })
      nextOffset = Math.max(nextOffset, batch.nextOffset)
    }
    done({ error: undefined, nextOffset, records })
  })
}

export class Reader extends SimClient {
  readonly #isolation: Isolation
  readonly #positions = new Map<string, number>()

  constructor(options: {
    name: string
    cluster: SimClient['cluster']
    ledger: SimClient['ledger']
    topics: readonly string[]
    isolation: Isolation
  }) {
    super(options)
    this.#isolation = options.isolation
  }

  /** Whether it has read all that is committed. */
  get isAtEnd(): boolean {
    return this.partitions.every(
      (known) => (this.#positions.get(keyOf(known)) ?? 0) >= this.ledger.log(known).endOffset,
    )
  }

  override start(): void {
    this.refresh(() => {
      for (const { topicId, index } of this.partitions) this.#read(topicId, index)
    })
  }

  #read(topicId: string, index: number): void {
    const known = this.partition(topicId, index)
    const again = (ms: number): void => this.later(ms, 'read', () => this.#read(topicId, index))
    if (known === undefined || known.leaderId < 0) {
      this.refresh(() => again(50))
      return
    }
    const key = keyOf(known)
    const offset = this.#positions.get(key) ?? 0
    fetchOnce(this, known, { offset, isolation: this.#isolation, maxWaitMs: 300 }, (fetched) => {
      if (fetched.error !== undefined) {
        this.event(`cannot read ${known.topic}-${index} at ${offset}: ${errorName(fetched.error)}`)
        this.refresh(() => again(30 + this.random.int(100)))
        return
      }
      this.#positions.set(key, fetched.nextOffset)
      if (fetched.records.length > 0) this.event(`read ${known.topic}-${index} to ${fetched.nextOffset}`)
      if (this.#isolation === 'read_committed')
        for (const { value } of fetched.records) this.ledger.readCommitted.add(value)
      again(this.random.int(20))
    })
  }
}
