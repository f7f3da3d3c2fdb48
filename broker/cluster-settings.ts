/** From what a caller said of the cluster to the settings of each of its brokers, and warnings about what has no effect. */

import type { NodeRole } from './cluster-node.ts'
import type { AddBrokerOptions, ClusterOptions } from './cluster-options.ts'
import type { ClusterWarning } from './cluster-warning.ts'
import {
  type BrokerConfig,
  type IneffectiveKey,
  parseBrokerConfig,
  type UnknownKey,
} from './config/broker-config.ts'
import { advertisedListenersOf, listenersOf } from './config/cross-checks.ts'
import type { EndPoint } from './config/listeners.ts'
import { profileProperties } from './config/profiles.ts'
import type { NodePlace } from './node-place.ts'
import { StartError } from './start-error.ts'

const ANY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '::', ''])

/** What was given for every broker: the profile, the settings over it, and what the size of the cluster asks for between the two. */
export function givenProperties(options: ClusterOptions): ReadonlyMap<string, string> {
  const { config = new Map<string, string>(), profile = 'test' } = options
  const entries =
    config instanceof Map
      ? [...config]
      : Object.entries(config).map(([name, value]) => [name, String(value)] as const)
  return new Map([...profileProperties(profile), ...internalTopicSettings(options.brokers ?? 1), ...entries])
}

/** The internal topics are replicated as far as the cluster goes: Kafka's defaults want three brokers. */
function internalTopicSettings(brokerCount: number): ReadonlyMap<string, string> {
  const replicationFactor = String(Math.min(3, brokerCount))
  const minIsr = brokerCount >= 3 ? '2' : '1'
  return new Map([
    ['offsets.topic.replication.factor', replicationFactor],
    ['transaction.state.log.replication.factor', replicationFactor],
    ['transaction.state.log.min.isr', minIsr],
    ['share.coordinator.state.topic.replication.factor', replicationFactor],
    ['share.coordinator.state.topic.min.isr', minIsr],
  ])
}

/** The settings of one broker, with what the cluster decides for it. @throws StartError */
export function brokerConfig(
  given: ReadonlyMap<string, string>,
  options: ClusterOptions,
  place: NodePlace,
  {
    index,
    role,
    added,
    warnings,
  }: { index: number; role: NodeRole; added?: AddBrokerOptions; warnings: ClusterWarning[] },
): BrokerConfig {
  const properties = new Map(given)
  properties.set('node.id', String(place.nodeId))
  const roles = role === 'both' ? 'broker,controller' : role
  properties.set('process.roles', given.get('process.roles') ?? roles)
  properties.set('controller.listener.names', given.get('controller.listener.names') ?? 'CONTROLLER')
  properties.set('log.dirs', place.directories.join(','))
  properties.delete('log.dir')
  const rack = added?.rack ?? options.racks?.[index]
  if (rack !== undefined) properties.set('broker.rack', rack)
  if (!given.has('listeners')) {
    const host = options.host ?? '127.0.0.1'
    const base = options.port === undefined || options.port === 0 ? 0 : options.port + index
    const port = added?.port ?? options.ports?.[index] ?? base
    properties.set('listeners', `PLAINTEXT://${host}:${port}`)
    const advertised = options.advertisedHost ?? (ANY_ADDRESS.has(host) ? '127.0.0.1' : host)
    if (!given.has('advertised.listeners'))
      properties.set('advertised.listeners', `PLAINTEXT://${advertised}:${port}`)
  }
  const { config, errors, unknownKeys, ineffectiveKeys } = parseBrokerConfig(properties)
  const [error] = errors
  if (error !== undefined) {
    throw new StartError('INVALID_CONFIG', error, 'Correct the setting and start again.')
  }
  // The same settings for every broker are told once.
  if (index === 0) warnings.push(...warningsOf(unknownKeys, ineffectiveKeys))
  return config
}

function warningsOf(
  unknownKeys: readonly UnknownKey[],
  ineffectiveKeys: readonly IneffectiveKey[],
): readonly ClusterWarning[] {
  return [
    ...unknownKeys.map(({ name, didYouMean }): ClusterWarning => {
      const suggestion = didYouMean === null ? '' : ` Did you mean "${didYouMean}"?`
      return { kind: 'unknown-config', message: `Unknown setting "${name}" has no effect.${suggestion}` }
    }),
    ...ineffectiveKeys.map(
      ({ name, reason }): ClusterWarning => ({
        kind: 'ineffective-config',
        message: `Setting "${name}" has no effect. ${reason}`,
      }),
    ),
  ]
}

/** Where a broker listens for clients, and what it tells them. @throws StartError */
export function endPointsOf(config: BrokerConfig): {
  listeners: readonly EndPoint[]
  advertisedListeners: readonly EndPoint[]
} {
  const all = listenersOf(config.levels)
  const advertised = advertisedListenersOf(config.levels)
  if (all.error !== null) throw new StartError('INVALID_CONFIG', all.error)
  if (advertised.error !== null) throw new StartError('INVALID_CONFIG', advertised.error)
  const controllers = config.get('controller.listener.names')?.map((name) => name.toUpperCase()) ?? []
  const listeners = all.value.filter(({ listenerName }) => !controllers.includes(listenerName))
  const secured = listeners.find(({ securityProtocol }) => securityProtocol !== 'PLAINTEXT')
  if (secured !== undefined) {
    throw new StartError(
      'UNSUPPORTED',
      `Listener ${secured.listenerName} wants ${secured.securityProtocol}, which is not supported yet.`,
      'Use a PLAINTEXT listener.',
    )
  }
  return { listeners, advertisedListeners: advertised.value }
}
