/**
 * Which partitions of a share group have state at the share coordinator: what a subscription asks for, and the steps by which a
 * partition gets state (initializing, initialized) and loses it (deleting).
 */
import type { MetadataImage } from '../../metadata/image.ts'
import type { NamedPartitions, ShareGroup, ShareStatePartitions } from './share-group.ts'

/** What the share coordinator is asked to set up. */
export interface StateInitialization {
  readonly groupId: string
  readonly stateEpoch: number
  readonly topics: readonly {
    readonly topicId: string
    readonly topicName: string
    readonly partitions: readonly { readonly partition: number; readonly startOffset: number }[]
  }[]
}

/** The group has not said where it begins. */
export const UNINITIALIZED_START_OFFSET = -1

/** @returns partitions of subscribed topics that have no state and are not getting it; undefined: none */
export function missingState(
  group: ShareGroup,
  topicNames: Iterable<string>,
  image: MetadataImage,
  canRetry: boolean,
): Map<string, NamedPartitions> | undefined {
  const { initializing, initialized } = group.statePartitions
  const missing = new Map<string, NamedPartitions>()
  for (const topicName of topicNames) {
    const topic = image.topicsByName.get(topicName)
    if (topic === undefined) continue
    const known = initialized.get(topic.id)?.partitions
    const asked = canRetry ? undefined : initializing.get(topic.id)?.partitions
    const partitions = topic.partitions
      .map((_, partition) => partition)
      .filter((partition) => known?.has(partition) !== true && asked?.has(partition) !== true)
    if (partitions.length > 0) missing.set(topic.id, { topicName, partitions: new Set(partitions) })
  }
  return missing.size === 0 ? undefined : missing
}

export function initializationOf(
  groupId: string,
  stateEpoch: number,
  topics: ReadonlyMap<string, NamedPartitions>,
): StateInitialization {
  return {
    groupId,
    stateEpoch,
    topics: [...topics].map(([topicId, { topicName, partitions }]) => ({
      topicId,
      topicName,
      partitions: [...partitions].map((partition) => ({
        partition,
        startOffset: UNINITIALIZED_START_OFFSET,
      })),
    })),
  }
}

export function withInitializing(
  state: ShareStatePartitions,
  topics: ReadonlyMap<string, NamedPartitions>,
): ShareStatePartitions {
  const deleting = new Map([...state.deleting].filter(([topicId]) => !topics.has(topicId)))
  return { ...state, initializing: union(state.initializing, topics), deleting }
}

export function withInitialized(
  state: ShareStatePartitions,
  topics: ReadonlyMap<string, NamedPartitions>,
): ShareStatePartitions {
  return {
    ...state,
    initializing: difference(state.initializing, topics),
    initialized: union(state.initialized, topics),
  }
}

/** Setting up has failed: a later heartbeat asks again. */
export function withoutInitializing(
  state: ShareStatePartitions,
  topics: ReadonlyMap<string, NamedPartitions>,
): ShareStatePartitions {
  return { ...state, initializing: difference(state.initializing, topics) }
}

/** @param topics id -> name */
export function withDeleting(
  state: ShareStatePartitions,
  topics: ReadonlyMap<string, string>,
): ShareStatePartitions {
  const remaining = (named: ReadonlyMap<string, NamedPartitions>) =>
    new Map([...named].filter(([topicId]) => !topics.has(topicId)))
  return {
    initializing: remaining(state.initializing),
    initialized: remaining(state.initialized),
    deleting: new Map([...state.deleting, ...topics]),
  }
}

export function withoutTopics(
  state: ShareStatePartitions,
  topicIds: ReadonlySet<string>,
): ShareStatePartitions {
  const keep = <Value>(topics: ReadonlyMap<string, Value>) =>
    new Map([...topics].filter(([topicId]) => !topicIds.has(topicId)))
  return {
    initializing: keep(state.initializing),
    initialized: keep(state.initialized),
    deleting: keep(state.deleting),
  }
}

/** Everything with state or on the way to it. */
export function allStateTopics(state: ShareStatePartitions): Map<string, NamedPartitions> {
  return union(state.initializing, state.initialized)
}

function union(
  left: ReadonlyMap<string, NamedPartitions>,
  right: ReadonlyMap<string, NamedPartitions>,
): Map<string, NamedPartitions> {
  const result = new Map(left)
  for (const [topicId, { topicName, partitions }] of right) {
    const known = result.get(topicId)?.partitions ?? []
    result.set(topicId, { topicName, partitions: new Set([...known, ...partitions]) })
  }
  return result
}

function difference(
  left: ReadonlyMap<string, NamedPartitions>,
  right: ReadonlyMap<string, NamedPartitions>,
): Map<string, NamedPartitions> {
  const result = new Map<string, NamedPartitions>()
  for (const [topicId, { topicName, partitions }] of left) {
    const gone = right.get(topicId)?.partitions
    const rest = [...partitions].filter((partition) => gone?.has(partition) !== true)
    if (rest.length > 0) result.set(topicId, { topicName, partitions: new Set(rest) })
  }
  return result
}
