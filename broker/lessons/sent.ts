/**
 * Records that a lesson produces, and what their producers were told: what was acknowledged and is not there any more was lost.
 */
import { Produce } from '../../common/protocol/apis/00-produce.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { BatchBuilder } from '../../common/record/batch-builder.ts'
import type { PendingCall } from '../testing/pending-call.ts'
import type { Lab } from './lab.ts'
import type { Producer } from './producer.ts'
import { errorText, rangesText } from './texts.ts'

export interface Batch {
  readonly value: string
  readonly key: string | null
  readonly topic: string
  readonly partition: number
  readonly acks: -1 | 0 | 1
  readonly timeoutMs: number
  /** undefined: whoever leads. */
  readonly to: number | undefined
  readonly producer: Producer | undefined
  readonly sequence: number
  readonly producerEpoch: number
}

export class Sent {
  readonly batch: Batch
  /** The producer was told that it was written. */
  isAcknowledged = false
  #call:
    | PendingCall<{
        readonly responses: readonly {
          readonly partitionResponses: readonly { readonly errorCode: number; readonly baseOffset: number }[]
        }[]
      }>
    | undefined

  constructor(batch: Batch) {
    this.batch = batch
  }

  /** Sends it, for the first time or again: just the same bytes. */
  async send(lab: Lab): Promise<void> {
    const { batch } = this
    const { topic, partition, producer } = batch
    const builder = new BatchBuilder(
      producer === undefined
        ? {}
        : {
            producerId: producer.producerId,
            producerEpoch: batch.producerEpoch,
            baseSequence: batch.sequence,
            isTransactional: producer.transactionalId !== null,
          },
    )
    const key = batch.key === null ? null : Buffer.from(batch.key)
    builder.append(lab.cluster.clock.now(), key, Buffer.from(batch.value))
    const { topicId } = lab.partition(topic, partition)
    this.#call = await lab.send(batch.to ?? lab.leaderOf(topic, partition), Produce, {
      transactionalId: producer?.transactionalId ?? null,
      acks: batch.acks,
      timeoutMs: batch.timeoutMs,
      topicData: [{ topicId, partitionData: [{ index: partition, records: builder.build() }] }],
    })
  }

  /** What the producer knows; undefined while it waits. */
  outcome(): Outcome | undefined {
    const { acks } = this.batch
    if (acks === 0) return { text: 'no answer is asked for' }
    const found = this.#call?.outcome
    if (found === undefined) return undefined
    if ('failure' in found) return { text: found.failure }
    const answer = found.response.responses[0]?.partitionResponses[0]
    if (answer === undefined) return { text: 'no answer for the partition' }
    if (answer.errorCode !== ErrorCode.NONE) return { text: errorText(answer.errorCode) }
    this.isAcknowledged = true
    return { offset: answer.baseOffset }
  }
}

export type Outcome = { readonly offset: number } | { readonly text: string }

interface Run {
  readonly names: string[]
  readonly place: string
  readonly offsets: number[]
  readonly text: string
}

/** One line for records in a row that fared alike. @param placeOf names the partition, or is empty when the topic has only one */
export function outcomeLines(
  entries: readonly { readonly sent: Sent; readonly outcome: Outcome }[],
  placeOf: (batch: Batch) => string,
): string[] {
  const runs: Run[] = []
  for (const { sent, outcome } of entries) {
    const place = placeOf(sent.batch)
    const text = 'text' in outcome ? outcome.text : ''
    let run = runs.at(-1)
    if (run === undefined || run.place !== place || run.text !== text) {
      run = { names: [], place, offsets: [], text }
      runs.push(run)
    }
    run.names.push(sent.batch.value)
    if ('offset' in outcome) run.offsets.push(outcome.offset)
  }
  return runs.map(({ names, place, offsets, text }) => {
    const what = text === '' ? `${place}offset ${rangesText(offsets)}` : text
    return `${valuesText(names)}: ${what}`
  })
}

/** `r0-r3 r3 x`: values as the lesson named them, those in a row joined. */
export function valuesText(values: readonly string[]): string {
  const runs: { from: string; to: string; next: number }[] = []
  for (const value of values) {
    const found = /^r(\d+)$/.exec(value)
    const last = runs.at(-1)
    if (found !== null && last !== undefined && last.next === Number(found[1])) {
      last.to = value
      last.next += 1
    } else {
      runs.push({ from: value, to: value, next: found === null ? -1 : Number(found[1]) + 1 })
    }
  }
  return runs.map(({ from, to }) => (from === to ? from : `${from}-${to}`)).join(' ')
}
