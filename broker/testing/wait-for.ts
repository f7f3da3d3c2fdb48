/**
 * The waits of a test: records, groups, lag, ISR, watermarks, leaders, topics, requests. A wait that fails says what is there instead.
 */
import type { ClusterView, GroupState, PartitionState } from './cluster-view.ts'
import { checkJournalFilter, type Journal, type JournalEntry, type JournalFilter } from './journal.ts'
import type { TopicRecord } from './records.ts'
import type { Checked, WaitOptions, Waits } from './waits.ts'

/** `orders-0`, or in parts. */
export type TopicPartition = string | { readonly topic: string; readonly partition: number }

function parse(place: TopicPartition): { topic: string; partition: number } {
  if (typeof place !== 'string') return place
  const found = /^(.+)-(\d+)$/.exec(place)
  if (found === null) throw new Error(`"${place}" names no partition: write topic-0.`)
  return { topic: found[1] as string, partition: Number(found[2]) }
}

export interface GroupWaits {
  /** All members agree; with a number, there are so many of them. */
  stable(members?: number, options?: WaitOptions): Promise<GroupState>
  /** Without members. */
  empty(options?: WaitOptions): Promise<GroupState>
  members(count: number, options?: WaitOptions): Promise<GroupState>
  /** An offset of at least this one is committed. */
  committed(place: TopicPartition, offset: number, options?: WaitOptions): Promise<number>
}

export class WaitFor {
  readonly #waits: Waits
  readonly #view: ClusterView
  readonly #journal: () => Journal
  readonly #nameOf: (name: string) => string

  /** @internal */
  constructor(parts: {
    waits: Waits
    view: ClusterView
    journal: () => Journal
    /** Names of a scope. */
    nameOf?: (name: string) => string
  }) {
    this.#waits = parts.waits
    this.#view = parts.view
    this.#journal = parts.journal
    this.#nameOf = parts.nameOf ?? ((name) => name)
  }

