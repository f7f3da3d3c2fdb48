/**
 * Broker keys of the node as a whole: identity, quotas, metrics, plug-ins.
 */
import { boolean, defineTable, int, internal, javaClass, list, long, part, string } from '../define.ts'
import { NO_JAVA_CLASSES, NO_JAVA_METRICS, NO_JAVA_SECURITY, NO_UNSTABLE_VERSIONS } from '../effects.ts'
import { atLeast, listOf, nonNullString } from '../validators.ts'

export const SERVER_KEYS = defineTable({
  'authorizer.class.name': string('', nonNullString, 'LOW', 'read-only', 'Name of the authorizer that decides over access; empty means everything is allowed.', part("Only Kafka's own standard authorizer is known by name, other classes cannot be loaded.")),
  'broker.id': int('-1', null, 'HIGH', 'read-only', 'Old name of `node.id`; when both are set they have to agree.'),
  'broker.rack': string(null, null, 'MEDIUM', 'read-only', 'Where the broker stands. Replicas are spread over racks, and consumers that name a rack may fetch from a replica nearby.'),
  'client.quota.callback.class': javaClass(null, null, 'LOW', 'read-only', 'Class that computes client quotas instead of the quotas stored in the cluster.', NO_JAVA_CLASSES),
  'config.providers': list('', listOf(), 'LOW', 'cluster-wide', 'Names of providers that resolve `${provider:path:key}` placeholders in values.', NO_JAVA_CLASSES),
  'controlled.shutdown.enable': boolean('true', null, 'MEDIUM', 'read-only', 'Whether a stopping broker first asks the controller to move its leaderships away.'),
  'kafka.metrics.polling.interval.secs': int('10', atLeast(1), 'LOW', 'read-only', 'How often the reporters of `kafka.metrics.reporters` are polled, in seconds.', NO_JAVA_METRICS),
  'kafka.metrics.reporters': list('', listOf(), 'LOW', 'read-only', "Reporter classes for Kafka's older metrics library.", NO_JAVA_METRICS),
  'metric.reporters': list('org.apache.kafka.common.metrics.JmxReporter', listOf(), 'LOW', 'cluster-wide', "Classes that receive the broker's metrics.", NO_JAVA_METRICS),
  'metrics.num.samples': int('2', atLeast(1), 'LOW', 'read-only', 'How many samples a windowed metric remembers.', NO_JAVA_METRICS),
  'metrics.recording.level': string('INFO', null, 'LOW', 'read-only', 'How detailed metrics are: `INFO`, `DEBUG` or `TRACE`.', NO_JAVA_METRICS),
  'metrics.sample.window.ms': long('30000', atLeast(1), 'LOW', 'read-only', 'Length of one sample of a windowed metric, in milliseconds.', NO_JAVA_METRICS),
  'node.id': int(undefined, atLeast(0), 'HIGH', 'read-only', 'Number of this node. Unique among all brokers and controllers of the cluster.'),
  'principal.builder.class': javaClass('org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder', null, 'MEDIUM', 'per-broker', 'Class that derives a principal from an authenticated connection.', NO_JAVA_CLASSES),
  'quota.window.num': int('11', atLeast(1), 'LOW', 'read-only', 'How many sample windows client quotas remember.'),
  'quota.window.size.seconds': int('1', atLeast(1), 'LOW', 'read-only', 'Length of one sample window of client quotas, in seconds.'),
  'security.providers': string(null, null, 'LOW', 'read-only', 'Java security providers to install.', NO_JAVA_SECURITY),
  'server.max.startup.time.ms': long('9223372036854775807', atLeast(0), 'MEDIUM', 'read-only', 'How long a node may take to start before it gives up, in milliseconds.', internal()),
  'telemetry.max.bytes': int('1048576', atLeast(1), 'LOW', 'read-only', 'Largest telemetry push accepted from a client, in bytes (KIP-714).'),
  'unstable.api.versions.enable': boolean('false', null, 'HIGH', 'read-only', 'Whether requests of versions that are still in development are answered.', internal(NO_UNSTABLE_VERSIONS)),
  'unstable.feature.versions.enable': boolean('false', null, 'HIGH', 'read-only', 'Whether feature levels that are still in development may be used.', internal(NO_UNSTABLE_VERSIONS)),
})
