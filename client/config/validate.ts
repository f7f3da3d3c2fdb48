/** Rules between properties, in the documented order: each failure is `_INVALID_ARG`. */
import type { ConfigDraft } from './config.ts'
import { invalid } from './parse.ts'
import type { PropertyName } from './table.ts'

/** Holds properties against each other, and sets those that follow from others. Throws `_INVALID_ARG` for contradictions. */
export function validate(draft: ConfigDraft): void {
  if (draft.kind === 'producer') {
    checkIdempotence(draft)
    checkTransactions(draft)
    checkDeliveryTimeout(draft)
  }
  if (draft.kind === 'consumer') checkConsumer(draft)
  if (draft.kind === 'share-consumer') checkShareConsumer(draft)
  checkFetchSizes(draft)
  checkBackoffs(draft)
  checkSecurity(draft)
  deriveDefaults(draft)
}

function checkIdempotence(draft: ConfigDraft): void {
  if (draft.get('transactional.id') !== undefined) {
    if (draft.explicit.has('enable.idempotence') && !draft.get('enable.idempotence')) {
      throw invalid('"transactional.id" requires "enable.idempotence=true"')
    }
    draft.force('enable.idempotence', true)
  }
  if (!draft.get('enable.idempotence')) {
    if (draft.get('enable.gapless.guarantee')) {
      throw invalid('"enable.gapless.guarantee" requires "enable.idempotence=true"')
    }
    return
  }
  const inFlight = 'max.in.flight.requests.per.connection'
  if (draft.explicit.has(inFlight) && draft.get(inFlight) > 5) {
    throw invalid(
      `"${inFlight}" must be at most 5 with "enable.idempotence=true", not ${draft.get(inFlight)}`,
    )
  }
  draft.derive(inFlight, 5)
  if (draft.get('retries') === 0) throw invalid('"retries" must be at least 1 with "enable.idempotence=true"')
  if (draft.get('acks') !== -1) throw invalid('"acks" must be all with "enable.idempotence=true"')
  if (draft.get('queuing.strategy') !== 'fifo') {
    throw invalid('"queuing.strategy" must be fifo with "enable.idempotence=true"')
  }
  draft.force('queue.buffering.backpressure.threshold', 1)
}

function checkTransactions(draft: ConfigDraft): void {
  if (draft.get('transactional.id') === undefined) return
  const transactionMs = draft.get('transaction.timeout.ms')
  if (draft.explicit.has('delivery.timeout.ms') && draft.get('delivery.timeout.ms') > transactionMs) {
    throw invalid(`"delivery.timeout.ms" must not exceed "transaction.timeout.ms" (${transactionMs})`)
  }
  draft.derive('delivery.timeout.ms', transactionMs)
  if (draft.explicit.has('socket.timeout.ms') && draft.get('socket.timeout.ms') > transactionMs + 100) {
    throw invalid(
      `"socket.timeout.ms" must not exceed "transaction.timeout.ms" + 100 (${transactionMs + 100})`,
    )
  }
  draft.derive('socket.timeout.ms', Math.max(transactionMs - 100, 900))
}

function checkDeliveryTimeout(draft: ConfigDraft): void {
  const deliveryMs = draft.get('delivery.timeout.ms')
  const lingerMs = draft.get('linger.ms')
  if (deliveryMs === 0 || deliveryMs > lingerMs) return
  if (draft.explicit.has('linger.ms')) {
    throw invalid(`"delivery.timeout.ms" (${deliveryMs}) must exceed "linger.ms" (${lingerMs})`)
  }
  draft.force('linger.ms', Math.max(0, deliveryMs - 1))
}

const eagerStrategies: ReadonlySet<string> = new Set(['range', 'roundrobin'])
const consumerProtocolExcludes: readonly PropertyName[] = [
  'session.timeout.ms',
  'heartbeat.interval.ms',
  'partition.assignment.strategy',
  'group.protocol.type',
]

function checkConsumer(draft: ConfigDraft): void {
  if (draft.get('group.protocol') === 'consumer') {
    refuseExplicit(draft, consumerProtocolExcludes, '"group.protocol=consumer"')
    return
  }
  if (draft.get('max.poll.interval.ms') < draft.get('session.timeout.ms')) {
    throw invalid('"max.poll.interval.ms" must be at least "session.timeout.ms"')
  }
  const strategies = draft.get('partition.assignment.strategy')
  if (strategies.length === 0) throw invalid('"partition.assignment.strategy" must not be empty')
  for (const strategy of strategies) {
    if (!eagerStrategies.has(strategy) && strategy !== 'cooperative-sticky') {
      throw invalid(
        `Property "partition.assignment.strategy" takes range, roundrobin, cooperative-sticky, not "${strategy}"`,
      )
    }
  }
  if (new Set(strategies).size !== strategies.length) {
    throw invalid('"partition.assignment.strategy" names a strategy twice')
  }
  if (strategies.length > 1 && strategies.includes('cooperative-sticky')) {
    throw invalid('"partition.assignment.strategy" must not mix eager and cooperative strategies')
  }
}

const shareConsumerExcludes: readonly PropertyName[] = [
  'enable.auto.commit',
  'group.protocol',
  'partition.assignment.strategy',
  'group.instance.id',
  'isolation.level',
  'group.remote.assignor',
  'queued.min.messages',
  'queued.max.messages.kbytes',
  'fetch.queue.backoff.ms',
  'fetch.error.backoff.ms',
  'enable.partition.eof',
  'topic.blacklist',
  'allow.auto.create.topics',
  'auto.offset.reset',
]

