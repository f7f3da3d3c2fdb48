/** Checks of arguments that several admin calls share. */
import { ValueError } from '../errors.ts'
import { TopicPartition } from '../values/topic-partition.ts'

/** TypeError for options that nobody knows. */
export function checkNames(options: object, names: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !names.includes(name))
  if (unknown !== undefined) throw new TypeError(`unknown option "${unknown}"`)
}

/** TypeError when it is not a number; fractions are a ValueError. */
export function integerArgument(value: unknown, name: string): number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number`)
  if (!Number.isInteger(value)) throw new ValueError(`${name} must be a whole number, not ${value}`)
  return value
}

/** A list with at least one entry, all of one class; otherwise ValueError. */
export function listOf<T>(value: unknown, type: new (...args: never[]) => T, name: string): readonly T[] {
  if (!Array.isArray(value) || value.length === 0) throw new ValueError(`${name} must be a list with entries`)
  if (!value.every((entry) => entry instanceof type)) {
    throw new ValueError(`${name} must have entries of ${type.name}`)
  }
  return value
}

/** TypeError for what is not a list of TopicPartition, ValueError for an empty topic or a negative partition. */
export function partitionsOf(value: unknown, name = 'partitions'): readonly TopicPartition[] {
  if (!Array.isArray(value)) throw new TypeError(`${name} must be a list of TopicPartition`)
  for (const entry of value) checkPartition(entry, name)
  return value
}

/** TypeError for what is no TopicPartition; ValueError without a topic or with a negative partition. */
export function checkPartition(entry: unknown, name: string): asserts entry is TopicPartition {
  if (!(entry instanceof TopicPartition)) throw new TypeError(`${name} must have entries of TopicPartition`)
  if (entry.topic === '') throw new ValueError('the name of a topic must not be empty')
  if (entry.partition < 0) throw new ValueError(`the partition of ${entry.topic} must not be negative`)
}

/** Lists of broker ids, none of them empty. Throws ValueError. */
export function checkReplicaAssignment(assignment: unknown, maxReplicas: number): void {
  if (!Array.isArray(assignment))
    throw new ValueError('replicaAssignment must be a list of lists of broker ids')
  for (const brokers of assignment) {
    if (!Array.isArray(brokers) || brokers.length === 0 || brokers.length > maxReplicas) {
      throw new ValueError('each list of replicaAssignment must have broker ids')
    }
    if (!brokers.every((id) => Number.isInteger(id))) {
      throw new ValueError('replicaAssignment must consist of broker ids')
    }
  }
}

/** By topic, in the order of the first appearance: the shape of most requests about partitions. */
export function byTopic<T extends { readonly topic: string }>(entries: Iterable<T>): [string, T[]][] {
  const topics = new Map<string, T[]>()
  for (const entry of entries) {
    const known = topics.get(entry.topic)
    if (known === undefined) topics.set(entry.topic, [entry])
    else known.push(entry)
  }
  return [...topics]
}
