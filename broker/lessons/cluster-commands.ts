/**
 * Commands about the cluster: what it is, what happens to its brokers, links and clock, and what its replicas look like.
 */
import { Metadata } from '../../common/protocol/apis/03-metadata.ts'
import { CreatePartitions } from '../../common/protocol/apis/37-create-partitions.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { durationMs } from '../testing/cluster-clock.ts'
import type { ReplicatedPartition } from '../testing/replica-view.ts'
import type { Arguments } from './arguments.ts'
import type { Command } from './command.ts'
import { heartbeats } from './group-commands.ts'
import { LessonError } from './lesson.ts'
import { Sent } from './sent.ts'
import type { Stage } from './stage.ts'
import { errorText } from './texts.ts'

const BROKERS = 3
const SECOND_MS = 1_000
const TIMEOUT_MS = 5_000
/** The next thing a broker does by itself (register, fetch, elect) needs no more. */
const AFTERMATH_MS = 500

async function cluster(stage: Stage, args: Arguments): Promise<string[]> {
  const brokers = args.number('brokers') ?? BROKERS
  const loseTail = args.option('lose-tail') === 'yes'
  const history = args.option('history')?.split(',') ?? []
  const config = args.rest()
  await stage.start({
    brokers,
    controllers: 1,
    seed: 1,
    loseTail,
    config: {
      'offsets.topic.num.partitions': 1,
      'transaction.state.log.num.partitions': 1,
      ...config,
    },
    replicaHistory: {
      commitsBelowMinIsr: history.includes('commits-below-min-isr'),
      cutsToOwnWatermark: history.includes('cuts-to-own-watermark'),
    },
  })
  return []
}

async function topic(stage: Stage, args: Arguments): Promise<string[]> {
  const name = args.word(0, 'a name')
  const partitions = args.number('partitions') ?? 1
  const replicas = args.numbers('replicas') ?? [1, 2, 3]
  await stage.cluster.topic(name).create({
    assignments: Array.from({ length: partitions }, () => replicas),
    configs: args.rest(),
  })
  await stage.cluster.clock.advance(AFTERMATH_MS)
  return []
}

async function grow(stage: Stage, args: Arguments): Promise<string[]> {
  const name = args.word(0, 'a topic')
  const count = Number(args.word(1, 'a number of partitions'))
  args.finish()
  const answer = await stage.call(stage.anyBroker(), CreatePartitions, {
    topics: [{ name, count, assignments: null }],
    timeoutMs: TIMEOUT_MS,
    validateOnly: false,
  })
  await stage.cluster.clock.advance(AFTERMATH_MS)
  const errorCode = answer.results[0]?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
  return [errorCode === ErrorCode.NONE ? `${count} partitions` : errorText(errorCode)]
}

// --- views -----------------------------------------------------------------------------------------------------------

function describe(stage: Stage, args: Arguments): string[] {
  const name = args.word(0, 'a topic')
  args.finish()
  return Array.from({ length: stage.partitionCount(name) }, (_, index) =>
    partitionText(`${name}-${index}`, stage.partition(name, index)),
  )
}

/** `t-0 leader 1 LE 0 PE 0 ISR{1,2,3} ELR{} 1:2/2 2:2/1 3:down` */
export function partitionText(name: string, state: ReplicatedPartition): string {
  const { leader, leaderEpoch, partitionEpoch, isr, elr, lastKnownLeader, isRecovering, replicas } = state
  return [
    `${name} leader ${leader < 0 ? 'none' : leader} LE ${leaderEpoch} PE ${partitionEpoch}`,
    `ISR{${isr.join()}} ELR{${elr.join()}}`,
    ...(lastKnownLeader < 0 ? [] : [`last known leader ${lastKnownLeader}`]),
    ...(isRecovering ? ['recovering'] : []),
    ...replicas.map(({ nodeId, isRunning, logEndOffset, highWatermark }) =>
      isRunning ? `${nodeId}:${logEndOffset}/${highWatermark}` : `${nodeId}:down`,
    ),
  ].join(' ')
}

function epochs(stage: Stage, args: Arguments): string[] {
  const name = args.word(0, 'a topic')
  args.finish()
  return stage.partition(name).replicas.map(({ nodeId, isRunning, epochs: entries }) => {
    const known = entries.map(({ epoch, startOffset }) => `${epoch}→${startOffset}`).join(', ')
    return isRunning ? `${nodeId}: {${known}}` : `${nodeId}: down`
  })
}