function checkShareConsumer(draft: ConfigDraft): void {
  refuseExplicit(draft, shareConsumerExcludes, 'a share consumer')
  draft.derive('connections.max.idle.ms', 540000)
  draft.derive('reconnect.backoff.ms', 50)
  draft.derive('reconnect.backoff.max.ms', 1000)
}

function refuseExplicit(draft: ConfigDraft, names: readonly PropertyName[], by: string): void {
  for (const name of names) {
    if (draft.explicit.has(name)) throw invalid(`Property "${name}" does not apply to ${by}`)
  }
}

function checkFetchSizes(draft: ConfigDraft): void {
  const messageBytes = draft.get('message.max.bytes')
  if (draft.get('fetch.max.bytes') < messageBytes) {
    if (draft.explicit.has('fetch.max.bytes')) {
      throw invalid(`"fetch.max.bytes" must be at least "message.max.bytes" (${messageBytes})`)
    }
    draft.force('fetch.max.bytes', messageBytes)
  }
  const needed = draft.get('fetch.max.bytes') + 512
  if (draft.get('receive.message.max.bytes') >= needed) return
  if (draft.explicit.has('receive.message.max.bytes')) {
    throw invalid(`"receive.message.max.bytes" must be at least "fetch.max.bytes" + 512 (${needed})`)
  }
  draft.force('receive.message.max.bytes', needed)
}

function checkBackoffs(draft: ConfigDraft): void {
  if (draft.get('reconnect.backoff.max.ms') < draft.get('reconnect.backoff.ms')) {
    throw invalid('"reconnect.backoff.max.ms" must be at least "reconnect.backoff.ms"')
  }
  if (draft.get('retry.backoff.max.ms') < draft.get('retry.backoff.ms')) {
    draft.warn('"retry.backoff.max.ms" is below "retry.backoff.ms": the pause between retries is constant')
    draft.force('retry.backoff.max.ms', draft.get('retry.backoff.ms'))
  }
}

const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const

function checkSecurity(draft: ConfigDraft): void {
  const has = (name: PropertyName): boolean => draft.explicit.has(name)
  const protocol = draft.get('security.protocol')
  const hasCertificate = has('ssl.certificate.location') || has('ssl.certificate.pem')
  const hasKey = has('ssl.key.location') || has('ssl.key.pem')
  if (hasCertificate !== hasKey)
    throw invalid('a client certificate needs its key, and a key its certificate')
  if (has('ssl.keystore.location') && !has('ssl.keystore.password')) {
    throw invalid('"ssl.keystore.location" needs "ssl.keystore.password"')
  }
  if (has('https.ca.pem') && has('https.ca.location')) {
    throw invalid('"https.ca.pem" and "https.ca.location" exclude each other')
  }
  if (protocol.startsWith('sasl_')) checkSasl(draft)
  for (const name of draft.explicit) {
    if (name.startsWith('ssl.') && !protocol.endsWith('ssl')) {
      draft.warn(`Property "${name}" has no effect with "security.protocol=${protocol}"`)
    }
    if (name.startsWith('sasl.') && !protocol.startsWith('sasl_')) {
      draft.warn(`Property "${name}" has no effect with "security.protocol=${protocol}"`)
    }
  }
}

function checkSasl(draft: ConfigDraft): void {
  const given = draft.get('sasl.mechanisms')
  const mechanism = mechanisms.find((known) => known === given?.trim().toUpperCase())
  if (mechanism === undefined) {
    throw invalid(`Property "sasl.mechanisms" must be one of ${mechanisms.join(', ')}, not "${given ?? ''}"`)
  }
  draft.force('sasl.mechanisms', mechanism)
  if (mechanism !== 'OAUTHBEARER') return
  const sources = [
    draft.get('oauth_cb') !== undefined,
    draft.get('enable.sasl.oauthbearer.unsecure.jwt'),
    draft.get('sasl.oauthbearer.method') === 'oidc',
  ].filter(Boolean).length
  if (sources !== 1) {
    throw invalid(
      'OAUTHBEARER needs exactly one of "oauth_cb", "enable.sasl.oauthbearer.unsecure.jwt" and "sasl.oauthbearer.method=oidc"',
    )
  }
  if (draft.get('sasl.oauthbearer.method') !== 'oidc') return
  const needed = [
    'sasl.oauthbearer.client.id',
    'sasl.oauthbearer.client.secret',
    'sasl.oauthbearer.token.endpoint.url',
  ] as const
  for (const name of needed) {
    if (draft.get(name) === undefined) throw invalid(`"sasl.oauthbearer.method=oidc" needs "${name}"`)
  }
}

function deriveDefaults(draft: ConfigDraft): void {
  draft.derive('sticky.partitioning.linger.ms', Math.min(900000, 2 * draft.get('linger.ms')))
  const refreshMs = draft.get('topic.metadata.refresh.interval.ms')
  if (refreshMs > 0) draft.derive('metadata.max.age.ms', Math.min(86400000, 3 * refreshMs))
  draft.derive('topic.metadata.refresh.fast.interval.ms', Math.min(60000, draft.get('retry.backoff.ms')))
  draft.derive('allow.auto.create.topics', draft.kind === 'producer')
}
