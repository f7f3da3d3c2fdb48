/**
 * Commands about records: producing, reading, and counting what is lost.
 */
import { Fetch } from '../../common/protocol/apis/01-fetch.ts'
import { ListOffsets } from '../../common/protocol/apis/02-list-offsets.ts'
import { DeleteRecords } from '../../common/protocol/apis/21-delete-records.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { partitionOf, recordsIn } from '../testing/records.ts'
import type { Arguments } from './arguments.ts'
import type { Command } from './command.ts'
import { LessonError } from './lesson.ts'
import { Producer } from './producer.ts'
import { type Outcome, outcomeLines, Sent, valuesText } from './sent.ts'
import type { Stage } from './stage.ts'
import { errorText } from './texts.ts'

const TIMEOUT_MS = 30_000
const FETCH_BYTES = 1 << 20
const ACKS: Readonly<Record<string, -1 | 0 | 1>> = { all: -1, 0: 0, 1: 1 }

function acksOf(args: Arguments): -1 | 0 | 1 {
  const acks = ACKS[args.option('acks') ?? 'all']
  if (acks === undefined) throw new LessonError('acks is 0, 1 or all.')
  return acks
}

async function produce(stage: Stage, args: Arguments): Promise<string[]> {
  const topic = args.word(0, 'a topic')
  const count = args.number('count') ?? 1
  const key = args.option('key') ?? null
  const timeoutMs = args.duration('timeout') ?? TIMEOUT_MS
  const to = args.number('to')
  const acks = acksOf(args)
  const producer = producerOf(stage, args)
  const givenSequence = args.number('sequence')
  const place = args.number('partition')
  args.finish()
  const sent: Sent[] = []
  for (let made = 0; made < count; made++) {
    const partition = place ?? partitionOf({ key }, stage.partitionCount(topic))
    const value = `r${stage.sent.length}`
    const batch = {
      ...{ value, key, topic, partition, acks, timeoutMs, to, producer },
      sequence: givenSequence ?? producer?.takeSequence(`${topic}-${partition}`) ?? -1,
      producerEpoch: producer?.producerEpoch ?? -1,
    }
    const one = new Sent(batch)
    stage.sent.push(one)
    sent.push(one)
    await one.send(stage)
  }
  return report(stage, sent)
}

/** What each producer knows by now; who waits is told of later. */
function report(stage: Stage, sent: readonly Sent[]): string[] {
  const entries = sent.map((one) => {
    const outcome = one.outcome()
    if (outcome === undefined) stage.await(one)
    return { sent: one, outcome: outcome ?? unanswered(stage) }
  })
  return outcomeLines(entries, (batch) => stage.placeText(batch.topic, batch.partition))
}

function unanswered(stage: Stage): Outcome {
  const lost = stage.lostAnswers.shift()
  return { text: lost === undefined ? 'waits' : `written at offset ${lost}, but the answer is lost` }
}

async function retry(stage: Stage, args: Arguments): Promise<string[]> {
  const value = args.word(0, 'a record')
  args.finish()
  const sent = stage.sent.find(({ batch }) => batch.value === value)
  if (sent === undefined) throw new LessonError(`${value} was never sent.`)
  stage.giveUp(sent)
  await sent.send(stage)
  return report(stage, [sent])
}

function producerOf(stage: Stage, args: Arguments): Producer | undefined {
  const name = args.option('by')
  if (name === undefined) return undefined
  const found = stage.producers.get(name)
  if (found === undefined) throw new LessonError(`There is no producer ${name}: say "producer ${name}".`)
  return found
}

function drop(stage: Stage, args: Arguments): string[] {
  args.finish()
  stage.cluster.faults.control('Produce', async (request) => {
    const answer = (await request.proceed()) as {
      responses: readonly { partitionResponses: readonly { baseOffset: number }[] }[]
    }
    stage.lostAnswers.push(answer.responses[0]?.partitionResponses[0]?.baseOffset ?? -1)
    return { silence: true }
  })
  return []
}

