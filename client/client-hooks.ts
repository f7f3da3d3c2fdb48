/** What tests and special environments may put in the place of the client's own; nothing of it is needed otherwise. */
import type { Runtime } from '../common/runtime/runtime.ts'

export interface ClientHooks {
  /** Time, sockets and chance. The system's own when absent; a given one is not closed with the handle. */
  readonly runtime?: Runtime
}