  /** Any condition; looked at whenever something has happened. Truthy is enough. */
  condition<T>(what: string, check: () => T | Promise<T>, options?: WaitOptions): Promise<T> {
    const settle = (value: T): Checked<T> => (value ? { value } : undefined)
    return this.#waits.until<T>(
      what,
      () => {
        const value = check()
        return value instanceof Promise ? value.then(settle) : settle(value)
      },
      () => 'it does not hold',
      options,
    )
  }

  /** At least so many records that consumers can see; gives them. */
  records(topic: string, count: number, options?: WaitOptions): Promise<readonly TopicRecord[]> {
    const name = this.#nameOf(topic)
    const offsets = new Map<number, number>()
    const found: TopicRecord[] = []
    const take = (more: readonly TopicRecord[]): Checked<readonly TopicRecord[]> => {
      found.push(...more)
      return found.length >= count ? { value: found } : undefined
    }
    return this.#waits.until<readonly TopicRecord[]>(
      `${count} record(s) in topic "${name}"`,
      () => either(this.#view.read(name, offsets), take),
      () =>
        either(this.#view.partitions(name), (partitions) =>
          partitions === undefined
            ? 'there is no such topic'
            : `there are ${found.length} (${partitions.map(partitionText).join('; ')})`,
        ),
      options,
    )
  }

  /** A topic that every broker can serve. */
  topic(topic: string, options?: WaitOptions): Promise<void> {
    const name = this.#nameOf(topic)
    return this.#waits.until<void>(
      `topic "${name}"`,
      () => either(this.#view.isUsable(name), (isUsable) => (isUsable ? { value: undefined } : undefined)),
      () =>
        either(this.#view.partitions(name), (partitions) =>
          partitions === undefined ? 'there is no such topic' : partitions.map(partitionText).join('; '),
        ),
      options,
    )
  }

  group(groupId: string): GroupWaits {
    const id = this.#nameOf(groupId)
    const until = (what: string, isMet: (group: GroupState) => boolean, options?: WaitOptions) =>
      this.#waits.until<GroupState>(
        `group "${id}" to be ${what}`,
        () => either(this.#view.group(id), (group) => (isMet(group) ? { value: group } : undefined)),
        () => either(this.#view.group(id), groupText),
        options,
      )
    return {
      stable: (members, options) =>
        until(
          members === undefined ? 'stable' : `stable with ${members} member(s)`,
          ({ state, memberIds }) =>
            state === 'Stable' &&
            (members === undefined ? memberIds.length > 0 : memberIds.length === members),
          options,
        ),
      empty: (options) => until('empty', ({ state }) => state === 'Empty' || state === 'Dead', options),
      members: (count, options) =>
        until(`of ${count} member(s)`, ({ memberIds }) => memberIds.length === count, options),
      committed: (place, offset, options) => {
        const { topic, partition } = parse(place)
        const key = `${this.#nameOf(topic)}-${partition}`
        return this.#waits.until<number>(
          `group "${id}" to commit ${offset} of ${key}`,
          () =>
            either(this.#view.committed(id), (offsets) => {
              const committed = offsets.get(key) ?? -1
              return committed >= offset ? { value: committed } : undefined
            }),
          () =>
            either(this.#view.committed(id), (offsets) =>
              offsets.size === 0
                ? 'nothing is committed'
                : `committed are ${[...offsets].map(([at, value]) => `${at}: ${value}`).join(', ')}`,
            ),
          options,
        )
      },
    }
  }

  /** The group has at most so many records to go, over the partitions that it committed (or all of `topic`). */
  lag(
    groupId: string,
    lag: number,
    options: WaitOptions & { readonly topic?: string } = {},
  ): Promise<number> {
    const id = this.#nameOf(groupId)
    const measure = async (): Promise<number | undefined> => {
      const committed = await this.#view.committed(id)
      const topics = new Set(
        options.topic === undefined
          ? [...committed.keys()].map((key) => key.slice(0, key.lastIndexOf('-')))
          : [this.#nameOf(options.topic)],
      )
      if (topics.size === 0) return undefined
      let total = 0
      for (const topic of topics) {
        for (const { partition, startOffset, highWatermark } of (await this.#view.partitions(topic)) ?? []) {
          const offset = committed.get(`${topic}-${partition}`)
          // A partition that nobody read counts only when its topic was named, or others of it were committed.
          total += Math.max(0, highWatermark - (offset ?? startOffset))
        }
      }
      return total
    }
    return this.#waits.until<number>(
      `a lag of ${lag} of group "${id}"`,
      async () => {
        const value = await measure()
        return value !== undefined && value <= lag ? { value } : undefined
      },
      async () => {
        const value = await measure()
        const group = groupText(await this.#view.group(id))
        return value === undefined ? `nothing is committed (${group})` : `it is ${value} (${group})`
      },
      options,
    )
  }

  /** Exactly these in-sync replicas, in any order. */
  isr(place: TopicPartition, isr: readonly number[], options?: WaitOptions): Promise<PartitionState> {
    const wanted = [...isr].sort().join()
    return this.#partition(
      place,
      `the ISR [${isr.join()}]`,
      (state) => [...state.isr].sort().join() === wanted,
      options,
    )
  }

  /** A high watermark of at least `offset`. */
  hw(place: TopicPartition, offset: number, options?: WaitOptions): Promise<PartitionState> {
    return this.#partition(
      place,
      `the high watermark ${offset}`,
      ({ highWatermark }) => highWatermark >= offset,
      options,
    )
  }

  /** A certain leader; without one, any. */
  leader(place: TopicPartition, nodeId?: number, options?: WaitOptions): Promise<PartitionState> {
    return this.#partition(
      place,
      nodeId === undefined ? 'a leader' : `the leader ${nodeId}`,
      ({ leader }) => (nodeId === undefined ? leader >= 0 : leader === nodeId),
      options,
    )
  }

  /** At least so many requests that match, counted from now on or over the whole journal. */
  requests(filter: JournalFilter, count: number, options?: WaitOptions): Promise<readonly JournalEntry[]> {
    checkJournalFilter(filter)
    const journal = this.#journal()
    return this.#waits.until<readonly JournalEntry[]>(
      `${count} request(s) like ${JSON.stringify(filter)}`,
      () => {
        const found = journal.list(filter)
        return found.length >= count ? { value: found } : undefined
      },
      () =>
        `there were ${journal.list(filter).length}${journal.isRecording ? '' : ', and nothing is recorded: start with { journal: true }'}`,
      options,
    )
  }

  #partition(
    place: TopicPartition,
    what: string,
    isMet: (state: PartitionState) => boolean,
    options?: WaitOptions,
  ): Promise<PartitionState> {
    const { topic, partition } = parse(place)
    const name = this.#nameOf(topic)
    return this.#waits.until<PartitionState>(
      `${what} of ${name}-${partition}`,
      () =>
        either(this.#view.partitions(name), (partitions) => {
          const state = partitions?.[partition]
          return state !== undefined && isMet(state) ? { value: state } : undefined
        }),
      () =>
        either(this.#view.partitions(name), (partitions) => {
          const state = partitions?.[partition]
          return state === undefined ? 'there is no such partition' : partitionText(state)
        }),
      options,
    )
  }
}

function either<T, U>(value: T | Promise<T>, change: (value: T) => U): U | Promise<U> {
  return value instanceof Promise ? value.then(change) : change(value)
}

function partitionText(state: PartitionState): string {
  const { partition, leader, leaderEpoch, isr, startOffset, highWatermark } = state
  return `partition ${partition} has leader ${leader} in epoch ${leaderEpoch}, ISR [${isr.join()}], offsets ${startOffset} to ${highWatermark}`
}

function groupText({ state, type, memberIds }: GroupState): string {
  return `the ${type} group is ${state} with ${memberIds.length} member(s)`
}
