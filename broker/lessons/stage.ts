/**
 * Where a lesson is played: its clusters, the clients that it plays, and every record that they have sent.
 *
 * Owner: the player.
 */
import type { Snapshot } from '../testing/local-world.ts'
import { Lab } from './lab.ts'
import { LessonError } from './lesson.ts'
import type { Member } from './member.ts'
import type { Producer } from './producer.ts'
import type { Reader } from './reader.ts'
import { outcomeLines, type Sent } from './sent.ts'

export class Stage extends Lab {
  /** Of the present cluster; a fork has what was sent before it. */
  sent: Sent[] = []
  readonly producers = new Map<string, Producer>()
  readonly members = new Map<string, Member>()
  readonly readers = new Map<string, Reader>()
  /** Base offsets in answers that never reached their producers. */
  readonly lostAnswers: number[] = []
  readonly #remembered = new Map<string, { readonly snapshot: Snapshot; readonly sent: readonly Sent[] }>()
  #unanswered: Sent[] = []

  remember(name: string): void {
    this.#remembered.set(name, { snapshot: this.cluster.snapshot(), sent: [...this.sent] })
  }

  /** A second cluster that begins as it was remembered. @throws LessonError */
  async fork(name: string): Promise<void> {
    const found = this.#remembered.get(name)
    if (found === undefined) throw new LessonError(`Nothing is remembered as ${name}.`)
    this.take(await this.cluster.fork(found.snapshot))
    this.sent = [...found.sent]
  }

  /** A record whose producer waits for its answer. */
  await(sent: Sent): void {
    this.#unanswered.push(sent)
  }

  /** Nobody waits for it any more. */
  giveUp(sent: Sent): void {
    this.#unanswered = this.#unanswered.filter((other) => other !== sent)
  }

  /** What can be said now that could not before. */
  override news(): string[] {
    const answered = this.#unanswered.flatMap((sent) => {
      const outcome = sent.outcome()
      return outcome === undefined ? [] : [{ sent, outcome }]
    })
    this.#unanswered = this.#unanswered.filter((sent) => !answered.some((entry) => entry.sent === sent))
    const lines = outcomeLines(answered, (batch) => this.placeText(batch.topic, batch.partition))
    return [...lines, ...super.news()]
  }
}
