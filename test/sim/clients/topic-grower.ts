/**
 * An operator that makes a topic while everything is under way, and gives it more partitions later. It does not rest before that is done.
 */
import { CreateTopics } from '../../../common/protocol/apis/19-create-topics.ts'
import { CreatePartitions } from '../../../common/protocol/apis/37-create-partitions.ts'
import { ErrorCode } from '../../../common/protocol/errors.ts'
import { SimClient } from './sim-client.ts'

const FIRST_PARTITIONS = 1
const PARTITIONS = 2
const LONGEST_PAUSE_MS = 4_000
const RETRY_MS = 200
/** Of an earlier attempt whose answer was lost. */
const DONE_ALREADY: ReadonlySet<number> = new Set([
  ErrorCode.TOPIC_ALREADY_EXISTS,
  ErrorCode.INVALID_PARTITIONS,
])

export class TopicGrower extends SimClient {
  #isGrown = false

  /** Whether the topic is there with all of its partitions. */
  get isGrown(): boolean {
    return this.#isGrown
  }

  override start(): void {
    this.#soon('creates', () => this.#create())
  }

  get #topic(): string {
    return this.topics[0] ?? ''
  }

  #soon(what: string, task: () => void): void {
    this.later(this.random.int(LONGEST_PAUSE_MS), `${what} ${this.#topic}`, task)
  }

  #create(): void {
    const topic = {
      name: this.#topic,
      numPartitions: FIRST_PARTITIONS,
      replicationFactor: 3,
      assignments: [],
      configs: [{ name: 'min.insync.replicas', value: '2' }],
    }
    const request = { topics: [topic], timeoutMs: 2_000 }
    this.call(this.anyNode(), CreateTopics, request).whenDone((answer) => {
      const error = answer.ok ? answer.response.topics[0]?.errorCode : undefined
      if (!isDone(error)) {
        this.later(RETRY_MS, 'tries again', () => this.#create())
        return
      }
      this.event(`has created ${this.#topic}`)
      this.#soon('grows', () => this.#grow())
    })
  }

  #grow(): void {
    const topics = [{ name: this.#topic, count: PARTITIONS, assignments: null }]
    const request = { topics, timeoutMs: 2_000, validateOnly: false }
    this.call(this.anyNode(), CreatePartitions, request).whenDone((answer) => {
      const error = answer.ok ? answer.response.results[0]?.errorCode : undefined
      if (!isDone(error)) {
        this.later(RETRY_MS, 'tries again', () => this.#grow())
        return
      }
      this.event(`has grown ${this.#topic}`)
      this.#isGrown = true
    })
  }
}

function isDone(error: number | undefined): boolean {
  return error === ErrorCode.NONE || (error !== undefined && DONE_ALREADY.has(error))
}
