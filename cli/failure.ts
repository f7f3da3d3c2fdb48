/**
 * How a command ends: one clear sentence on stderr, then the next thing to try, and an exit code that scripts can rely on.
 */
export const ExitCode = {
  OK: 0,
  /** What was asked for could not be done. */
  FAILED: 1,
  /** What was asked for makes no sense: flags, settings, unknown commands. */
  USAGE: 2,
} as const
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

export class CommandFailure extends Error {
  override readonly name = 'CommandFailure'
  readonly exitCode: ExitCode
  /** The next thing to try, one sentence; empty when there is none. */
  readonly hint: string

  constructor(exitCode: ExitCode, message: string, hint = '', options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
    this.hint = hint
  }
}

/** What a command writes to and reads from; tests give their own. */
export interface CommandStreams {
  /** One line for programs to read. */
  out(line: string): void
  /** One line for people. */
  error(line: string): void
  /** `error` goes to a terminal. */
  readonly isForPeople?: boolean
}

export const PROCESS_STREAMS: CommandStreams = {
  out: (line) => process.stdout.write(`${line}\n`),
  error: (line) => process.stderr.write(`${line}\n`),
  isForPeople: process.stderr.isTTY === true,
}

/** The lines that tell of a failure. */
export function failureLines(failure: { readonly message: string; readonly hint: string }): string[] {
  return failure.hint === ''
    ? [`kafkito: ${failure.message}`]
    : [`kafkito: ${failure.message}`, `         ${failure.hint}`]
}
