/** Why a key is accepted without effect; shared by all tables. The documentation prints the reason beside the key. */
import { none } from './define.ts'

export const NO_THREAD_POOLS = none(
  'All brokers of a process share one event loop; there is no thread pool to size.',
)
export const NO_REMOTE_STORAGE = none('There is no remote storage.')
export const NO_JAVA_CLASSES = none('The value names a Java class, which a Node process cannot load.')
export const NO_JAVA_SECURITY = none("Part of Java's security framework; TLS is done by Node's OpenSSL.")
export const NO_JAVA_METRICS = none(
  "Part of Java's metrics framework; metrics are offered in Prometheus' format.",
)
export const NO_KERBEROS = none('GSSAPI is not available.')
export const NO_IDENTITY_PROVIDER = none(
  'Tokens are checked, but no external identity provider is contacted.',
)
export const NO_SUCH_BUFFER = none('There is no such buffer; memory is bounded elsewhere.')
export const NO_PURGATORY = none('A waiting request that is answered leaves nothing behind to clean up.')
export const NO_QUORUM_TUNING = none('The metadata quorum has fixed voters and limits of its own.')
export const NO_DELEGATION_TOKENS = none('There are no delegation tokens.')
export const NO_DEAD_LETTER_QUEUE = none('Share groups have no dead-letter queue.')
export const NO_STREAMS_GROUPS = none('There are no streams groups (KIP-1071).')
export const ONE_LOG_DIRECTORY = none(
  'A broker has one log directory, and replicas do not move between directories.',
)
export const NO_LOG_DIRECTORY_MOVES = none('Replicas do not move between log directories.')
export const NO_PREALLOCATION = none('Files grow as they are written.')
export const NO_SOCKET_BUFFERS = none("Node does not expose a socket's buffer sizes.")
export const NO_CONNECTION_RATE = none('New connections are not counted by time.')
export const NO_EARLY_START = none('The authorizer starts with the broker.')
export const NO_UNSTABLE_VERSIONS = none('There is nothing unreleased to switch on.')
export const NO_CONTROLLER_REPORT = none('The controller writes no performance report.')
export const NO_SECURE_LISTENERS = none('Listeners offer neither TLS nor SASL.')
export const PEERS_IN_PROCESS = none('Brokers reach each other within their process.')
export const NO_KEYSTORE_RELOAD = none('Certificates are not compared when a keystore is replaced.')
