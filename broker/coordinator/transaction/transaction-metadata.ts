/**
 * One transactional id as the coordinator knows it, and the steps it may take (KIP-98, KIP-360, KIP-890).
 *
 *     Empty ──► Ongoing ──► PrepareCommit ──► CompleteCommit ──┐
 *       ▲  └────┐  │                                           ├──► Ongoing, Empty
 *       │       ▼  ▼                                           │
 *       │     PrepareAbort ──► CompleteAbort ──────────────────┘
 *
 * Values are immutable; a step makes another value. Dead and PrepareEpochFence are names of Kafka that never lie in a log.
 */
export const TransactionState = {
  EMPTY: 0,
  ONGOING: 1,
  PREPARE_COMMIT: 2,
  PREPARE_ABORT: 3,
  COMPLETE_COMMIT: 4,
  COMPLETE_ABORT: 5,
  DEAD: 6,
  PREPARE_EPOCH_FENCE: 7,
} as const
export type TransactionState = (typeof TransactionState)[keyof typeof TransactionState]

/** As clients see them, by id. */
const STATE_NAMES = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
] as const
export type TransactionStateName = (typeof STATE_NAMES)[number]

export function stateName(state: TransactionState): TransactionStateName {
  return STATE_NAMES[state]
}

/** @returns undefined for a name that no state has (names are case-sensitive) */
export function stateOfName(name: string): TransactionState | undefined {
  const id = (STATE_NAMES as readonly string[]).indexOf(name)
  return id < 0 ? undefined : (id as TransactionState)
}

export function isTransactionState(id: number): id is TransactionState {
  return id >= TransactionState.EMPTY && id <= TransactionState.PREPARE_EPOCH_FENCE
}

/** topic -> partitions */
export type TransactionPartitions = ReadonlyMap<string, ReadonlySet<number>>

export const NO_PARTITIONS: TransactionPartitions = new Map()
export const NO_PRODUCER_ID = -1
export const NO_PRODUCER_EPOCH = -1
/** From this client version on every end of a transaction raises the epoch (KIP-890, transaction.version 2). */
export const EPOCH_BUMP_VERSION = 2
export const MAX_PRODUCER_EPOCH = 32_767

export interface TransactionMetadata {
  readonly transactionalId: string
  readonly producerId: number
  /** The producer id before the last step; the same as `producerId` unless that step changed it. */
  readonly previousProducerId: number
  /** What the producer id becomes when the transaction is complete; -1: it stays. */
  readonly nextProducerId: number
  /** -1 until the first InitProducerId is written. */
  readonly producerEpoch: number
  /** The epoch that a retry may still show; -1: none. Not in the log: lost on fail-over, as in Kafka. */
  readonly lastProducerEpoch: number
  readonly timeoutMs: number
  readonly state: TransactionState
  readonly partitions: TransactionPartitions
  /** -1 while no transaction was begun. */
  readonly startMs: number
  readonly lastUpdateMs: number
  /** 2: the client expects a raised epoch when a transaction ends; 0: it does not. */
  readonly clientTransactionVersion: number
}

/** The last epoch is kept for fencing, so that a producer id is given up one before it. */
export function isEpochExhausted(producerEpoch: number): boolean {
  return producerEpoch >= MAX_PRODUCER_EPOCH - 1
}

export function isPrepared({ state }: TransactionMetadata): boolean {
  return state === TransactionState.PREPARE_COMMIT || state === TransactionState.PREPARE_ABORT
}

export function hasPartition(partitions: TransactionPartitions, topic: string, partition: number): boolean {
  return partitions.get(topic)?.has(partition) ?? false
}

/** @returns the first argument itself when there is nothing to add */
export function unionOfPartitions(
  partitions: TransactionPartitions,
  added: TransactionPartitions,
): TransactionPartitions {
  let result: Map<string, ReadonlySet<number>> | undefined
  for (const [topic, indexes] of added) {
    const known = partitions.get(topic)
    if (known !== undefined && [...indexes].every((index) => known.has(index))) continue
    result ??= new Map(partitions)
    result.set(topic, new Set([...(known ?? []), ...indexes]))
  }
  return result ?? partitions
}

/** A transactional id that has just come up; nothing of it is in the log yet. */
export function newTransaction(options: {
  transactionalId: string
  producerId: number
  timeoutMs: number
  nowMs: number
}): TransactionMetadata {
  return {
    transactionalId: options.transactionalId,
    producerId: options.producerId,
    previousProducerId: NO_PRODUCER_ID,
    nextProducerId: NO_PRODUCER_ID,
    producerEpoch: NO_PRODUCER_EPOCH,
    lastProducerEpoch: NO_PRODUCER_EPOCH,
    timeoutMs: options.timeoutMs,
    state: TransactionState.EMPTY,
    partitions: NO_PARTITIONS,
    startMs: -1,
    lastUpdateMs: options.nowMs,
    clientTransactionVersion: 0,
  }
}

