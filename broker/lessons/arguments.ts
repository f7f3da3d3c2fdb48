/**
 * The words of a command: `produce orders acks=all every=1s` has the words `produce` and `orders` and two options.
 */
import { type Duration, durationMs } from '../testing/cluster-clock.ts'
import { LessonError } from './lesson.ts'

export class Arguments {
  readonly verb: string
  readonly words: readonly string[]
  readonly #options = new Map<string, string>()
  readonly #used = new Set<string>()

  constructor(command: string) {
    const [verb = '', ...rest] = command.split(/\s+/)
    this.verb = verb
    const words: string[] = []
    for (const part of rest) {
      const at = part.indexOf('=')
      if (at < 1) words.push(part)
      else this.#options.set(part.slice(0, at), part.slice(at + 1))
    }
    this.words = words
  }

  /** @throws LessonError when it is missing */
  word(index: number, meaning: string): string {
    const found = this.words[index]
    if (found === undefined) throw new LessonError(`${this.verb} needs ${meaning}.`)
    return found
  }

  /** Words as node ids. @throws LessonError when there are none */
  nodes(from = 0, to?: number): readonly number[] {
    const found = this.words.slice(from, to).map(Number)
    if (found.length === 0 || found.some((nodeId) => !Number.isInteger(nodeId)))
      throw new LessonError(`${this.verb} needs the numbers of brokers.`)
    return found
  }

  option(name: string): string | undefined {
    this.#used.add(name)
    return this.#options.get(name)
  }

  number(name: string): number | undefined {
    const text = this.option(name)
    if (text === undefined) return undefined
    const value = Number(text)
    if (!Number.isInteger(value)) throw new LessonError(`${name}=${text} is no number.`)
    return value
  }

  numbers(name: string): readonly number[] | undefined {
    return this.option(name)?.split(',').map(Number)
  }

  duration(name: string): number | undefined {
    const text = this.option(name)
    return text === undefined ? undefined : durationMs(text as Duration)
  }

  /** Options that no one has asked for yet. */
  rest(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.#options].filter(([name]) => !this.#used.has(name)))
  }

  /** @throws LessonError when an option was given that means nothing here */
  finish(): void {
    const [unknown] = Object.keys(this.rest())
    if (unknown !== undefined) throw new LessonError(`${this.verb} knows no ${unknown}=.`)
  }
}
