/**
 * Commands about groups: members step by step, and readers that commit.
 */
import { DescribeGroups } from '../../common/protocol/apis/15-describe-groups.ts'
import type { Arguments } from './arguments.ts'
import type { Command } from './command.ts'
import { LessonError } from './lesson.ts'
import { Member, type MemberProtocol, partitionsIn } from './member.ts'
import { Reader } from './reader.ts'
import { valuesText } from './sent.ts'
import type { Stage } from './stage.ts'
import { rangesText } from './texts.ts'

const DESCRIBE_VERSION = 5
const PROTOCOLS: readonly string[] = ['eager', 'cooperative', 'consumer']

/** What members send by themselves. */
export async function heartbeats(stage: Stage, passedMs: number): Promise<string[]> {
  const lines: string[] = []
  for (const member of stage.members.values()) lines.push(...(await member.beat(stage, passedMs)))
  return lines
}

function memberOf(stage: Stage, name: string): Member {
  const found = stage.members.get(name)
  if (found === undefined) throw new LessonError(`There is no member ${name}: say "member ${name}".`)
  return found
}

function readerOf(stage: Stage, args: Arguments): Reader {
  const name = args.word(0, 'a reader')
  const found = stage.readers.get(name)
  if (found === undefined) throw new LessonError(`There is no reader ${name}: say "reader ${name}".`)
  return found
}

function member(stage: Stage, args: Arguments): string[] {
  const protocol = args.option('protocol') ?? 'eager'
  if (!PROTOCOLS.includes(protocol)) throw new LessonError(`A protocol is one of ${PROTOCOLS.join(', ')}.`)
  const groupId = args.option('group') ?? 'g'
  const topic = args.option('topic') ?? 't'
  const instanceId = args.option('instance') ?? null
  args.finish()
  for (const name of args.words)
    stage.members.set(
      name,
      new Member({ name, groupId, topic, protocol: protocol as MemberProtocol, instanceId }),
    )
  return []
}

function eachMember(act: (stage: Stage, member: Member) => Promise<readonly string[]>): Command['run'] {
  return async (stage, args) => {
    args.finish()
    const lines: string[] = []
    for (const name of args.words) lines.push(...(await act(stage, memberOf(stage, name))))
    return lines
  }
}

async function heartbeat(stage: Stage, args: Arguments): Promise<string[]> {
  const epoch = args.number('epoch')
  args.finish()
  const lines: string[] = []
  for (const name of args.words) lines.push(await memberOf(stage, name).heartbeat(stage, epoch))
  return lines
}

async function commit(stage: Stage, args: Arguments): Promise<string[]> {
  const name = args.word(0, 'a member or reader')
  const reader = stage.readers.get(name)
  if (reader !== undefined) {
    args.finish()
    return [await reader.commit(stage)]
  }
  const found = memberOf(stage, name)
  const partition = args.number('partition') ?? 0
  const offset = args.number('offset') ?? 0
  const generation = args.number('generation') ?? args.number('epoch') ?? found.generation
  args.finish()
  return [await found.commit(stage, { partition, offset, generation })]
}

/** State of a classic group and who is to have what. */
async function group(stage: Stage, args: Arguments): Promise<string[]> {
  const groupId = args.words[0] ?? 'g'
  args.finish()
  const answer = await stage.call(
    await stage.coordinatorOf(0, groupId),
    DescribeGroups,
    { groups: [groupId] },
    { version: DESCRIBE_VERSION },
  )
  const [found] = answer.groups
  const nameOf = (memberId: string): string =>
    [...stage.members.values()].find((known) => known.memberId === memberId)?.name ?? '?'
  const shares = (found?.members ?? [])
    .map(({ memberId, memberAssignment }) => {
      const partitions = partitionsIn(memberAssignment)
      return `${nameOf(memberId)} ${partitions.length === 0 ? 'none' : rangesText(partitions)}`
    })
    .sort()
  return [`${found?.groupState}${shares.length === 0 ? '' : `: ${shares.join(', ')}`}`]
}

