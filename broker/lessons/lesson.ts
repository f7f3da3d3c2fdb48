/**
 * A lesson as a text file: what the learner reads, and a script of commands with what they must print.
 *
 *     # L2 The fetch loop and the high watermark      title: its number, its name
 *     One sentence that the lesson proves.            the first paragraph; the test bears it as its title
 *     Start: … Do: … See: …                           paragraphs for the learner
 *     ## Long polling                                 a part: it begins on a new cluster
 *     Any other paragraph                             a note, shown before the commands that follow
 *     > step 2 3                                      a command; the lines under it are its transcript
 *
 * A blank line ends a paragraph and a transcript.
 */

export interface LessonStep {
  readonly command: string
  /** What it must print, line by line. */
  readonly expected: readonly string[]
  /** Paragraphs that stand before it. */
  readonly notes: readonly string[]
  /** Line of the file, from 1. */
  readonly line: number
}

export interface LessonPart {
  /** Empty for what stands before the first heading of a part. */
  readonly title: string
  readonly steps: readonly LessonStep[]
}

export interface Lesson {
  /** `L2` */
  readonly id: string
  readonly title: string
  /** One sentence about Kafka. */
  readonly claim: string
  readonly start: string
  readonly does: string
  readonly see: string
  readonly parts: readonly LessonPart[]
}

/** A file that is no lesson, or a command that cannot be carried out. The message is for whoever wrote it. */
export class LessonError extends Error {
  override readonly name = 'LessonError'
}

const COMMAND = '> '
const FIELDS = { Start: 'start', Do: 'does', See: 'see' } as const

interface WritablePart {
  title: string
  steps: LessonStep[]
}

/** @throws LessonError */
export function parseLesson(text: string): Lesson {
  const fields = { start: '', does: '', see: '' }
  let head: { id: string; title: string } | undefined
  let claim = ''
  const parts: WritablePart[] = []
  let notes: string[] = []
  for (const { lines, line } of paragraphs(text)) {
    const [first = ''] = lines
    const field = /^(Start|Do|See): (.*)$/.exec(lines.join(' '))
    const heading = /^# (L\d+) (.+)$/.exec(first)
    if (heading !== null) {
      head = { id: heading[1] as string, title: heading[2] as string }
    } else if (first.startsWith('## ')) {
      parts.push({ title: first.slice(3), steps: [] })
    } else if (first.startsWith(COMMAND)) {
      if (parts.length === 0) parts.push({ title: '', steps: [] })
      ;(parts.at(-1) as WritablePart).steps.push(...stepsIn(lines, line, notes))
      notes = []
    } else if (field !== null) {
      fields[FIELDS[field[1] as keyof typeof FIELDS]] = field[2] as string
    } else if (claim === '') {
      claim = lines.join(' ')
    } else {
      notes.push(lines.join(' '))
    }
  }
  if (head === undefined) throw new LessonError('A lesson begins with its number and name: # L1 Logs.')
  if (parts.length === 0) throw new LessonError(`${head.id} has no commands.`)
  return { ...head, claim, ...fields, parts }
}

function paragraphs(text: string): { lines: string[]; line: number }[] {
  const found: { lines: string[]; line: number }[] = []
  let open: { lines: string[]; line: number } | undefined
  for (const [index, raw] of text.split('\n').entries()) {
    const content = raw.trimEnd()
    if (content === '') {
      open = undefined
      continue
    }
    if (open === undefined) {
      open = { lines: [], line: index + 1 }
      found.push(open)
    }
    open.lines.push(content)
  }
  return found
}

function stepsIn(lines: readonly string[], firstLine: number, notes: readonly string[]): LessonStep[] {
  const steps: { command: string; expected: string[]; notes: readonly string[]; line: number }[] = []
  for (const [index, content] of lines.entries()) {
    if (content.startsWith(COMMAND)) {
      const command = content.slice(COMMAND.length).trim()
      steps.push({ command, expected: [], notes: index === 0 ? notes : [], line: firstLine + index })
    } else {
      steps.at(-1)?.expected.push(content.trim())
    }
  }
  return steps
}
