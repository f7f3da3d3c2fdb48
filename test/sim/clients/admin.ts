/**
 * An operator: elects preferred leaders, moves replicas, and makes and deletes topics, at random times. What is refused is let be.
 */
import { CreateTopics } from '../../../common/protocol/apis/19-create-topics.ts'
import { DeleteTopics } from '../../../common/protocol/apis/20-delete-topics.ts'
import { ElectLeaders } from '../../../common/protocol/apis/43-elect-leaders.ts'
import { IncrementalAlterConfigs } from '../../../common/protocol/apis/44-incremental-alter-configs.ts'
import { AlterPartitionReassignments } from '../../../common/protocol/apis/45-alter-partition-reassignments.ts'
import { errorName } from '../../../common/protocol/errors.ts'
import { SimClient } from './sim-client.ts'

const INTERVAL_MS = 1_500
/** As in requests: a resource whose name is that of a group. */
const GROUP_RESOURCE = 32
const SET = 0

export class Admin extends SimClient {
  #isStopped = false
  #made = 0
  readonly #extraTopics: string[] = []

  override start(): void {
    this.later(this.random.int(2 * INTERVAL_MS), 'operation', () => {
      if (this.#isStopped) return
      this.withMetadata(() => this.#operate())
      this.start()
    })
  }

  stop(): void {
    this.#isStopped = true
  }

  /** Makes the topics of the clients, and waits until they are replicated. */
  async createTopics(): Promise<void> {
    let isDone = false
    this.#createTopics(() => {
      isDone = true
    })
    await this.cluster.runUntil(() => isDone, 10_000, 'the topics')
    await this.cluster.runUntil(() => this.cluster.isInSync, 10_000, 'the topics to be in sync')
  }

  /** Sets configs of a group, and waits until they are. */
  async configureGroup(groupId: string, settings: Readonly<Record<string, string | number>>): Promise<void> {
    const configs = Object.entries(settings).map(([name, value]) => ({
      name,
      configOperation: SET,
      value: String(value),
    }))
    const resources = [{ resourceType: GROUP_RESOURCE, resourceName: groupId, configs }]
    let isDone = false
    this.call(1, IncrementalAlterConfigs, { resources, validateOnly: false }).whenDone((answer) => {
      if (!answer.ok || answer.response.responses.some(({ errorCode }) => errorCode !== 0))
        throw new Error(`the group could not be configured: ${JSON.stringify(answer)}`)
      isDone = true
    })
    await this.cluster.runUntil(() => isDone, 10_000, 'the settings of the group')
  }

  #createTopics(done: () => void): void {
    const configs = [
      { name: 'min.insync.replicas', value: '2' },
      { name: 'segment.ms', value: '2000' },
    ]
    const topics = this.topics.map((name) => ({
      name,
      numPartitions: 2,
      replicationFactor: 3,
      assignments: [],
      configs,
    }))
    this.call(1, CreateTopics, { topics, timeoutMs: 5_000 }).whenDone((answer) => {
      if (!answer.ok || answer.response.topics.some(({ errorCode }) => errorCode !== 0))
        throw new Error(`topics could not be created: ${JSON.stringify(answer)}`)
      done()
    })
  }

  #operate(): void {
    const known = this.pick(this.partitions)
    if (known === undefined) return
    const { topic, index } = known
    switch (this.random.int(5)) {
      case 0:
      case 1: {
        this.event(`elects the preferred leader of ${topic}-${index}`)
        const request = {
          electionType: 0,
          topicPartitions: [{ topic, partitions: [index] }],
          timeoutMs: 2_000,
        }
        this.call(this.anyNode(), ElectLeaders, request)
        return
      }
      case 2:
      case 3: {
        const order = this.random.shuffle(this.cluster.nodes.map(({ nodeId }) => nodeId))
        const replicas = order.slice(0, 2 + this.random.int(2))
        this.event(`moves ${topic}-${index} to [${replicas}]`)
        const topics = [{ name: topic, partitions: [{ partitionIndex: index, replicas }] }]
        this.call(this.anyNode(), AlterPartitionReassignments, { topics, timeoutMs: 2_000 }).whenDone(
          (answer) => {
            const error = answer.ok ? answer.response.responses[0]?.partitions[0]?.errorCode : undefined
            if (error !== undefined) this.event(`moving ${topic}-${index}: ${errorName(error)}`)
          },
        )
        return
      }
      default:
        this.#createOrDelete()
    }
  }

  #createOrDelete(): void {
    const doomed = this.#extraTopics.shift()
    if (doomed !== undefined) {
      this.event(`deletes ${doomed}`)
      this.call(this.anyNode(), DeleteTopics, { topicNames: [doomed], timeoutMs: 2_000 }, { version: 5 })
      return
    }
    this.#made += 1
    const name = `extra-${this.#made}`
    this.event(`creates ${name}`)
    this.#extraTopics.push(name)
    const topic = { name, numPartitions: 2, replicationFactor: 3, assignments: [], configs: [] }
    this.call(this.anyNode(), CreateTopics, { topics: [topic], timeoutMs: 2_000 })
  }
}
