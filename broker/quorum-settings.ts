/**
 * The broker settings that the metadata quorum obeys.
 */
import type { BrokerConfig } from './config/broker-config.ts'
import type { QuorumLimits } from './raft/quorum-limits.ts'
import type { QuorumTimeouts } from './raft/quorum-timeouts.ts'

export function quorumTimeouts(config: BrokerConfig): Partial<QuorumTimeouts> {
  return {
    electionTimeoutMs: config.get('controller.quorum.election.timeout.ms'),
    fetchTimeoutMs: config.get('controller.quorum.fetch.timeout.ms'),
    electionBackoffMaxMs: config.get('controller.quorum.election.backoff.max.ms'),
    retryBackoffMs: config.get('controller.quorum.retry.backoff.ms'),
    requestTimeoutMs: config.get('controller.quorum.request.timeout.ms'),
  }
}

export function quorumLimits(config: BrokerConfig): QuorumLimits {
  return {
    fetchMaxBytes: config.get('controller.quorum.fetch.max.bytes'),
    fetchSnapshotMaxBytes: config.get('controller.quorum.fetch.snapshot.max.bytes'),
  }
}