/** What a broker tells clients. */
async function metadata(stage: Stage, args: Arguments): Promise<string[]> {
  const name = args.word(0, 'a topic')
  const from = args.number('from') ?? stage.anyBroker()
  args.finish()
  const answer = await stage.call(from, Metadata, { topics: [{ name }], allowAutoTopicCreation: false })
  const found = answer.topics?.[0]?.partitions[0]
  const errorCode = found?.errorCode || answer.topics?.[0]?.errorCode || ErrorCode.NONE
  const error = errorCode === ErrorCode.NONE ? '' : `, ${errorText(errorCode)}`
  return [`broker ${from} says leader ${found?.leaderId} LE ${found?.leaderEpoch}${error}`]
}

// --- brokers and links -----------------------------------------------------------------------------------------------

function eachBroker(change: (stage: Stage, nodeId: number) => void | Promise<void>): Command['run'] {
  return async (stage, args) => {
    const nodes = args.nodes()
    args.finish()
    for (const nodeId of nodes) await change(stage, nodeId)
    await stage.cluster.clock.settle()
    return []
  }
}

async function kill(stage: Stage, args: Arguments): Promise<string[]> {
  const loseTail = args.words.at(-1) === 'lose-tail'
  const nodes = args.nodes(0, loseTail ? -1 : undefined)
  args.finish()
  for (const nodeId of nodes) stage.cluster.broker(nodeId).kill({ loseTail })
  await stage.cluster.clock.settle()
  return []
}

async function start(stage: Stage, args: Arguments): Promise<string[]> {
  const isPaused = args.words.at(-1) === 'paused'
  const nodes = args.nodes(0, isPaused ? -1 : undefined)
  args.finish()
  for (const nodeId of nodes) await stage.cluster.broker(nodeId).start({ pausedFetch: isPaused })
  await stage.cluster.clock.advance(AFTERMATH_MS)
  return []
}

/** One fetch of each at the same time: none learns what another one's fetch brought about. */
async function step(stage: Stage, args: Arguments): Promise<string[]> {
  const nodes = args.nodes()
  args.finish()
  for (const nodeId of nodes) stage.cluster.broker(nodeId).stepFetch()
  await stage.cluster.clock.settle()
  return []
}

/** `isolate 1 | 2 3 controller` */
async function isolate(stage: Stage, args: Arguments): Promise<string[]> {
  const controllers = stage.cluster.nodes.filter(({ role }) => role === 'controller')
  const groups: number[][] = [[]]
  for (const word of args.words) {
    if (word === '|') groups.push([])
    else if (word === 'controller') groups.at(-1)?.push(...controllers.map(({ nodeId }) => nodeId))
    else groups.at(-1)?.push(Number(word))
  }
  args.finish()
  if (groups.length < 2) throw new LessonError('isolate needs two groups: isolate 1 | 2 3 controller.')
  stage.cluster.network.isolate(...groups)
  return []
}

/** One direction only: requests go out, answers do not come back, or the other way round. */
async function cut(stage: Stage, args: Arguments): Promise<string[]> {
  const [from, to] = args.nodes()
  args.finish()
  if (from === undefined || to === undefined) throw new LessonError('cut needs two brokers: cut 1 2.')
  stage.cluster.network.cut(from, to)
  return []
}

async function heal(stage: Stage, args: Arguments): Promise<string[]> {
  args.finish()
  stage.cluster.network.heal()
  await stage.cluster.clock.settle()
  return []
}

async function elect(stage: Stage, args: Arguments): Promise<string[]> {
  const name = args.word(0, 'a topic')
  const election = args.words[1] ?? 'preferred'
  args.finish()
  if (election !== 'preferred' && election !== 'unclean')
    throw new LessonError('An election is preferred or unclean.')
  const errorCode = await stage.cluster.electLeader(name, 0, election)
  await stage.cluster.clock.advance(AFTERMATH_MS)
  return [errorCode === ErrorCode.NONE ? `leader ${stage.partition(name).leader}` : errorText(errorCode)]
}

async function config(stage: Stage, args: Arguments): Promise<string[]> {
  const name = args.word(0, 'a topic')
  await stage.cluster.alterConfigs('topic', name, args.rest())
  await stage.cluster.clock.settle()
  return []
}

// --- time ------------------------------------------------------------------------------------------------------------

/** Lets time pass; clients that live send their heartbeats, and records when they are told to. */
async function advance(stage: Stage, args: Arguments): Promise<string[]> {
  const ms = durationMs(args.word(0, 'a time'))
  const topicName = args.option('sending')
  const everyMs = args.duration('every') ?? SECOND_MS
  args.finish()
  const lines: string[] = []
  if (topicName === undefined && stage.members.size === 0) {
    await stage.cluster.clock.advance(ms)
    return lines
  }
  for (let passedMs = 0; passedMs < ms; ) {
    if (topicName !== undefined) await sendOne(stage, topicName)
    const sliceMs = Math.min(everyMs, ms - passedMs)
    await stage.cluster.clock.advance(sliceMs)
    passedMs += sliceMs
    lines.push(...(await heartbeats(stage, sliceMs)))
  }
  return lines
}

