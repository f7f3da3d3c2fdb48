/**
 * Why a cluster could not be started, for people: what is wrong and what to try next.
 */
export type StartErrorCode =
  | 'PORT_IN_USE'
  | 'DIRECTORY_LOCKED'
  | 'DIRECTORY_FAILED'
  | 'INVALID_CONFIG'
  | 'NEWER_DATA'
  | 'OTHER_CLUSTER'
  | 'UNSUPPORTED'
  | 'FAILED'

export class StartError extends Error {
  override readonly name = 'StartError'
  readonly code: StartErrorCode
  /** The next thing to try, one sentence; empty when there is none. */
  readonly hint: string

  constructor(code: StartErrorCode, message: string, hint = '', options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.hint = hint
  }
}

export function newerData(message: string, options?: ErrorOptions): StartError {
  const hint = 'Start the version that wrote it, or give another directory with --data-dir.'
  return new StartError('NEWER_DATA', message, hint, options)
}