/** What a consumer sees of a partition, from an offset up to the watermark or the last stable offset. */
export async function readAll(
  stage: Stage,
  topic: string,
  options: { partition?: number; from?: number; committed?: boolean } = {},
): Promise<readonly { readonly offset: number; readonly value: string }[]> {
  const { partition = 0, from = 0, committed = false } = options
  const { topicId, leader } = stage.partition(topic, partition)
  if (leader < 0) return []
  const found: { offset: number; value: string }[] = []
  for (let fetchOffset = from; ; ) {
    const answer = await stage.call(leader, Fetch, {
      maxWaitMs: 0,
      minBytes: 0,
      isolationLevel: committed ? 1 : 0,
      topics: [{ topicId, partitions: [{ partition, fetchOffset, partitionMaxBytes: FETCH_BYTES }] }],
    })
    const read = answer.responses[0]?.partitions[0]
    const { records, nextOffset } = recordsIn<string | null>(read?.records ?? null, {
      topic,
      partition,
      fromOffset: fetchOffset,
      decode: 'text',
      aborted: committed ? (read?.abortedTransactions ?? []) : [],
    })
    found.push(...records.map(({ offset, value }) => ({ offset, value: value ?? '' })))
    if (nextOffset <= fetchOffset) return found
    fetchOffset = nextOffset
  }
}

async function everything(stage: Stage, topic: string, committed = false): Promise<string[]> {
  const values: string[] = []
  for (let partition = 0; partition < stage.partitionCount(topic); partition++)
    values.push(...(await readAll(stage, topic, { partition, committed })).map(({ value }) => value))
  return values
}

async function consume(stage: Stage, args: Arguments): Promise<string[]> {
  const topic = args.word(0, 'a topic')
  const isCareful = args.words[1] === 'committed'
  args.finish()
  const values = await everything(stage, topic, isCareful)
  const twice = values.length - new Set(values).size
  const duplicates = twice === 0 ? '' : `, ${twice} of them again`
  const who = isCareful ? 'a careful reader' : 'a reader'
  return [
    values.length === 0
      ? `${who} sees nothing`
      : `${who} sees ${values.length}: ${valuesText(values)}${duplicates}`,
  ]
}

async function lost(stage: Stage, args: Arguments): Promise<string[]> {
  const topic = args.word(0, 'a topic')
  args.finish()
  const kept = new Set(await everything(stage, topic))
  const missing = (acks: number): string => {
    const values = stage.sent
      .filter(({ batch, isAcknowledged }) => batch.topic === topic && batch.acks === acks && isAcknowledged)
      .map(({ batch }) => batch.value)
      .filter((value) => !kept.has(value))
    return values.length === 0 ? '0' : `${values.length} (${valuesText(values)})`
  }
  return [`lost though acknowledged: acks=1 ${missing(1)}, acks=all ${missing(-1)}`]
}

async function fetch(stage: Stage, args: Arguments): Promise<string[]> {
  const topic = args.word(0, 'a topic')
  const fetchOffset = args.number('offset') ?? 0
  const currentLeaderEpoch = args.number('epoch') ?? -1
  const partition = args.number('partition') ?? 0
  const to = args.number('to') ?? stage.leaderOf(topic, partition)
  args.finish()
  const { topicId } = stage.partition(topic, partition)
  const answer = await stage.call(to, Fetch, {
    maxWaitMs: 0,
    minBytes: 0,
    topics: [
      {
        topicId,
        partitions: [{ partition, fetchOffset, currentLeaderEpoch, partitionMaxBytes: FETCH_BYTES }],
      },
    ],
  })
  const read = answer.responses[0]?.partitions[0]
  if (read === undefined || read.errorCode !== ErrorCode.NONE)
    return [errorText(read?.errorCode ?? answer.errorCode)]
  const { records } = recordsIn<string | null>(read.records ?? null, {
    ...{ topic, partition, fromOffset: fetchOffset },
    decode: 'text',
  })
  const values = valuesText(records.map(({ value }) => value ?? ''))
  return [`${values === '' ? 'nothing' : values}, HW ${read.highWatermark}`]
}