async function sendOne(stage: Stage, topicName: string): Promise<void> {
  const sent = new Sent({
    value: `r${stage.sent.length}`,
    key: null,
    topic: topicName,
    partition: 0,
    acks: -1,
    timeoutMs: 120_000,
    to: undefined,
    producer: undefined,
    sequence: -1,
    producerEpoch: -1,
  })
  stage.sent.push(sent)
  await sent.send(stage)
  stage.await(sent)
}

// --- forks -----------------------------------------------------------------------------------------------------------

function remember(stage: Stage, args: Arguments): string[] {
  const name = args.word(0, 'a name')
  args.finish()
  stage.remember(name)
  return []
}

async function fork(stage: Stage, args: Arguments): Promise<string[]> {
  const name = args.word(0, 'a name')
  args.finish()
  await stage.fork(name)
  return []
}

export const CLUSTER_COMMANDS: Readonly<Record<string, Command>> = {
  cluster: {
    usage:
      'cluster [brokers=3] [lose-tail=yes] [history=commits-below-min-isr,cuts-to-own-watermark] [SETTING=VALUE …]',
    about: 'A new cluster with a controller of its own, in virtual time.',
    run: cluster,
  },
  topic: {
    usage: 'topic NAME [partitions=1] [replicas=1,2,3] [SETTING=VALUE …]',
    about: 'Creates a topic.',
    run: topic,
  },
  grow: { usage: 'grow TOPIC COUNT', about: 'Asks for so many partitions.', run: grow },
  config: { usage: 'config TOPIC SETTING=VALUE', about: 'Changes settings of a topic.', run: config },
  describe: {
    usage: 'describe TOPIC',
    about:
      'Leader, leader epoch, partition epoch, ISR and ELR as the controller has them, and LEO/HW of each replica.',
    run: describe,
  },
  epochs: {
    usage: 'epochs TOPIC',
    about: 'Where each leader epoch begins in the log of each replica.',
    run: epochs,
  },
  metadata: {
    usage: 'metadata TOPIC [from=BROKER]',
    about: 'The leader that a broker tells clients.',
    run: metadata,
  },
  step: { usage: 'step BROKER …', about: 'One fetch of each of these paused followers.', run: step },
  pause: {
    usage: 'pause BROKER …',
    about: 'As followers they fetch no more.',
    run: eachBroker((stage, nodeId) => stage.cluster.broker(nodeId).pauseFetch({ atOnce: true })),
  },
  resume: {
    usage: 'resume BROKER …',
    about: 'They fetch again.',
    run: eachBroker((stage, nodeId) => stage.cluster.broker(nodeId).resumeFetch()),
  },
  stop: {
    usage: 'stop BROKER …',
    about: 'A controlled shutdown.',
    run: eachBroker((stage, nodeId) => stage.cluster.broker(nodeId).stop()),
  },
  kill: {
    usage: 'kill BROKER … [lose-tail]',
    about:
      'The process dies without proof of a clean shutdown; its log stays, or only what its disk had synced.',
    run: kill,
  },
  freeze: {
    usage: 'freeze BROKER …',
    about: 'The process stands still.',
    run: eachBroker((stage, nodeId) => stage.cluster.broker(nodeId).freeze()),
  },
  thaw: {
    usage: 'thaw BROKER …',
    about: 'It goes on.',
    run: eachBroker((stage, nodeId) => stage.cluster.broker(nodeId).thaw()),
  },
  start: {
    usage: 'start BROKER … [paused]',
    about: 'Starts brokers again; paused ones do not fetch yet.',
    run: start,
  },
  isolate: {
    usage: 'isolate BROKER … | BROKER … controller',
    about: 'Cuts the links between groups.',
    run: isolate,
  },
  cut: { usage: 'cut FROM TO', about: 'Nothing passes from one broker to the other any more.', run: cut },
  heal: { usage: 'heal', about: 'All links work again.', run: heal },
  elect: { usage: 'elect TOPIC [preferred|unclean]', about: 'Holds an election.', run: elect },
  advance: {
    usage: 'advance TIME [sending=TOPIC] [every=1s]',
    about: 'Lets time pass, perhaps with a record every second (acks=all).',
    run: advance,
  },
  remember: { usage: 'remember NAME', about: 'Keeps the state of this moment.', run: remember },
  fork: {
    usage: 'fork NAME',
    about: 'Goes on in a second cluster that begins as it was remembered.',
    run: fork,
  },
}
