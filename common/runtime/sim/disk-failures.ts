/**
 * Failures of a disk in memory, as whoever simulates a machine wants them: at the n-th operation, for good or once, of some operations
 * only. Owned by a `MemoryDisk`, which reports every operation before it does anything.
 */
import { FileError, type FileErrorCode } from '../files.ts'

export type FileOperation =
  | 'open'
  | 'read'
  | 'write'
  | 'size'
  | 'truncate'
  | 'sync'
  | 'readFile'
  | 'stat'
  | 'list'
  | 'makeDirectory'
  | 'rename'
  | 'remove'
  | 'syncDirectory'
  | 'volume'
  | 'lock'

export interface FileCall {
  /** 1 for the first call since the disk was made. */
  readonly number: number
  readonly operation: FileOperation
  readonly path: string
}

export interface FailureOptions {
  /** Every later call fails as well, until `repair`: a disk that died. */
  readonly forever?: boolean
  /** Only calls that match count and fail. */
  readonly matching?: (call: FileCall) => boolean
  /** Bytes that a failing write leaves behind; 0 when absent. */
  readonly tornBytes?: number
}

interface Failure extends FailureOptions {
  readonly code: FileErrorCode
  callsLeft: number
}

export class DiskFailures {
  /** Called before every operation; what it returns fails the operation. It may also move a virtual clock: a slow disk. */
  onCall: ((call: FileCall) => FileErrorCode | undefined) | undefined
  #failures: Failure[] = []
  #calls = 0

  /** Number of operations so far: what `failAt` counts. */
  get calls(): number {
    return this.#calls
  }

  /** Makes the n-th operation from now fail (1 is the next). @returns a function that takes it back */
  failAt(nth: number, code: FileErrorCode, options: FailureOptions): () => void {
    const failure: Failure = { ...options, code, callsLeft: nth }
    this.#failures.push(failure)
    return () => {
      this.#failures = this.#failures.filter((other) => other !== failure)
    }
  }

  /** Takes back every failure. */
  repair(): void {
    this.#failures = []
    this.onCall = undefined
  }

  /**
   * Counts an operation and lets failures have their say.
   * @param onFailure told of the bytes that a failing write leaves behind
   * @throws FileError when the operation shall fail
   */
  call(operation: FileOperation, path: string, onFailure?: (tornBytes: number) => void): void {
    const call: FileCall = { number: ++this.#calls, operation, path }
    let code = this.onCall?.(call)
    let tornBytes = 0
    for (const failure of this.#failures) {
      if (failure.matching?.(call) === false) continue
      failure.callsLeft--
      if (failure.callsLeft > 0 || (failure.callsLeft < 0 && failure.forever !== true)) continue
      code ??= failure.code
      tornBytes = Math.max(tornBytes, failure.tornBytes ?? 0)
    }
    if (code === undefined) return
    onFailure?.(tornBytes)
    throw new FileError(code, path, `${code}: call ${call.number} (${operation} ${path}) was made to fail`)
  }
}
