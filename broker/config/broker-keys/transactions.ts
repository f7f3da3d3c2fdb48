/**
 * Broker keys of transactions and producer ids.
 */
import { boolean, defineTable, int, internal, short } from '../define.ts'
import { atLeast } from '../validators.ts'

export const TRANSACTION_KEYS = defineTable({
  'add.partitions.to.txn.retry.backoff.max.ms': int(
    '100',
    atLeast(0),
    'HIGH',
    'read-only',
    'Upper bound of the growing pause before the broker retries adding a partition to a transaction that a previous transaction still blocks.',
  ),
  'add.partitions.to.txn.retry.backoff.ms': int(
    '20',
    atLeast(1),
    'HIGH',
    'read-only',
    'First pause before the broker retries adding a partition to a transaction that a previous transaction still blocks.',
  ),
  'producer.id.expiration.check.interval.ms': int(
    '600000',
    atLeast(1),
    'LOW',
    'read-only',
    'How often partitions look for expired producer ids, in milliseconds.',
    internal(),
  ),
  'producer.id.expiration.ms': int(
    '86400000',
    atLeast(1),
    'LOW',
    'cluster-wide',
    'How long a partition remembers a producer id that writes nothing, in milliseconds.',
  ),
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': int(
    '10000',
    atLeast(1),
    'LOW',
    'read-only',
    'How often the transaction coordinator looks for transactions that ran out of time, in milliseconds.',
  ),
  'transaction.max.timeout.ms': int(
    '900000',
    atLeast(1),
    'HIGH',
    'read-only',
    'Largest transaction timeout a producer may ask for, in milliseconds.',
  ),
  'transaction.partition.verification.enable': boolean(
    'true',
    null,
    'LOW',
    'cluster-wide',
    'Whether a partition leader asks the transaction coordinator whether a partition belongs to the transaction before it appends (KIP-890).',
  ),
  'transaction.remove.expired.transaction.cleanup.interval.ms': int(
    '3600000',
    atLeast(1),
    'LOW',
    'read-only',
    'How often the transaction coordinator looks for expired transactional ids, in milliseconds.',
  ),
  'transaction.state.log.load.buffer.size': int(
    '5242880',
    atLeast(1),
    'HIGH',
    'read-only',
    'How many bytes the transaction coordinator reads at a time when it loads a partition.',
  ),
  'transaction.state.log.min.isr': int(
    '2',
    atLeast(1),
    'HIGH',
    'read-only',
    '`min.insync.replicas` of `__transaction_state`.',
  ),
  'transaction.state.log.num.partitions': int(
    '50',
    atLeast(1),
    'HIGH',
    'read-only',
    'Number of partitions of `__transaction_state`. Not to be changed once the topic exists.',
  ),
  'transaction.state.log.replication.factor': short(
    '3',
    atLeast(1),
    'HIGH',
    'read-only',
    'Replication factor of `__transaction_state`; the topic is created once there are enough brokers.',
  ),
  'transaction.state.log.segment.bytes': int(
    '104857600',
    atLeast(1),
    'HIGH',
    'read-only',
    'Segment size of `__transaction_state`, in bytes.',
  ),
  'transaction.two.phase.commit.enable': boolean(
    'false',
    null,
    'LOW',
    'read-only',
    'Whether producers may take part in two-phase commits of an outside transaction manager (KIP-939).',
  ),
  'transactional.id.expiration.ms': int(
    '604800000',
    atLeast(1),
    'HIGH',
    'read-only',
    'How long the transaction coordinator remembers a transactional id that is not used, in milliseconds.',
  ),
})