async function reader(stage: Stage, args: Arguments): Promise<string[]> {
  const name = args.word(0, 'a name')
  const made = new Reader({
    name,
    groupId: args.option('group') ?? 'g',
    topic: args.option('topic') ?? 't',
  })
  args.finish()
  stage.readers.set(name, made)
  return [await made.start(stage)]
}

async function poll(stage: Stage, args: Arguments): Promise<string[]> {
  const max = args.number('max') ?? 5
  args.finish()
  return [await readerOf(stage, args).poll(stage, max)]
}

function processRecords(stage: Stage, args: Arguments): string[] {
  const count = args.number('count') ?? Number.POSITIVE_INFINITY
  args.finish()
  return [readerOf(stage, args).process(count)]
}

function crash(stage: Stage, args: Arguments): string[] {
  args.finish()
  for (const name of args.words) {
    const found = stage.readers.get(name)
    if (found === undefined) memberOf(stage, name).isSilent = true
    else found.crash()
  }
  return []
}

async function restart(stage: Stage, args: Arguments): Promise<string[]> {
  args.finish()
  return [await readerOf(stage, args).start(stage)]
}

async function reset(stage: Stage, args: Arguments): Promise<string[]> {
  const to = args.word(1, 'earliest or latest')
  args.finish()
  if (to !== 'earliest' && to !== 'latest') throw new LessonError('A reset is to earliest or to latest.')
  return [await readerOf(stage, args).reset(stage, to)]
}

async function lag(stage: Stage, args: Arguments): Promise<string[]> {
  args.finish()
  const found = readerOf(stage, args)
  const { replicas, leader } = stage.partition(found.topic)
  const end = replicas.find(({ nodeId }) => nodeId === leader)?.highWatermark ?? 0
  return [`lag ${end - Math.max(0, await found.committed(stage))}`]
}

/** What a reader has worked on, compared with what was sent. */
function processed(stage: Stage, args: Arguments): string[] {
  args.finish()
  const found = readerOf(stage, args)
  const once = new Set(found.processed)
  const never = stage.sent
    .map(({ batch }) => batch)
    .filter(({ topic, value }) => topic === found.topic && !once.has(value))
    .map(({ value }) => value)
  const again = found.processed.length - once.size
  return [
    `${found.name} processed ${found.processed.length}, ${again} of them again; never processed ${
      never.length === 0 ? '0' : `${never.length} (${valuesText(never)})`
    }`,
  ]
}

export const GROUP_COMMANDS: Readonly<Record<string, Command>> = {
  member: {
    usage: 'member NAME … [protocol=eager|cooperative|consumer] [instance=ID] [group=g] [topic=t]',
    about: 'Members of a group that have not joined yet.',
    run: member,
  },
  join: {
    usage: 'join MEMBER …',
    about: 'One JoinGroup of each.',
    run: eachMember((stage, one) => one.join(stage)),
  },
  sync: {
    usage: 'sync MEMBER …',
    about: 'One SyncGroup of each.',
    run: eachMember((stage, one) => one.sync(stage)),
  },
  heartbeat: { usage: 'heartbeat MEMBER … [epoch=N]', about: 'One heartbeat of each.', run: heartbeat },
  commit: {
    usage: 'commit MEMBER partition=P offset=N [generation=G|epoch=E], or commit READER',
    about: 'Commits an offset.',
    run: commit,
  },
  group: { usage: 'group [ID]', about: 'State of a classic group and who is to have what.', run: group },
  reader: {
    usage: 'reader NAME [group=g] [topic=t]',
    about: 'A consumer that commits when it is told to.',
    run: reader,
  },
  poll: { usage: 'poll READER [max=5]', about: 'The next records.', run: poll },
  process: { usage: 'process READER [count=N]', about: 'Works on what it polled.', run: processRecords },
  crash: {
    usage: 'crash MEMBER|READER …',
    about: 'It is heard of no more, and forgets what it had.',
    run: crash,
  },
  restart: { usage: 'restart READER', about: 'Goes on where the group has committed.', run: restart },
  reset: { usage: 'reset READER earliest|latest', about: 'What auto.offset.reset does.', run: reset },
  lag: { usage: 'lag READER', about: 'From its committed offset to the watermark.', run: lag },
  processed: { usage: 'processed READER', about: 'What it has worked on, twice or never.', run: processed },
}
