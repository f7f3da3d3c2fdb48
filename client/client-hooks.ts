/** What tests and special environments may put in the place of the client's own; nothing of it is needed otherwise. */
import type { Runtime } from '../common/runtime/runtime.ts'
import type { CheckServerIdentity } from './connections/tls-options.ts'

export interface ClientHooks {
  /** Time, sockets and chance. The system's own when absent; a given one is not closed with the handle. */
  readonly runtime?: Runtime
  /** Takes the place of the check of a broker's name against its certificate (TLS): an Error refuses the broker. */
  readonly checkServerIdentity?: CheckServerIdentity
}
