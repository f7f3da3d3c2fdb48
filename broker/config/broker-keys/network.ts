/**
 * Broker keys of listeners, connections and requests.
 */
import { defineTable, int, list, long, string } from '../define.ts'
import { NO_EARLY_START, NO_SOCKET_BUFFERS, NO_THREAD_POOLS } from '../effects.ts'
import { atLeast, listOf, nonEmptyList, oneOf } from '../validators.ts'

export const NETWORK_KEYS = defineTable({
  'advertised.listeners': list(null, listOf({ isEmptyAllowed: false, isNullAllowed: true }), 'HIGH', 'read-only', 'The addresses handed to clients and other brokers in metadata, as `NAME://host:port` entries. Without it the addresses of `listeners` are handed out, so set it when clients reach the broker under another name or port.'),
  'connection.failed.authentication.delay.ms': int('100', atLeast(0), 'LOW', 'read-only', 'How long the broker keeps a connection open after authentication failed, so that guessing stays slow. Has to be shorter than `connections.max.idle.ms`.'),
  'connections.max.idle.ms': long('600000', null, 'MEDIUM', 'read-only', 'A connection that has been silent for this many milliseconds is closed by the broker.'),
  'connections.max.reauth.ms': long('0', null, 'MEDIUM', 'read-only', 'Longest life of a SASL session in milliseconds; a client that does not authenticate again in time is cut off (KIP-368). 0 never asks again.'),
  'early.start.listeners': list(null, listOf({ isNullAllowed: true }), 'HIGH', 'read-only', 'Listeners that accept connections before the authorizer has finished starting.', NO_EARLY_START),
  'inter.broker.listener.name': string(null, null, 'MEDIUM', 'read-only', 'The listener over which brokers talk to each other. Excludes `security.inter.broker.protocol`.'),
  'listener.security.protocol.map': string('SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT', null, 'LOW', 'per-broker', 'Which security protocol each listener name stands for, as `NAME:PROTOCOL` entries. Listener names that are not protocols need an entry.'),
  'listeners': list('PLAINTEXT://:9092', nonEmptyList, 'HIGH', 'per-broker', "The addresses the broker listens on, as `NAME://host:port` entries; an empty host is the machine's own name, 0.0.0.0 all interfaces, port 0 a free port."),
  'max.connection.creation.rate': int('2147483647', atLeast(0), 'MEDIUM', 'cluster-wide', 'How many connections per second the broker accepts; a listener may have a smaller rate of its own through its prefix.'),
  'max.connections': int('2147483647', atLeast(0), 'MEDIUM', 'cluster-wide', 'How many connections the broker keeps open; a listener may have a smaller limit of its own through its prefix.'),
  'max.connections.per.ip': int('2147483647', atLeast(0), 'MEDIUM', 'cluster-wide', 'How many connections from one address the broker keeps open.'),
  'max.connections.per.ip.overrides': string('', null, 'MEDIUM', 'cluster-wide', 'Exceptions from `max.connections.per.ip`, as `host:count` entries.'),
  'max.request.partition.size.limit': int('2000', atLeast(1), 'MEDIUM', 'read-only', 'How many partitions one DescribeTopicPartitions answer may hold.'),
  'num.io.threads': int('8', atLeast(1), 'HIGH', 'cluster-wide', 'Threads that handle requests.', NO_THREAD_POOLS),
  'num.network.threads': int('3', atLeast(1), 'HIGH', 'cluster-wide', 'Threads per listener that read requests and write answers.', NO_THREAD_POOLS),
  'queued.max.request.bytes': long('-1', null, 'MEDIUM', 'read-only', 'How many bytes of requests may wait before the broker stops reading; -1 sets no limit.'),
  'queued.max.requests': int('500', atLeast(1), 'HIGH', 'read-only', 'How many requests may wait before the broker stops reading from its connections.'),
  'request.timeout.ms': int('30000', null, 'HIGH', 'read-only', "How long the broker's own requests wait for an answer, in milliseconds."),
  'security.inter.broker.protocol': string('PLAINTEXT', oneOf('PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'), 'MEDIUM', 'read-only', 'Security protocol between brokers; excludes `inter.broker.listener.name`.'),
  'socket.connection.setup.timeout.max.ms': long('30000', null, 'MEDIUM', 'read-only', 'Longest time the broker gives a connection it opens to be established, in milliseconds; the time grows with each failure.'),
  'socket.connection.setup.timeout.ms': long('10000', null, 'MEDIUM', 'read-only', 'Time the broker gives the first attempt to open a connection, in milliseconds.'),
  'socket.listen.backlog.size': int('50', atLeast(1), 'MEDIUM', 'read-only', 'How many connections may wait to be accepted on a listener.'),
  'socket.receive.buffer.bytes': int('102400', null, 'HIGH', 'read-only', 'Receive buffer of server sockets, in bytes; -1 leaves it to the operating system.', NO_SOCKET_BUFFERS),
  'socket.request.max.bytes': int('104857600', atLeast(1), 'HIGH', 'read-only', 'Largest request the broker reads, in bytes; a larger one closes the connection.'),
  'socket.send.buffer.bytes': int('102400', null, 'HIGH', 'read-only', 'Send buffer of server sockets, in bytes; -1 leaves it to the operating system.', NO_SOCKET_BUFFERS),
})
