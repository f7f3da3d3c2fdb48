/** A topic to be made: what `createTopics` takes. */
import { ValueError } from '../../errors.ts'
import { checkNames, checkReplicaAssignment, integerArgument } from '../arguments.ts'

/** The value of a topic's configuration; numbers and booleans become text, null is left out. */
export type TopicConfig = Readonly<Record<string, string | number | boolean | bigint | null | undefined>>

export interface NewTopicOptions {
  /** Broker ids by partition; excludes `replicationFactor`. */
  readonly replicaAssignment?: readonly (readonly number[])[] | null
  readonly config?: TopicConfig | null
}

export interface NewTopicInit extends NewTopicOptions {
  readonly topic: string
  readonly numPartitions?: number
  readonly replicationFactor?: number
}

const maxPartitions = 100_000
const maxReplicas = 10_000

/** The numbers are checked by `createTopics`; -1 means the broker's default. */
export class NewTopic {
  /** Cannot be written. */
  declare readonly topic: string
  numPartitions: number
  replicationFactor: number
  replicaAssignment: readonly (readonly number[])[] | null
  config: Record<string, string>

  constructor(init: NewTopicInit)
  constructor(topic: string, numPartitions?: number, replicationFactor?: number, options?: NewTopicOptions)
  constructor(
    first: string | NewTopicInit,
    numPartitions?: number,
    replicationFactor?: number,
    options: NewTopicOptions = {},
  ) {
    const isInit = typeof first === 'object' && first !== null
    const init: NewTopicInit = isInit
      ? first
      : {
          ...options,
          topic: first,
          ...(numPartitions === undefined ? {} : { numPartitions }),
          ...(replicationFactor === undefined ? {} : { replicationFactor }),
        }
    checkNames(init, ['topic', 'numPartitions', 'replicationFactor', 'replicaAssignment', 'config'])
    if (typeof init.topic !== 'string') throw new TypeError('topic must be a string')
    Object.defineProperty(this, 'topic', { value: init.topic, enumerable: true })
    this.numPartitions = integerArgument(init.numPartitions ?? -1, 'numPartitions')
    this.replicationFactor = integerArgument(init.replicationFactor ?? -1, 'replicationFactor')
    this.replicaAssignment = init.replicaAssignment ?? null
    this.config = configText(init.config)
  }

  key(): string {
    return `${this.topic}:${this.numPartitions}`
  }

  equals(other: unknown): boolean {
    return other instanceof NewTopic && NewTopic.compare(this, other) === 0
  }

  compare(other: NewTopic): number {
    return NewTopic.compare(this, other)
  }

  static compare(one: NewTopic, other: NewTopic): number {
    if (one.topic !== other.topic) return one.topic < other.topic ? -1 : 1
    return one.numPartitions - other.numPartitions
  }

  toString(): string {
    return `NewTopic(topic=${this.topic},numPartitions=${this.numPartitions})`
  }
}

/** What `createTopics` refuses without asking a broker: ValueError. */
export function checkNewTopic(entry: NewTopic): void {
  const { topic, numPartitions, replicationFactor, replicaAssignment } = entry
  if (topic === '') throw new ValueError('the name of a topic must not be empty')
  checkRange('numPartitions', numPartitions, maxPartitions)
  checkRange('replicationFactor', replicationFactor, maxReplicas)
  if (replicaAssignment === null) return
  if (replicationFactor !== -1)
    throw new ValueError('replicationFactor and replicaAssignment exclude each other')
  checkReplicaAssignment(replicaAssignment, maxReplicas)
  if (numPartitions !== -1 && replicaAssignment.length !== numPartitions) {
    throw new ValueError(
      `replicaAssignment of ${topic} has ${replicaAssignment.length} partitions, numPartitions says ${numPartitions}`,
    )
  }
  if (replicaAssignment.length === 0 || replicaAssignment.length > maxPartitions) {
    throw new ValueError(`replicaAssignment must have between 1 and ${maxPartitions} partitions`)
  }
}

function checkRange(name: string, value: number, highest: number): void {
  if (!Number.isInteger(value) || value < -1 || value > highest) {
    throw new ValueError(`${name} must be between -1 and ${highest}, not ${value}`)
  }
}

function configText(config: unknown): Record<string, string> {
  if (config === undefined || config === null) return {}
  if (typeof config !== 'object' || Array.isArray(config)) throw new TypeError('config must be an object')
  const text: Record<string, string> = {}
  for (const [name, value] of Object.entries(config)) {
    if (value === null || value === undefined) continue
    if (typeof value === 'object' || typeof value === 'function' || typeof value === 'symbol') {
      throw new TypeError(`the value of ${name} must be text, a number or a boolean`)
    }
    text[name] = String(value)
  }
  return text
}
