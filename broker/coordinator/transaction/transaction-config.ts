/**
 * The configuration that the transaction coordinator reads, as it is at the moment of asking.
 */
import type { TRANSACTION_KEYS } from '../../config/broker-keys/transactions.ts'
import type { ValueOf } from '../../config/define.ts'

export type TransactionConfigKey = keyof typeof TRANSACTION_KEYS & string

export interface TransactionConfig {
  get<Key extends TransactionConfigKey>(key: Key): ValueOf<(typeof TRANSACTION_KEYS)[Key]>
}
