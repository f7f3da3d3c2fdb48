import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Arguments } from '../../../../broker/lessons/arguments.ts'
import { LessonError, parseLesson } from '../../../../broker/lessons/lesson.ts'
import { expectedTranscript, playLesson, transcript } from '../../../../broker/lessons/player.ts'
import { valuesText } from '../../../../broker/lessons/sent.ts'
import { rangesText } from '../../../../broker/lessons/texts.ts'
import { VOCABULARY } from '../../../../broker/lessons/vocabulary.ts'

const TEXT = `# L0 A lesson

Records have offsets.

Start: an empty
topic.

Do: produce.

See: offsets.

A note.

> cluster brokers=1
> topic t replicas=1
> produce t count=2
r0-r1: offset 0-1
> latest t
latest 2

## Part B

> cluster brokers=1
> topic t replicas=1
> latest t
latest 7
`

describe('a lesson file', () => {
  it('has texts for the learner, and commands with what they print', () => {
    const lesson = parseLesson(TEXT)
    expect(lesson).toMatchObject({
      id: 'L0',
      title: 'A lesson',
      claim: 'Records have offsets.',
      start: 'an empty topic.',
      does: 'produce.',
      see: 'offsets.',
    })
    expect(lesson.parts.map(({ title, steps }) => [title, steps.length])).toEqual([
      ['', 4],
      ['Part B', 3],
    ])
    expect(lesson.parts[0]?.steps[0]).toMatchObject({ command: 'cluster brokers=1', notes: ['A note.'] })
    expect(lesson.parts[0]?.steps[2]).toEqual({
      command: 'produce t count=2',
      expected: ['r0-r1: offset 0-1'],
      notes: [],
      line: 16,
    })
  })

  it('is played on a new cluster for each part, and says where it is not as expected', async () => {
    const played = await playLesson(parseLesson(TEXT))
    expect(played.map(({ steps }) => steps.every(({ isAsExpected }) => isAsExpected))).toEqual([true, false])
    const [first, second] = played
    expect(first && transcript(first)).toBe(first && expectedTranscript(first))
    expect(second && transcript(second)).toBe(
      '## Part B\n> cluster brokers=1\n> topic t replicas=1\n> latest t\nlatest 0',
    )
  })

  it('names the line of a command that cannot be carried out', async () => {
    const play = (command: string) => playLesson(parseLesson(`# L0 Wrong\n\nClaim.\n\n> ${command}\n`))
    await expect(play('fly t')).rejects.toThrow('line 5, fly t: There is no command fly.')
    await expect(play('describe t')).rejects.toThrow('Begin with the command "cluster".')
    await expect(play('heal colour=red')).rejects.toThrow('heal knows no colour=.')
    await expect(play('step')).rejects.toThrow('step needs the numbers of brokers.')
  })

  it('is refused without a title or without commands', () => {
    expect(() => parseLesson('> cluster\n')).toThrow(LessonError)
    expect(() => parseLesson('# L0 Nothing\n\nClaim.\n')).toThrow('L0 has no commands.')
  })
})

const WAYS_DOWN = `# L0 Ways down

Claim.

> cluster lose-tail=yes
> topic t min.insync.replicas=2
> produce t count=3
r0-r2: offset 0-2
> kill 3 lose-tail
> advance 9s
> describe t
t-0 leader 1 LE 0 PE 1 ISR{1,2} ELR{} 1:3/3 2:3/3 3:down
> start 3
> advance 1s
> describe t
t-0 leader 1 LE 0 PE 2 ISR{1,2,3} ELR{} 1:3/3 2:3/3 3:3/3
> freeze 3
> advance 10s
> describe t
t-0 leader 1 LE 0 PE 3 ISR{1,2} ELR{} 1:3/3 2:3/3 3:3/3
> thaw 3
> advance 5s
> describe t
t-0 leader 1 LE 0 PE 4 ISR{1,2,3} ELR{} 1:3/3 2:3/3 3:3/3
> cut 1 3
> produce t
r3: waits
> advance 45s
r3: REQUEST_TIMED_OUT (7)
> describe t
t-0 leader 1 LE 0 PE 5 ISR{1,2} ELR{} 1:4/4 2:4/4 3:3/3
> heal
> advance 5s
> describe t
t-0 leader 1 LE 0 PE 6 ISR{1,2,3} ELR{} 1:4/4 2:4/4 3:4/4
> config t min.insync.replicas=1
> metadata t from=3
broker 3 says leader 1 LE 0
`

describe('the language', () => {
  it('has every way in which a broker can be away', async () => {
    const [played] = await playLesson(parseLesson(WAYS_DOWN))
    expect(played && transcript(played)).toBe(played && expectedTranscript(played))
  })

  it('is described command by command', () => {
    // Tables are padded for those who read them as text.
    const page = readFileSync(new URL('../../../../docs/lessons.md', import.meta.url), 'utf8').replace(
      / +\|/g,
      ' |',
    )
    for (const { usage, about } of VOCABULARY.values())
      expect(page).toContain(`| \`${usage.replaceAll('|', '\\|')}\` | ${about.replaceAll('|', '\\|')} |`)
  })
})

describe('the words of a command', () => {
  it('are words, options, and what is left of them', () => {
    const args = new Arguments('topic t partitions=3 replicas=1,2 timeout=1500ms min.insync.replicas=2')
    expect(args.verb).toBe('topic')
    expect(args.words).toEqual(['t'])
    expect(args.number('partitions')).toBe(3)
    expect(args.numbers('replicas')).toEqual([1, 2])
    expect(args.duration('timeout')).toBe(1500)
    expect(args.rest()).toEqual({ 'min.insync.replicas': '2' })
    expect(() => new Arguments('topic partitions=x').number('partitions')).toThrow('is no number')
  })
})

describe('what is printed', () => {
  it('joins what is in a row', () => {
    expect(rangesText([5, 0, 1, 2])).toBe('0-2,5')
    expect(valuesText(['r0', 'r1', 'r1', 'x', 'r2'])).toBe('r0-r1 r1 x r2')
  })
})
