/**
 * Plays lessons: carries out their commands one by one and compares what they print with what the file says.
 */
import { errorName } from '../../common/protocol/errors.ts'
import type { TraceEvent } from '../../common/runtime/trace.ts'
import { KafkaError } from '../testing/kafka-error.ts'
import { Arguments } from './arguments.ts'
import { type Lesson, LessonError, type LessonPart, type LessonStep } from './lesson.ts'
import { Stage } from './stage.ts'
import { VOCABULARY } from './vocabulary.ts'

export interface PlayedStep {
  readonly step: LessonStep
  readonly printed: readonly string[]
  /** The transcript is as the file says. */
  readonly isAsExpected: boolean
}

export interface PlayedPart {
  readonly part: LessonPart
  readonly steps: readonly PlayedStep[]
}

/** All parts, each on a cluster of its own. @throws LessonError when a command cannot be carried out */
export async function playLesson(lesson: Lesson): Promise<readonly PlayedPart[]> {
  const played: PlayedPart[] = []
  for (const part of lesson.parts) played.push({ part, steps: await playPart(part) })
  return played
}

async function playPart(part: LessonPart): Promise<readonly PlayedStep[]> {
  const stage = new Stage()
  const steps: PlayedStep[] = []
  try {
    for (const step of part.steps) {
      const printed = await perform(stage, step.command).catch((error: unknown) => {
        if (!(error instanceof LessonError)) throw error
        throw new LessonError(`line ${step.line}, ${step.command}: ${error.message}`)
      })
      steps.push({ step, printed, isAsExpected: isTranscript(printed, step.expected) })
    }
  } finally {
    await stage.close()
  }
  return steps
}

/** Carries out one command. @returns what it prints @throws LessonError */
export async function perform(stage: Stage, command: string): Promise<readonly string[]> {
  const args = new Arguments(command)
  const found = VOCABULARY.get(args.verb)
  if (found === undefined) throw new LessonError(`There is no command ${args.verb}.`)
  stage.events.length = 0
  let said: readonly string[]
  try {
    said = await found.run(stage, args)
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    said = [`${errorName(error.errorCode)} (${error.errorCode})`]
  }
  return [...said, ...eventLines(stage.events, args.verb === 'step'), ...stage.news()]
}

/** What replicas did: every fetch while it is stepped, else only where histories parted. */
function eventLines(events: readonly TraceEvent[], withFetches: boolean): string[] {
  return events.flatMap((event): string[] => {
    const data = (event.data ?? {}) as Readonly<Record<string, unknown>>
    if (String(data.topic).startsWith('__')) return []
    if (event.kind === 'log.truncated') {
      const nodeId = /broker-(\d+)/.exec(String(data.path))?.[1]
      return [`${nodeId} cuts its log from ${data.from} to ${data.to}`]
    }
    if (event.kind !== 'replica.fetched') return []
    const { epoch, endOffset } = (data.divergingEpoch ?? { epoch: -1, endOffset: -1 }) as {
      epoch: number
      endOffset: number
    }
    const errorCode = Number(data.errorCode)
    const fetch = `${event.nodeId} fetches at ${data.fetchOffset}`
    if (errorCode !== 0)
      return withFetches || errorCode === 1 ? [`${fetch}: ${errorName(errorCode)} (${errorCode})`] : []
    if (endOffset >= 0)
      return [`${fetch} after epoch ${data.lastFetchedEpoch}: diverging, epoch ${epoch} ends at ${endOffset}`]
    if (!withFetches) return []
    if (data.highWatermark === undefined) return [`${fetch}: nothing new`]
    return [`${fetch}: ${Number(data.recordsBytes) > 0 ? 'records' : 'nothing'}, HW ${data.highWatermark}`]
  })
}

function isTranscript(printed: readonly string[], expected: readonly string[]): boolean {
  return printed.length === expected.length && printed.every((line, index) => line === expected[index])
}

/** The part as it was played, in the form of the file. */
export function transcript({ part, steps }: PlayedPart): string {
  const lines = steps.flatMap(({ step, printed }) => [`> ${step.command}`, ...printed])
  return [...(part.title === '' ? [] : [`## ${part.title}`]), ...lines].join('\n')
}

/** The part as the file has it, to compare. */
export function expectedTranscript({ part }: PlayedPart): string {
  const lines = part.steps.flatMap(({ command, expected }) => [`> ${command}`, ...expected])
  return [...(part.title === '' ? [] : [`## ${part.title}`]), ...lines].join('\n')
}
