/**
 * What DescribeTransactions and ListTransactions (KIP-664, KIP-994, KIP-1152) tell of a shard.
 */
import { ErrorCode } from '../../../common/protocol/errors.ts'
import type { TransactionShard } from './shard.ts'
import { stateName, stateOfName, TransactionState } from './transaction-metadata.ts'

export interface DescribedTransaction {
  readonly errorCode: ErrorCode
  readonly transactionalId: string
  readonly transactionState: string
  readonly transactionTimeoutMs: number
  readonly transactionStartTimeMs: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[]
}

/** Kafka leaves every field at zero beside an error. */
export function describeRefusal(transactionalId: string, errorCode: ErrorCode): DescribedTransaction {
  return {
    errorCode,
    transactionalId,
    transactionState: '',
    transactionTimeoutMs: 0,
    transactionStartTimeMs: 0,
    producerId: 0,
    producerEpoch: 0,
    topics: [],
  }
}

export function describeTransaction(shard: TransactionShard, transactionalId: string): DescribedTransaction {
  const known = shard.get(transactionalId)
  if (known === undefined || known.state === TransactionState.DEAD) {
    return describeRefusal(transactionalId, ErrorCode.TRANSACTIONAL_ID_NOT_FOUND)
  }
  return {
    errorCode: ErrorCode.NONE,
    transactionalId,
    transactionState: stateName(known.state),
    transactionTimeoutMs: known.timeoutMs,
    transactionStartTimeMs: known.startMs,
    producerId: known.producerId,
    producerEpoch: known.producerEpoch,
    topics: [...known.partitions].map(([topic, partitions]) => ({ topic, partitions: [...partitions] })),
  }
}

export interface TransactionFilter {
  /** Names that are no state are told back and match nothing. */
  readonly states: readonly string[]
  readonly producerIds: readonly number[]
  /** Only transactions that run longer than this; negative: all. */
  readonly durationMs: number
  /** Must match the whole transactional id. */
  readonly pattern: RegExp | undefined
}

export interface ListedTransaction {
  readonly transactionalId: string
  readonly producerId: number
  readonly transactionState: string
}

export function unknownStates({ states }: TransactionFilter): string[] {
  return states.filter((name) => stateOfName(name) === undefined)
}

export function listTransactions(shard: TransactionShard, filter: TransactionFilter): ListedTransaction[] {
  const { states, producerIds, durationMs, pattern } = filter
  const { nowMs } = shard
  const listed: ListedTransaction[] = []
  for (const { transactionalId, producerId, state, startMs } of shard.transactions) {
    if (state === TransactionState.DEAD) continue
    if (producerIds.length > 0 && !producerIds.includes(producerId)) continue
    if (states.length > 0 && !states.includes(stateName(state))) continue
    if (durationMs >= 0 && nowMs - startMs <= durationMs) continue
    if (pattern !== undefined && !pattern.test(transactionalId)) continue
    listed.push({ transactionalId, producerId, transactionState: stateName(state) })
  }
  return listed
}

/** @returns undefined for what is no regular expression */
export function wholeIdPattern(source: string): RegExp | undefined {
  try {
    return new RegExp(`^(?:${source})$`, 'su')
  } catch {
    return undefined
  }
}
