/**
 * Checks that look at several broker keys at once. They are made when a broker starts and whenever a dynamic change
 * would come into force. Sentences are Kafka's; `requirement failed` is how its own assertions begin.
 */
import { type BrokerLevels, brokerValue } from './levels.ts'
import { type EndPoint, parseListeners, parseProtocolMap } from './listeners.ts'

const MEBIBYTE = 1_048_576

type Get = (name: string) => number

function listOfKey(levels: BrokerLevels, name: string): readonly string[] {
  const value = brokerValue(name, levels)
  return Array.isArray(value) ? (value as readonly string[]) : []
}

function logErrors(levels: BrokerLevels, get: Get): string | null {
  const rollMs = brokerValue('log.roll.ms', levels)
  if (rollMs !== null && Number(rollMs) < 1) return 'log.roll.ms must be greater than or equal to 1'
  const jitterMs = brokerValue('log.roll.jitter.ms', levels)
  if (jitterMs !== null && Number(jitterMs) < 0)
    return 'log.roll.jitter.ms must be greater than or equal to 0'
  const retentionMs = brokerValue('log.retention.ms', levels)
  if (retentionMs !== null && Number(retentionMs) === 0) {
    return 'log.retention.ms must be unlimited (-1) or, greater than or equal to 1'
  }
  if (get('log.cleaner.dedupe.buffer.size') / get('log.cleaner.threads') <= MEBIBYTE) {
    return 'log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.'
  }
  return cordonedError(levels)
}

function cordonedError(levels: BrokerLevels): string | null {
  const cordoned = listOfKey(levels, 'cordoned.log.dirs')
  if (cordoned.length === 0) return null
  if (cordoned.includes('*')) {
    return cordoned.length === 1
      ? null
      : 'When cordoned.log.dirs is set to *, it must not contain other values'
  }
  const configured = listOfKey(levels, 'log.dirs')
  const directories = configured.length > 0 ? configured : listOfKey(levels, 'log.dir')
  const missing = cordoned.filter((entry) => !directories.includes(entry))
  return missing.length === 0
    ? null
    : `All entries in cordoned.log.dirs must be present in log.dirs or log.dir. Missing entries : ${missing.join(', ')}`
}

function networkErrors(levels: BrokerLevels, get: Get): string | null {
  if (get('replica.fetch.wait.max.ms') > get('replica.lag.time.max.ms')) {
    return 'replica.fetch.wait.max.ms should always be less than or equal to replica.lag.time.max.ms to prevent frequent changes in ISR'
  }
  if (get('replica.socket.timeout.ms') < get('replica.fetch.wait.max.ms')) {
    return 'replica.socket.timeout.ms should always be at least replica.fetch.wait.max.ms to prevent unnecessary socket timeouts'
  }
  const queuedBytes = get('queued.max.request.bytes')
  if (queuedBytes > 0 && queuedBytes < get('socket.request.max.bytes')) {
    return 'queued.max.request.bytes must be larger or equal to socket.request.max.bytes'
  }
  if (get('max.connections.per.ip') === 0 && brokerValue('max.connections.per.ip.overrides', levels) === '') {
    return 'max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is set.'
  }
  const delayMs = get('connection.failed.authentication.delay.ms')
  const idleMs = get('connections.max.idle.ms')
  if (idleMs > 0 && delayMs >= idleMs) {
    return `connection.failed.authentication.delay.ms=${delayMs} should always be less than connections.max.idle.ms=${idleMs} to prevent failed authentication responses from timing out`
  }
  return null
}

function overridesError(levels: BrokerLevels): string | null {
  const key = 'max.connections.per.ip.overrides'
  for (const entry of String(brokerValue(key, levels) ?? '').split(',')) {
    const trimmed = entry.trim()
    if (trimmed !== '' && !trimmed.includes(':')) {
      return `Error parsing configuration property '${key}': begin 0, end -1, length ${trimmed.length}`
    }
  }
  return null
}

/** Intervals of groups have to lie between their own lower and upper bounds. */
export const GROUP_BOUNDS: readonly string[] = ['consumer', 'share', 'streams'].flatMap((kind) =>
  ['heartbeat.interval.ms', 'session.timeout.ms', 'assignment.interval.ms'].map((rest) => `${kind}|${rest}`),
)

function groupErrors(get: Get): string | null {
  for (const bound of GROUP_BOUNDS) {
    const [kind = '', rest = ''] = bound.split('|')
    const [key, min, max] = [
      `group.${kind}.${rest}`,
      `group.${kind}.min.${rest}`,
      `group.${kind}.max.${rest}`,
    ]
    if (get(max) < get(min)) return `${max} must be greater than or equal to ${min}`
    if (get(key) < get(min)) return `${key} must be greater than or equal to ${min}`
    if (get(key) > get(max)) return `${key} must be less than or equal to ${max}`
  }
  return null
}

/** The end points of the broker, or the first reason why there are none. */
export function listenersOf(
  levels: BrokerLevels,
): { readonly error: null; readonly value: readonly EndPoint[] } | { readonly error: string } {
  const protocols = parseProtocolMap(String(brokerValue('listener.security.protocol.map', levels) ?? ''))
  if (protocols.error !== null) return protocols
  // A controller's listener needs no entry as long as the map is not set: it is then plaintext.
  const withControllers = new Map(protocols.value)
  for (const name of listOfKey(levels, 'controller.listener.names')) {
    if (!withControllers.has(name.toUpperCase())) withControllers.set(name.toUpperCase(), 'PLAINTEXT')
  }
  return parseListeners(listOfKey(levels, 'listeners'), withControllers)
}

/** The addresses for clients: `advertised.listeners`, or else `listeners` without those of controllers. */
export function advertisedListenersOf(
  levels: BrokerLevels,
): { readonly error: null; readonly value: readonly EndPoint[] } | { readonly error: string } {
  const listeners = listenersOf(levels)
  if (listeners.error !== null) return listeners
  const controllers = listOfKey(levels, 'controller.listener.names').map((name) => name.toUpperCase())
  const own = listeners.value.filter(({ listenerName }) => !controllers.includes(listenerName))
  if (brokerValue('advertised.listeners', levels) === null) return { error: null, value: own }
  const protocols = new Map(listeners.value.map((end) => [end.listenerName, end.securityProtocol] as const))
  const advertised = parseListeners(listOfKey(levels, 'advertised.listeners'), protocols, {
    mustHaveDistinctPorts: false,
  })
  if (advertised.error === null && advertised.value.some(({ host }) => host === '0.0.0.0')) {
    return {
      error:
        'requirement failed: advertised.listeners cannot use the nonroutable meta-address 0.0.0.0. Use a routable IP address.',
    }
  }
  return advertised
}

/** The first check that fails, as a whole sentence. */
export function crossCheckBroker(levels: BrokerLevels): string | null {
  const get: Get = (name) => Number(brokerValue(name, levels))
  const endPoints = listenersOf(levels)
  if (endPoints.error !== null) return endPoints.error
  const malformed = overridesError(levels) ?? groupErrors(get)
  if (malformed !== null) return malformed
  // Kafka divides by the number of threads before it checks it, and this is what its clients then read.
  if (get('log.cleaner.threads') === 0) return '/ by zero'
  const failed = logErrors(levels, get) ?? networkErrors(levels, get)
  return failed === null ? null : `requirement failed: ${failed}`
}
