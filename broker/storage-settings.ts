/**
 * The broker settings that the storage layer obeys.
 */
import type { LogManagerSettings } from '../storage/log-manager.ts'
import type { BrokerConfig } from './config/broker-config.ts'

/** Kafka's default for "never". */
const NEVER_MS = Number.MAX_SAFE_INTEGER

export function storageSettings(config: BrokerConfig): {
  settings: LogManagerSettings
  cleaner: { isEnabled: boolean; backoffMs: number }
} {
  const flushCheckMs = config.get('log.flush.scheduler.interval.ms')
  return {
    settings: {
      recoveryPointCheckpointMs: config.get('log.flush.offset.checkpoint.interval.ms'),
      logStartOffsetCheckpointMs: config.get('log.flush.start.offset.checkpoint.interval.ms'),
      highWatermarkCheckpointMs: config.get('replica.high.watermark.checkpoint.interval.ms'),
      flushCheckMs: flushCheckMs >= NEVER_MS ? undefined : flushCheckMs,
      retentionCheckMs: config.get('log.retention.check.interval.ms'),
      producerIdExpirationMs: config.get('producer.id.expiration.ms'),
      producerIdExpirationCheckMs: config.get('producer.id.expiration.check.interval.ms'),
      isVerificationEnabled: config.get('transaction.partition.verification.enable'),
    },
    cleaner: { isEnabled: config.get('log.cleaner.enable'), backoffMs: config.get('log.cleaner.backoff.ms') },
  }
}
