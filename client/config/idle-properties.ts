/** Properties that are accepted, parsed and range-checked, and change nothing. Each says why. */
import { boolean, integer, list, text, word, words } from './property.ts'

const retired = { withoutEffect: 'it was retired' } as const
const kerberos = { withoutEffect: 'Kerberos (GSSAPI) is not supported' } as const
const oldBrokers = { withoutEffect: 'it concerns brokers before 0.10' } as const
const buffers = { withoutEffect: 'Node cannot set the buffers of TCP sockets' } as const
const noThreads = { withoutEffect: 'there are no threads' } as const
const fileStore = { side: 'consumer', withoutEffect: 'offsets are stored in the group only' } as const

export const idleProperties = {
  'builtin.features': words(
    'gzip snappy ssl sasl regex lz4 sasl_plain sasl_scram sasl_oauthbearer zstd http oidc'.split(' '),
    { withoutEffect: 'it only lists what is built in' },
  ),
  'message.copy.max.bytes': integer(0, 1000000000, 65535, {
    withoutEffect: 'bytes are always copied into batches',
  }),
  'topic.metadata.refresh.fast.cnt': integer(0, 1000, 10, retired),
  'topic.metadata.refresh.sparse': boolean(true, {
    withoutEffect: 'only the topics needed are ever asked for',
  }),
  'socket.blocking.max.ms': integer(1, 60000, 1000, retired),
  'socket.send.buffer.bytes': integer(0, 100000000, 0, buffers),
  'socket.receive.buffer.bytes': integer(0, 100000000, 0, buffers),
  'socket.max.fails': integer(0, 1000000, 1, {
    withoutEffect: 'a request that times out always closes its connection',
  }),
  'broker.address.ttl': integer(0, 86400000, 1000, {
    withoutEffect: 'the resolver is asked at each connect',
  }),
  'reconnect.backoff.jitter.ms': integer(0, 3600000, 0, retired),
  'log.queue': boolean(false, { withoutEffect: 'a logger is always served from the queue' }),
  'log.thread.name': boolean(true, noThreads),
  'enable.random.seed': boolean(true, { withoutEffect: 'chance comes from the runtime' }),
  'internal.termination.signal': integer(0, 128, 0, noThreads),
  'api.version.request': boolean(true, { withoutEffect: 'versions are always negotiated' }),
  'api.version.fallback.ms': integer(0, 604800000, 0, oldBrokers),
  'broker.version.fallback': text({ ...oldBrokers, default: '0.10.0' }),
  'ssl.ca.certificate.stores': list(['Root'], { withoutEffect: "Node's own store is used" }),
  'sasl.kerberos.service.name': text({ ...kerberos, default: 'kafka' }),
  'sasl.kerberos.principal': text({ ...kerberos, default: 'kafkaclient' }),
  'sasl.kerberos.kinit.cmd': text(kerberos),
  'sasl.kerberos.keytab': text(kerberos),
  'sasl.kerberos.min.time.before.relogin': integer(0, 86400000, 60000, kerberos),
  'produce.offset.report': boolean(false, { side: 'producer', withoutEffect: 'offsets are always reported' }),
  'auto.commit.enable': boolean(true, { side: 'consumer', withoutEffect: 'enable.auto.commit decides' }),
  'offset.store.method': word(['none', 'file', 'broker'], 'broker', fileStore),
  'offset.store.path': text({ ...fileStore, default: '.' }),
  'offset.store.sync.interval.ms': integer(-1, 86400000, -1, fileStore),
  'consume.callback.max.messages': integer(0, 1000000, 0, {
    side: 'consumer',
    withoutEffect: 'there is no callback consumer',
  }),
  enabled_events: integer(0, 2147483647, 0, { withoutEffect: 'there is no event interface' }),
  'enable.sparse.connections': boolean(true, { withoutEffect: 'connections are always opened on demand' }),
  'metadata.request.timeout.ms': integer(10, 900000, 10, { withoutEffect: 'socket.timeout.ms covers it' }),
} as const
