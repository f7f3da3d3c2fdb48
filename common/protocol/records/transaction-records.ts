/** The records of __transaction_state by type. */
import {
  type CoordinatorRecord,
  type CoordinatorRecordSchema,
  coordinatorRecordDecoder,
} from '../coordinator-record.ts'
import { TransactionLogKey, TransactionLogValue } from './transaction-log.ts'

export const transactionRecords = [
  { name: 'TransactionLog', key: TransactionLogKey, value: TransactionLogValue },
] as const satisfies readonly CoordinatorRecordSchema[]

/** A decoded record of __transaction_state; `name` tells the types apart. */
export type TransactionRecord = CoordinatorRecord<(typeof transactionRecords)[number]>

/** undefined for a type or version that Kafka 4.4 does not know; loading skips it, as in Kafka. */
export const decodeTransactionRecord: (key: Buffer, value: Buffer | null) => TransactionRecord | undefined =
  coordinatorRecordDecoder(transactionRecords)
