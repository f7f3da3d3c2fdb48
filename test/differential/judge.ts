/** Compares answers with those of Apache Kafka, less the deviations that are written down, and remembers which of those were needed. */
import { differences } from './compare.ts'
import type { Deviation } from './deviations.ts'
import type { Json } from './normalise.ts'

export class Judge {
  readonly #deviations: readonly Deviation[]
  readonly #used = new Set<Deviation>()

  constructor(deviations: readonly Deviation[]) {
    this.#deviations = deviations
  }

  /** What is different without a reason, in lines to read. */
  unexplained(
    scenario: string,
    expected: Readonly<Record<string, Json>>,
    answers: Readonly<Record<string, Json>>,
  ): string {
    const lines: string[] = []
    for (const [step, kafka] of Object.entries(expected)) {
      for (const difference of differences(kafka, answers[step])) {
        const deviation = this.#deviations.find((one) => one.explains(difference, scenario, step))
        if (deviation !== undefined) {
          this.#used.add(deviation)
          continue
        }
        const { path, kafka: theirs, ours } = difference
        lines.push(`${step}\n    ${path}: Kafka ${JSON.stringify(theirs)}, kafkito ${JSON.stringify(ours)}`)
      }
    }
    return lines.join('\n')
  }

  /** The reasons of deviations that explained nothing. */
  get unneeded(): string[] {
    return this.#deviations.filter((one) => !this.#used.has(one)).map(({ reason }) => reason)
  }
}
