import type { ClientProcess } from './client-process.ts'

/** A program that uses the bundled client in a process of its own. */
export interface Application {
  readonly process: ClientProcess
  /** Resolves when it has ended in order, every handle closed. What it throws is a bug. */
  run(): Promise<void>
  /** Asks it to end. @param isLast all is well again: what was begun must come to its end, however long that takes */
  stop(isLast: boolean): void
}
