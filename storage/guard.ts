/** What touches the disk under a log runs in here, so that a failure is the end of the directory and never of the process. */
import { FileError } from '../common/runtime/files.ts'
import type { LogDirectoryState } from './storage-context.ts'

/** @returns `failed` when a file operation failed; the directory is offline then @throws what is no FileError: a bug */
export function guarded<T>(directory: LogDirectoryState, failed: T, operation: () => T): T {
  try {
    return operation()
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    directory.fail(error)
    return failed
  }
}
