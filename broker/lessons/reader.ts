/**
 * A consumer of one partition with committed offsets, as a lesson plays it: polling, working on records and committing are steps of their
 * own, so that it can crash between any two.
 */
import { Fetch } from '../../common/protocol/apis/01-fetch.ts'
import { ListOffsets } from '../../common/protocol/apis/02-list-offsets.ts'
import { OffsetCommit } from '../../common/protocol/apis/08-offset-commit.ts'
import { OffsetFetch } from '../../common/protocol/apis/09-offset-fetch.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { recordsIn } from '../testing/records.ts'
import type { Lab } from './lab.ts'
import { valuesText } from './sent.ts'
import { errorText } from './texts.ts'

const FETCH_BYTES = 1 << 20
/** Names topics rather than giving their ids. */
const OFFSETS_VERSION = 9
const TIMESTAMPS = { earliest: -2, latest: -1 } as const

export class Reader {
  readonly name: string
  readonly groupId: string
  readonly topic: string
  /** Values it has worked on, over all its lives. */
  readonly processed: string[] = []
  #position = 0
  #polled: string[] = []

  constructor(options: { name: string; groupId: string; topic: string }) {
    this.name = options.name
    this.groupId = options.groupId
    this.topic = options.topic
  }

  /** Goes on where the group has committed, or at the beginning. */
  async start(lab: Lab): Promise<string> {
    this.#polled = []
    this.#position = Math.max(0, await this.committed(lab))
    return `${this.name} starts at ${this.#position}`
  }

  crash(): void {
    this.#polled = []
  }

  async poll(lab: Lab, max: number): Promise<string> {
    const { topic } = this
    const { topicId, leader } = lab.partition(topic)
    const answer = await lab.call(leader, Fetch, {
      maxWaitMs: 0,
      minBytes: 0,
      topics: [
        {
          topicId,
          partitions: [{ partition: 0, fetchOffset: this.#position, partitionMaxBytes: FETCH_BYTES }],
        },
      ],
    })
    const read = answer.responses[0]?.partitions[0]
    const errorCode = read?.errorCode ?? answer.errorCode
    if (read === undefined || errorCode !== ErrorCode.NONE)
      return `${this.name} polls at ${this.#position}: ${errorText(errorCode)}`
    const { records } = recordsIn<string | null>(read.records ?? null, {
      ...{ topic, partition: 0, fromOffset: this.#position },
      decode: 'text',
    })
    this.#polled = records.slice(0, max).map(({ value }) => value ?? '')
    this.#position += this.#polled.length
    return `${this.name} gets ${valuesText(this.#polled) || 'nothing'}`
  }

  process(count: number): string {
    const done = this.#polled.splice(0, count)
    this.processed.push(...done)
    return `${this.name} processes ${valuesText(done) || 'nothing'}`
  }

  async commit(lab: Lab): Promise<string> {
    const partitions = [{ partitionIndex: 0, committedOffset: this.#position, committedMetadata: null }]
    const answer = await lab.call(
      await lab.coordinatorOf(0, this.groupId),
      OffsetCommit,
      { groupId: this.groupId, memberId: '', topics: [{ name: this.topic, partitions }] },
      { version: OFFSETS_VERSION },
    )
    const errorCode = answer.topics[0]?.partitions[0]?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
    return `${this.name} commits ${errorCode === ErrorCode.NONE ? this.#position : errorText(errorCode)}`
  }

  /** -1: nothing is. */
  async committed(lab: Lab): Promise<number> {
    const answer = await lab.call(
      await lab.coordinatorOf(0, this.groupId),
      OffsetFetch,
      { groups: [{ groupId: this.groupId, topics: [{ name: this.topic, partitionIndexes: [0] }] }] },
      { version: OFFSETS_VERSION },
    )
    return answer.groups[0]?.topics[0]?.partitions[0]?.committedOffset ?? -1
  }

  async reset(lab: Lab, to: keyof typeof TIMESTAMPS): Promise<string> {
    const { leader } = lab.partition(this.topic)
    const answer = await lab.call(leader, ListOffsets, {
      replicaId: -1,
      topics: [{ name: this.topic, partitions: [{ partitionIndex: 0, timestamp: TIMESTAMPS[to] }] }],
    })
    this.#position = answer.topics[0]?.partitions[0]?.offset ?? -1
    return `${this.name} goes on at ${this.#position}`
  }
}