async function latest(stage: Stage, args: Arguments): Promise<string[]> {
  const topic = args.word(0, 'a topic')
  args.finish()
  const answer = await stage.call(stage.leaderOf(topic), ListOffsets, {
    replicaId: -1,
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
  })
  const found = answer.topics[0]?.partitions[0]
  const errorCode = found?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
  return [errorCode === ErrorCode.NONE ? `latest ${found?.offset}` : errorText(errorCode)]
}

/** LEO, HW and LSO of a partition at its leader. */
async function offsets(stage: Stage, args: Arguments): Promise<string[]> {
  const topic = args.word(0, 'a topic')
  args.finish()
  const { topicId, replicas, leader } = stage.partition(topic)
  const own = replicas.find(({ nodeId }) => nodeId === leader)
  const answer = await stage.call(leader, Fetch, {
    maxWaitMs: 0,
    minBytes: 0,
    isolationLevel: 1,
    topics: [{ topicId, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 }] }],
  })
  const read = answer.responses[0]?.partitions[0]
  return [`LEO ${own?.logEndOffset} HW ${own?.highWatermark} LSO ${read?.lastStableOffset}`]
}

async function deleteRecords(stage: Stage, args: Arguments): Promise<string[]> {
  const topic = args.word(0, 'a topic')
  const offset = args.number('before') ?? -1
  args.finish()
  const answer = await stage.call(stage.leaderOf(topic), DeleteRecords, {
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, offset }] }],
    timeoutMs: TIMEOUT_MS,
  })
  const done = answer.topics[0]?.partitions[0]
  const errorCode = done?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
  return [errorCode === ErrorCode.NONE ? `the log starts at ${done?.lowWatermark}` : errorText(errorCode)]
}

async function producer(stage: Stage, args: Arguments): Promise<string[]> {
  const name = args.word(0, 'a name')
  const made = new Producer(name, args.option('transactional') ?? null)
  args.finish()
  stage.producers.set(name, made)
  return [await made.init(stage)]
}

async function end(stage: Stage, args: Arguments): Promise<string[]> {
  const name = args.word(0, 'a producer')
  const how = args.word(1, 'commit or abort')
  args.finish()
  const found = stage.producers.get(name)
  if (found === undefined || (how !== 'commit' && how !== 'abort'))
    throw new LessonError(`There is no producer ${name}, or nothing called ${how}.`)
  const said = await found.end(stage, how === 'commit')
  // The answer comes before the markers are written.
  await stage.cluster.clock.advance(PATIENCE_MS)
  return [said]
}

const PATIENCE_MS = 100

export const RECORD_COMMANDS: Readonly<Record<string, Command>> = {
  produce: {
    usage:
      'produce TOPIC [count=1] [key=K] [acks=all|1|0] [timeout=30s] [to=BROKER] [by=PRODUCER] [sequence=N]',
    about: 'Sends records r0, r1 … each in a batch of its own, and says what the producer is told.',
    run: produce,
  },
  retry: { usage: 'retry RECORD', about: 'Sends the very same batch again.', run: retry },
  'drop-answer': {
    usage: 'drop-answer',
    about: 'The next answer to a Produce is lost on its way.',
    run: drop,
  },
  consume: {
    usage: 'consume TOPIC [committed]',
    about: 'All that a consumer sees, or a read_committed one.',
    run: consume,
  },
  fetch: {
    usage: 'fetch TOPIC offset=N [epoch=N] [to=BROKER]',
    about: 'One Fetch of a consumer.',
    run: fetch,
  },
  latest: { usage: 'latest TOPIC', about: 'The end of the partition as consumers are told.', run: latest },
  offsets: {
    usage: 'offsets TOPIC',
    about: 'Log end, high watermark and last stable offset at the leader.',
    run: offsets,
  },
  lost: {
    usage: 'lost TOPIC',
    about: 'Records whose producers were told that they are written, and that are gone.',
    run: lost,
  },
  'delete-records': {
    usage: 'delete-records TOPIC before=N',
    about: 'Removes what lies before an offset.',
    run: deleteRecords,
  },
  producer: {
    usage: 'producer NAME [transactional=ID]',
    about: 'A producer with an id: idempotent, or transactional.',
    run: producer,
  },
  end: { usage: 'end PRODUCER commit|abort', about: 'Ends its transaction.', run: end },
}
