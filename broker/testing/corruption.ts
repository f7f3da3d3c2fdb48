/**
 * Damage on the way: records that a client fetches, or that a broker is given, with their last byte turned over, so that their CRC is wrong.
 */
import type { InterceptedRequest } from '../network/interception.ts'

export const CORRUPTIBLE: ReadonlySet<string> = new Set(['Produce', 'Fetch', 'ShareFetch'])

type IsMeant = (topic: string, partition: number | undefined) => boolean

interface TopicPart {
  readonly [field: string]: unknown
  readonly name?: string
  readonly topic?: string
  readonly topicId?: string
}

interface PartitionPart {
  readonly [field: string]: unknown
  readonly records?: Buffer | null
}

/** The request of a Produce with damaged records; others as they are. */
export function corruptedRequest(exchange: InterceptedRequest, isMeant: IsMeant): unknown {
  return exchange.api.name === 'Produce'
    ? damaged(exchange, exchange.request, isMeant, ['topicData', 'partitionData', 'index'])
    : exchange.request
}

/** The answer of a Fetch or ShareFetch with damaged records; others as they are. */
export function corruptedAnswer(exchange: InterceptedRequest, answer: unknown, isMeant: IsMeant): unknown {
  const { name } = exchange.api
  return name === 'Fetch' || name === 'ShareFetch'
    ? damaged(exchange, answer, isMeant, ['responses', 'partitions', 'partitionIndex'])
    : answer
}

function damaged(
  { context }: InterceptedRequest,
  message: unknown,
  isMeant: IsMeant,
  [topicsField, partitionsField, indexField]: readonly [string, string, string],
): unknown {
  const { topicsById } = context.broker.metadata
  const whole = message as Readonly<Record<string, readonly TopicPart[]>>
  const topics = (whole[topicsField] ?? []).map((topic) => {
    const name = topic.name || topic.topic || topicsById.get(topic.topicId ?? '')?.name || ''
    const partitions = topic[partitionsField] as readonly PartitionPart[]
    return {
      ...topic,
      [partitionsField]: partitions.map((partition) =>
        isMeant(name, partition[indexField] as number)
          ? { ...partition, records: turnedOver(partition.records) }
          : partition,
      ),
    }
  })
  return { ...whole, [topicsField]: topics }
}

/** A copy: others read the same memory. */
function turnedOver(records: Buffer | null | undefined): Buffer | null {
  if (records === null || records === undefined) return null
  const copy = Buffer.from(records)
  const last = copy.length - 1
  if (last >= 0) copy[last] = (copy[last] as number) ^ 0xff
  return copy
}
