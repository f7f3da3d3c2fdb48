/**
 * What the answer to a ShareFetch or ShareAcknowledge means: the fate of the verdicts that it carried, records that were acquired, errors
 * that end the session or want fresh metadata, and leaders that it names.
 */
import type { ShareFetchResponse } from '../../common/protocol/apis/78-share-fetch.ts'
import type { ShareAcknowledgeResponse } from '../../common/protocol/apis/79-share-acknowledge.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import type { ClientCore } from '../client-core.ts'
import { codeInfo } from '../error-codes.ts'
import { KafkaError } from '../errors.ts'
import { topicPartitionKey } from '../values/topic-partition.ts'
import { AcquiredRecords, arePlausible } from './acquired-records.ts'
import { type PendingAcknowledgements, type ShareNode, settle } from './share-node.ts'

/** The session is gone: the next request begins another one. */
const sessionErrors: ReadonlySet<number> = new Set([
  ErrorCode.SHARE_SESSION_NOT_FOUND,
  ErrorCode.INVALID_SHARE_SESSION_EPOCH,
  ErrorCode.SHARE_SESSION_LIMIT_REACHED,
])

/** The partition is elsewhere, or not known there yet. */
const leaderErrors: ReadonlySet<number> = new Set([
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.FENCED_LEADER_EPOCH,
  ErrorCode.UNKNOWN_LEADER_EPOCH,
  ErrorCode.REPLICA_NOT_AVAILABLE,
  ErrorCode.KAFKA_STORAGE_ERROR,
  ErrorCode.LEADER_NOT_AVAILABLE,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.UNKNOWN_TOPIC_ID,
  ErrorCode.INCONSISTENT_TOPIC_ID,
])

export interface ShareOutcomesHooks {
  readonly onAcquired: (records: AcquiredRecords) => void
  /** What trying again does not cure. */
  readonly onError: (error: KafkaError) => void
}

/** What became of the acknowledgements of one partition. */
interface AcknowledgeCode {
  readonly code: number
  readonly message: string | null
}

/** Of acknowledgements whose partition an answer leaves out: nobody has said that they were taken. */
const notAnswered: AcknowledgeCode = {
  code: ErrorCode.INVALID_RECORD_STATE,
  message: 'The answer of the broker leaves the partition out',
}

export class ShareOutcomes {
  readonly #core: ClientCore
  readonly #hooks: ShareOutcomesHooks

  constructor(core: ClientCore, hooks: ShareOutcomesHooks) {
    this.#core = core
    this.#hooks = hooks
  }

  /** There is no answer. */
  failed(node: ShareNode, pending: readonly PendingAcknowledgements[], error: KafkaError): void {
    this.#resetSession(node)
    settle(pending, error)
    if (error.code() === KafkaError._UNSUPPORTED_FEATURE) this.#hooks.onError(error)
  }

