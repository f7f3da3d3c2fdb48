/**
 * One command of the language.
 */
import type { Arguments } from './arguments.ts'
import type { Stage } from './stage.ts'

export interface Command {
  readonly usage: string
  readonly about: string
  /** Does it; gives the lines that it prints. */
  readonly run: (stage: Stage, args: Arguments) => readonly string[] | Promise<readonly string[]>
}
