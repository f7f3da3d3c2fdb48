/** Answers in a file: one line each, so that a change of one is a change of one line. */
import type { Json } from './normalise.ts'
import type { Answers } from './runner.ts'

interface Line {
  readonly scenario: string
  readonly step: string
  readonly answer: Json
}

export function formatAnswers(answers: Answers): string {
  return Object.entries(answers)
    .flatMap(([scenario, steps]) =>
      Object.entries(steps).map(([step, answer]): Line => ({ scenario, step, answer })),
    )
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('')
}

export function parseAnswers(text: string): Answers {
  const answers: Answers = {}
  for (const one of text.trimEnd().split('\n')) {
    const { scenario, step, answer } = JSON.parse(one) as Line
    answers[scenario] ??= {}
    answers[scenario][step] = answer
  }
  return answers
}
