/** Deliberate bugs of the bundled client, for its own simulation: see `mutations.ts`. */
import type { Mutation } from './mutations.ts'

const QUEUE = 'client/producer/partition-queue.ts'
const OUTCOMES = 'client/producer/batch-outcomes.ts'
const TRANSACTIONS = 'client/producer/transaction-manager.ts'

export const CLIENT_MUTATIONS: readonly Mutation[] = [
  {
    name: 'a new producer epoch goes on with the old sequences',
    file: QUEUE,
    find: '    this.nextSequence = 0\n    this.needsNewEpoch = false',
    replace: '    this.needsNewEpoch = false',
  },
  {
    name: 'a batch that is tried again goes behind the others',
    file: QUEUE,
    find: '    this.sealed.sort((one, other) => one.order - other.order)\n',
    replace: '',
  },
  {
    name: 'what may be stored is sent again under another sequence',
    file: QUEUE,
    find: 'return batch.isPossiblyPersisted && batch.baseSequence >= 0 && !this.#isTransactional',
    replace: 'return batch.isPossiblyPersisted && batch.baseSequence < -1 && !this.#isTransactional',
  },
  {
    name: 'a message whose leader was deposed while it waited for replicas is called not stored',
    file: 'client/producer/produce-errors.ts',
    find: "[ErrorCode.NOT_LEADER_OR_FOLLOWER, rule('find-leader', 'acks=all', true)]",
    replace: "[ErrorCode.NOT_LEADER_OR_FOLLOWER, rule('find-leader', false, true)]",
  },
  {
    name: 'a connection that breaks counts as an acknowledgement',
    file: OUTCOMES,
    find: '    this.#act(partition, batch, error, rule, undefined)\n',
    replace:
      '    if (wasSent) this.acknowledged(partition, batch, undefined)\n    else this.#act(partition, batch, error, rule, undefined)\n',
  },
  {
    name: 'a message that is handed out counts as handled',
    file: 'client/consumer/consumer-engine.ts',
    find: 'if (this.storesOffsets) this.store(source, offset + 1',
    replace: 'this.store(source, offset + 1',
  },
  {
    name: 'an answer to a fetch of an earlier assignment is taken',
    file: 'client/consumer/fetch-outcomes.ts',
    find: 'if (partition.version !== version || partition.fetchOffset !== fetchOffset) return',
    replace: 'if (partition.version < version || partition.fetchOffset < -10 - fetchOffset) return',
  },
  {
    name: 'a member that leaves takes what it is assigned meanwhile',
    file: 'client/consumer/classic-membership.ts',
    find: '    this.#round++\n    if (this.#hooks.withdrawRebalance())',
    replace: '    if (this.#hooks.withdrawRebalance())',
  },
  {
    name: 'a transaction is committed before its messages are sent',
    file: TRANSACTIONS,
    find: '        await this.#hooks.flushAll(limits.signal)\n',
    replace: '',
  },
  {
    name: 'an aborted transaction leaves its messages to the next',
    file: TRANSACTIONS,
    find: '        await this.#hooks.discardAll()\n',
    replace: '',
  },
  {
    name: 'the timer of message lives outlives the producer',
    file: 'client/producer/expiry.ts',
    find: '  close(): void {\n    this.#timer?.cancel()\n',
    replace: '  close(): void {\n',
  },
]