  fetched(node: ShareNode, pending: readonly PendingAcknowledgements[], response: ShareFetchResponse): void {
    if (response.errorCode !== ErrorCode.NONE) {
      this.#refused(node, pending, response)
      return
    }
    node.session.succeeded()
    const codes = new Map<string, AcknowledgeCode>()
    for (const { topicId, partitions } of response.responses) {
      const topic = this.#core.metadata.cache.topicById(topicId)?.name
      for (const answer of partitions) {
        const { partitionIndex: partition, errorCode, acquiredRecords } = answer
        const { acknowledgeErrorCode: code, acknowledgeErrorMessage: message } = answer
        codes.set(topicPartitionKey(topicId, partition), { code, message })
        if (errorCode !== ErrorCode.NONE) this.#partitionFailed(node, topic ?? topicId, answer)
        if (acquiredRecords.length === 0) continue
        if (!arePlausible(acquiredRecords)) {
          // The answer is of no use: what it gave away comes back when the session begins anew.
          this.#resetSession(node)
          const text = `${topic ?? topicId}[${partition}]: the acquired offsets cannot be`
          this.#hooks.onError(new KafkaError(KafkaError._BAD_MSG, text))
          continue
        }
        const from = { topic: topic ?? '', topicId, partition, nodeId: node.nodeId }
        const checksCrcs = this.#core.config.get('check.crcs')
        this.#hooks.onAcquired(
          new AcquiredRecords(from, answer.records as Buffer | null, acquiredRecords, checksCrcs),
        )
      }
    }
    settleEach(pending, codes)
    this.#learn(response)
  }

  acknowledged(
    node: ShareNode,
    pending: readonly PendingAcknowledgements[],
    response: ShareAcknowledgeResponse,
  ): void {
    if (response.errorCode !== ErrorCode.NONE) {
      this.#refused(node, pending, response)
      return
    }
    if (node.session.isOpen) node.session.succeeded()
    const codes = new Map<string, AcknowledgeCode>()
    for (const { topicId, partitions } of response.responses) {
      for (const { partitionIndex, errorCode: code, errorMessage: message } of partitions) {
        codes.set(topicPartitionKey(topicId, partitionIndex), { code, message })
      }
    }
    settleEach(pending, codes)
    this.#learn(response)
  }

  #refused(
    node: ShareNode,
    pending: readonly PendingAcknowledgements[],
    { errorCode, errorMessage }: ShareFetchResponse | ShareAcknowledgeResponse,
  ): void {
    this.#resetSession(node)
    const error = new KafkaError(errorCode, errorMessage ?? undefined)
    settle(pending, error)
    // A member that is not known (any more) hears of it from the coordinator.
    const isToldElsewhere = sessionErrors.has(errorCode) || errorCode === ErrorCode.UNKNOWN_MEMBER_ID
    if (!isToldElsewhere && !codeInfo(errorCode).isRetriable) this.#hooks.onError(error)
  }

  #partitionFailed(
    node: ShareNode,
    topic: string,
    answer: ShareFetchResponse['responses'][number]['partitions'][number],
  ): void {
    const { errorCode, errorMessage, partitionIndex } = answer
    this.#backOff(node)
    const error = new KafkaError(errorCode, errorMessage ?? undefined)
    if (leaderErrors.has(errorCode))
      this.#core.metadata.refreshSoon(`${topic}[${partitionIndex}]: ${error.name()}`)
    else if (!codeInfo(errorCode).isRetriable) this.#hooks.onError(error)
  }

  #resetSession(node: ShareNode): void {
    node.session.reset()
    this.#backOff(node)
  }

  #backOff(node: ShareNode): void {
    node.retryAtMs = this.#core.runtime.clock.monotonicMs() + this.#core.config.get('retry.backoff.ms')
  }

  /** Leaders that an answer names (KIP-951). */
  #learn(response: ShareFetchResponse | ShareAcknowledgeResponse): void {
    const { metadata, pool } = this.#core
    for (const endpoint of response.nodeEndpoints) pool.learn(endpoint)
    for (const { topicId, partitions } of response.responses) {
      const topic = metadata.cache.topicById(topicId)
      if (topic === undefined) continue
      for (const { errorCode, partitionIndex, currentLeader } of partitions) {
        if (!leaderErrors.has(errorCode)) continue
        const { leaderId, leaderEpoch } = currentLeader
        metadata.cache.applyLeaderHint(topic.name, partitionIndex, leaderId, leaderEpoch)
      }
    }
  }
}

function settleEach(
  pending: readonly PendingAcknowledgements[],
  codes: ReadonlyMap<string, AcknowledgeCode>,
): void {
  for (const { acknowledgements, done } of pending) {
    const { topicId, partition } = acknowledgements.from
    const { code, message } = codes.get(topicPartitionKey(topicId, partition)) ?? notAnswered
    done(code === ErrorCode.NONE ? null : new KafkaError(code, message ?? undefined))
  }
}
