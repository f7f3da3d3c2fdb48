/** Properties of connections, metadata, callbacks and security: those every handle takes. */

import type { KafkaError } from '../errors.ts'
import type { LogSink } from '../log.ts'
import type { ThrottleEvent } from '../values/cluster-metadata.ts'
import { CLIENT_NAME } from '../version.ts'
import { boolean, callback, integer, object, text, word, words } from './property.ts'

const int32 = 2147483647
const day = 86400000

/** Token, expiry in seconds since the epoch, principal, SASL extensions. */
export type OauthToken = readonly [
  token: string,
  expirySeconds: number,
  principal?: string,
  extensions?: Readonly<Record<string, string>>,
]

export const connectionProperties = {
  'bootstrap.servers': text({ aliases: ['metadata.broker.list'] }),
  'client.id': text({ default: CLIENT_NAME }),
  'message.max.bytes': integer(1000, 1000000000, 1000000),
  'receive.message.max.bytes': integer(1000, int32, 100000000),
  'max.in.flight.requests.per.connection': integer(1, 1000000, 1000000, { aliases: ['max.in.flight'] }),
  'metadata.recovery.strategy': word(['none', 'rebootstrap'], 'rebootstrap'),
  'metadata.recovery.rebootstrap.trigger.ms': integer(0, int32, 300000),
  'topic.metadata.refresh.interval.ms': integer(-1, 3600000, 300000),
  'metadata.max.age.ms': integer(1, day, 900000),
  'topic.metadata.refresh.fast.interval.ms': integer(1, 60000, 100),
  'topic.metadata.propagation.max.ms': integer(0, 3600000, 30000),
  'topic.blacklist': text(),
  'allow.auto.create.topics': boolean(false),
  'socket.timeout.ms': integer(10, 300000, 60000),
  'socket.connection.setup.timeout.ms': integer(1000, int32, 30000),
  'socket.keepalive.enable': boolean(false),
  'socket.nagle.disable': boolean(true),
  'broker.address.family': word(['any', 'v4', 'v6'], 'any'),
  'client.dns.lookup': word(
    ['use_all_dns_ips', 'resolve_canonical_bootstrap_servers_only'],
    'use_all_dns_ips',
  ),
  'connections.max.idle.ms': integer(0, int32, 0),
  'reconnect.backoff.ms': integer(0, 3600000, 100),
  'reconnect.backoff.max.ms': integer(0, 3600000, 10000),
  'retry.backoff.ms': integer(1, 300000, 100),
  'retry.backoff.max.ms': integer(1, 300000, 1000),
  'api.version.request.timeout.ms': integer(1, 300000, 10000),
  'client.rack': text({ default: '' }),

  error_cb: callback<(error: KafkaError) => void>(),
  throttle_cb: callback<(event: ThrottleEvent) => void>(),
  stats_cb: callback<(json: string) => void>(),
  oauth_cb: callback<(config: string) => OauthToken | Promise<OauthToken>>(),
  logger: object<LogSink>(),
  'statistics.interval.ms': integer(0, day, 0),
  log_level: integer(0, 7, 6),
  debug: words(
    (
      'generic broker topic metadata feature queue msg protocol cgrp security fetch interceptor plugin ' +
      'consumer admin eos mock assignor conf telemetry all'
    ).split(' '),
  ),
  'log.connection.close': boolean(true),
  'enable.metrics.push': boolean(true),
  'default.topic.config': object<Readonly<Record<string, unknown>>>(),

  'client.software.name': text({ default: CLIENT_NAME }),
  'client.software.version': text(),
} as const

export const securityProperties = {
  'security.protocol': word(['plaintext', 'ssl', 'sasl_plaintext', 'sasl_ssl'], 'plaintext'),
  'ssl.ca.location': text(),
  'ssl.ca.pem': text(),
  'ssl.certificate.location': text(),
  'ssl.certificate.pem': text(),
  'ssl.key.location': text(),
  'ssl.key.pem': text(),
  'ssl.key.password': text(),
  'ssl.keystore.location': text(),
  'ssl.keystore.password': text(),
  'ssl.crl.location': text(),
  'ssl.cipher.suites': text(),
  'ssl.curves.list': text(),
  'ssl.sigalgs.list': text(),
  'enable.ssl.certificate.verification': boolean(true),
  'ssl.endpoint.identification.algorithm': word(['none', 'https'], 'https'),
  'sasl.mechanisms': text({ aliases: ['sasl.mechanism'] }),
  'sasl.username': text(),
  'sasl.password': text(),
  'sasl.oauthbearer.config': text(),
  'enable.sasl.oauthbearer.unsecure.jwt': boolean(false),
  'sasl.oauthbearer.method': word(['default', 'oidc'], 'default'),
  'sasl.oauthbearer.client.id': text({ aliases: ['sasl.oauthbearer.client.credentials.client.id'] }),
  'sasl.oauthbearer.client.secret': text({ aliases: ['sasl.oauthbearer.client.credentials.client.secret'] }),
  'sasl.oauthbearer.token.endpoint.url': text(),
  'sasl.oauthbearer.scope': text(),
  'sasl.oauthbearer.extensions': text(),
  'sasl.oauthbearer.sub.claim.name': text({ default: 'sub' }),
  'sasl.oauthbearer.grant.type': word(
    ['client_credentials', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
    'client_credentials',
  ),
  'sasl.oauthbearer.metadata.authentication.type': word(['none', 'azure_imds', 'aws_iam'], 'none'),
  'https.ca.location': text(),
  'https.ca.pem': text(),
} as const