function step(metadata: TransactionMetadata, change: Partial<TransactionMetadata>): TransactionMetadata {
  return { ...metadata, previousProducerId: metadata.producerId, ...change }
}

/** InitProducerId: ready for transactions in this epoch. */
export function withEpoch(
  metadata: TransactionMetadata,
  epochs: { producerEpoch: number; lastProducerEpoch: number },
  { timeoutMs, nowMs }: { timeoutMs: number; nowMs: number },
): TransactionMetadata {
  return step(metadata, {
    ...epochs,
    state: TransactionState.EMPTY,
    timeoutMs,
    partitions: NO_PARTITIONS,
    startMs: -1,
    lastUpdateMs: nowMs,
  })
}

/** InitProducerId after the last epoch of a producer id: another id, from epoch 0. */
export function withNewProducerId(
  metadata: TransactionMetadata,
  producerId: number,
  options: { timeoutMs: number; nowMs: number; lastProducerEpoch: number },
): TransactionMetadata {
  const { lastProducerEpoch, ...times } = options
  return { ...withEpoch(metadata, { producerEpoch: 0, lastProducerEpoch }, times), producerId }
}

/** AddPartitionsToTxn: begins or extends the transaction. */
export function withPartitions(
  metadata: TransactionMetadata,
  partitions: TransactionPartitions,
  { clientTransactionVersion, nowMs }: { clientTransactionVersion: number; nowMs: number },
): TransactionMetadata {
  return step(metadata, {
    state: TransactionState.ONGOING,
    partitions,
    startMs: metadata.state === TransactionState.ONGOING ? metadata.startMs : nowMs,
    lastUpdateMs: nowMs,
    clientTransactionVersion,
  })
}

/** How a transaction is going to end. From here on there is no way back. */
export function prepared(
  metadata: TransactionMetadata,
  options: {
    isCommit: boolean
    clientTransactionVersion: number
    /** -1 unless the producer id is exhausted. */
    nextProducerId: number
    /** The client aborts what it has not begun (KIP-890): then the transaction is taken to begin now. */
    hasNoPartitions: boolean
    nowMs: number
  },
): TransactionMetadata {
  const { isCommit, clientTransactionVersion, nextProducerId, hasNoPartitions, nowMs } = options
  const { producerEpoch, lastProducerEpoch } = metadata
  const isRaised = clientTransactionVersion >= EPOCH_BUMP_VERSION
  return step(metadata, {
    state: isCommit ? TransactionState.PREPARE_COMMIT : TransactionState.PREPARE_ABORT,
    producerEpoch: isRaised ? Math.min(producerEpoch + 1, MAX_PRODUCER_EPOCH) : producerEpoch,
    lastProducerEpoch: isRaised ? producerEpoch : lastProducerEpoch,
    nextProducerId,
    startMs: hasNoPartitions ? nowMs : metadata.startMs,
    lastUpdateMs: nowMs,
    clientTransactionVersion,
  })
}

/**
 * Ends an ongoing transaction against the will of its producer, which is fenced by the raised epoch: a new producer took
 * over or the time is up.
 * @param options.transactionVersion of the cluster, whatever version the client began with: Kafka 4.4 does so
 */
export function fenced(
  metadata: TransactionMetadata,
  options: { transactionVersion: number; nextProducerId: number; nowMs: number },
): TransactionMetadata {
  const { transactionVersion, nextProducerId, nowMs } = options
  const abort = { isCommit: false, hasNoPartitions: false, nowMs }
  if (transactionVersion >= EPOCH_BUMP_VERSION) {
    return prepared(metadata, { ...abort, clientTransactionVersion: transactionVersion, nextProducerId })
  }
  const raised = {
    ...metadata,
    producerEpoch: Math.min(metadata.producerEpoch + 1, MAX_PRODUCER_EPOCH),
    lastProducerEpoch: NO_PRODUCER_EPOCH,
  }
  return prepared(raised, { ...abort, clientTransactionVersion: 0, nextProducerId: NO_PRODUCER_ID })
}

/** All markers of a prepared transaction are written. */
export function completed(metadata: TransactionMetadata, nowMs: number): TransactionMetadata {
  const isRotated =
    metadata.clientTransactionVersion >= EPOCH_BUMP_VERSION && metadata.nextProducerId !== NO_PRODUCER_ID
  return step(metadata, {
    state:
      metadata.state === TransactionState.PREPARE_COMMIT
        ? TransactionState.COMPLETE_COMMIT
        : TransactionState.COMPLETE_ABORT,
    ...(isRotated ? { producerId: metadata.nextProducerId, producerEpoch: 0 } : {}),
    nextProducerId: NO_PRODUCER_ID,
    partitions: NO_PARTITIONS,
    lastUpdateMs: nowMs,
  })
}
