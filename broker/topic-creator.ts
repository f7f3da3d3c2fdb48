/**
 * Topics that come into being because somebody asked for them: `auto.create.topics.enable` and the internal topics of the coordinators.
 *
 * Owner: the broker. A topic is asked for once at a time; the answer shows in the metadata image, failures are traced.
 */
import { CreateTopics } from '../common/protocol/apis/19-create-topics.ts'
import { ErrorCode, errorName } from '../common/protocol/errors.ts'
import type { Trace } from '../common/runtime/trace.ts'
import type { BrokerSettings } from './broker-settings.ts'
import type { ControllerClient } from './peer/controller-client.ts'
import { OFFSETS_TOPIC, SHARE_STATE_TOPIC, TRANSACTION_TOPIC } from './topic-names.ts'

export interface TopicCreatorOptions {
  readonly nodeId: number
  readonly settings: BrokerSettings
  readonly controller: ControllerClient
  readonly trace: Trace
}

interface NewTopic {
  readonly name: string
  readonly numPartitions: number
  readonly replicationFactor: number
  readonly configs: readonly { readonly name: string; readonly value: string }[]
}

const CREATE_TIMEOUT_MS = 30_000

export class TopicCreator {
  readonly #options: TopicCreatorOptions
  readonly #inFlight = new Set<string>()

  constructor(options: TopicCreatorOptions) {
    this.#options = options
  }

  /** Asks the controller for the topics that are not being asked for already; returns at once. */
  createSoon(names: readonly string[]): void {
    const topics = names.filter((name) => !this.#inFlight.has(name)).map((name) => this.#specification(name))
    if (topics.length === 0) return
    for (const { name } of topics) this.#inFlight.add(name)
    this.#options.controller
      .call(
        CreateTopics,
        { topics: topics.map((topic) => ({ ...topic, assignments: [] })), timeoutMs: CREATE_TIMEOUT_MS },
        CREATE_TIMEOUT_MS,
      )
      .whenDone((answer) => {
        for (const { name } of topics) this.#inFlight.delete(name)
        if (!answer.ok) {
          this.#report(topics.map(({ name }) => name).join(', '), answer.failure)
          return
        }
        for (const { name, errorCode, errorMessage } of answer.response.topics) {
          if (errorCode === ErrorCode.NONE || errorCode === ErrorCode.TOPIC_ALREADY_EXISTS) continue
          this.#report(name, `${errorName(errorCode)}: ${errorMessage ?? ''}`)
        }
      })
  }

  #report(topic: string, reason: string): void {
    this.#options.trace.emit({
      level: 'warn',
      kind: 'topic.auto-create-failed',
      nodeId: this.#options.nodeId,
      message: `topic ${topic} could not be created: ${reason}`,
    })
  }

  #specification(name: string): NewTopic {
    const { config } = this.#options.settings
    switch (name) {
      case OFFSETS_TOPIC:
        return {
          name,
          numPartitions: config.get('offsets.topic.num.partitions'),
          replicationFactor: config.get('offsets.topic.replication.factor'),
          configs: compactedTopic(config.get('offsets.topic.segment.bytes'), {
            'compression.type': compressionName(config.get('offsets.topic.compression.codec')),
          }),
        }
      case TRANSACTION_TOPIC:
        return {
          name,
          numPartitions: config.get('transaction.state.log.num.partitions'),
          replicationFactor: config.get('transaction.state.log.replication.factor'),
          configs: compactedTopic(config.get('transaction.state.log.segment.bytes'), {
            'compression.type': 'uncompressed',
            'min.insync.replicas': String(config.get('transaction.state.log.min.isr')),
            'unclean.leader.election.enable': 'false',
          }),
        }
      case SHARE_STATE_TOPIC:
        return {
          name,
          numPartitions: config.get('share.coordinator.state.topic.num.partitions'),
          replicationFactor: config.get('share.coordinator.state.topic.replication.factor'),
          configs: [
            { name: 'cleanup.policy', value: 'delete' },
            { name: 'retention.ms', value: '-1' },
            { name: 'compression.type', value: 'producer' },
            {
              name: 'min.insync.replicas',
              value: String(config.get('share.coordinator.state.topic.min.isr')),
            },
            {
              name: 'segment.bytes',
              value: String(config.get('share.coordinator.state.topic.segment.bytes')),
            },
          ],
        }
      default:
        // The controller fills in num.partitions and default.replication.factor.
        return { name, numPartitions: -1, replicationFactor: -1, configs: [] }
    }
  }
}

function compactedTopic(
  segmentBytes: number,
  others: Record<string, string>,
): { name: string; value: string }[] {
  const configs = { 'cleanup.policy': 'compact', 'segment.bytes': String(segmentBytes), ...others }
  return Object.entries(configs).map(([name, value]) => ({ name, value }))
}

/** `offsets.topic.compression.codec` holds a codec id; the offsets topic of codec 0 keeps what producers chose. */
function compressionName(codecId: number): string {
  return ['producer', 'gzip', 'snappy', 'lz4', 'zstd'][codecId] ?? 'producer'
}
