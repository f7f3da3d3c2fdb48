/**
 * Every lesson as its file tells it: the commands are carried out on clusters in virtual time, and must print what stands under them.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseLesson } from '../../broker/lessons/lesson.ts'
import { expectedTranscript, playLesson, transcript } from '../../broker/lessons/player.ts'

const SCRIPTS = new URL('../../broker/lessons/scripts/', import.meta.url)

const lessons = readdirSync(SCRIPTS)
  .sort()
  .map((file) => parseLesson(readFileSync(new URL(file, SCRIPTS), 'utf8')))

describe('the lessons', () => {
  it('are fourteen, in order, and each says where it starts, what to do and what to see', () => {
    expect(lessons.map(({ id }) => id)).toEqual(Array.from({ length: 14 }, (_, index) => `L${index + 1}`))
    for (const { start, does, see, claim } of lessons) {
      for (const text of [start, does, see, claim]) expect(text).not.toBe('')
    }
  })

  for (const lesson of lessons) {
    it(`${lesson.id}: ${lesson.claim}`, async () => {
      const parts = await playLesson(lesson)
      expect(parts.map(transcript).join('\n\n')).toBe(parts.map(expectedTranscript).join('\n\n'))
    })
  }
})
