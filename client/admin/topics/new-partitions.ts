/** A topic that is to grow: what `createPartitions` takes. */
import { ValueError } from '../../errors.ts'
import { checkNames, checkReplicaAssignment, integerArgument } from '../arguments.ts'

export interface NewPartitionsOptions {
  /** Broker ids of the new partitions only. */
  readonly replicaAssignment?: readonly (readonly number[])[] | null
}

const maxPartitions = 100_000
const maxReplicas = 10_000

/** The numbers are checked by `createPartitions`. */
export class NewPartitions {
  readonly topic: string
  /** Partitions after the growth. */
  newTotalCount: number
  replicaAssignment: readonly (readonly number[])[] | null

  constructor(topic: string, newTotalCount: number, options: NewPartitionsOptions = {}) {
    if (typeof topic !== 'string') throw new TypeError('topic must be a string')
    checkNames(options, ['replicaAssignment'])
    this.topic = topic
    this.newTotalCount = integerArgument(newTotalCount, 'newTotalCount')
    this.replicaAssignment = options.replicaAssignment ?? null
  }

  key(): string {
    return `${this.topic}:${this.newTotalCount}`
  }

  equals(other: unknown): boolean {
    return other instanceof NewPartitions && NewPartitions.compare(this, other) === 0
  }

  compare(other: NewPartitions): number {
    return NewPartitions.compare(this, other)
  }

  static compare(one: NewPartitions, other: NewPartitions): number {
    if (one.topic !== other.topic) return one.topic < other.topic ? -1 : 1
    return one.newTotalCount - other.newTotalCount
  }

  toString(): string {
    return `NewPartitions(topic=${this.topic},newTotalCount=${this.newTotalCount})`
  }
}

/** What `createPartitions` refuses without asking a broker: ValueError. */
export function checkNewPartitions({ topic, newTotalCount, replicaAssignment }: NewPartitions): void {
  if (topic === '') throw new ValueError('the name of a topic must not be empty')
  if (!Number.isInteger(newTotalCount) || newTotalCount < 1 || newTotalCount > maxPartitions) {
    throw new ValueError(`newTotalCount must be between 1 and ${maxPartitions}, not ${newTotalCount}`)
  }
  if (replicaAssignment === null) return
  checkReplicaAssignment(replicaAssignment, maxReplicas)
  if (replicaAssignment.length === 0 || replicaAssignment.length > newTotalCount) {
    throw new ValueError('replicaAssignment must list the new partitions')
  }
}
