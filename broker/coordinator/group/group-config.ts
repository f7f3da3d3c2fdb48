/**
 * The configuration that the group coordinator reads: broker keys as they are at the moment of asking, and dynamic configs
 * of single groups (KIP-848) held within the broker's bounds.
 */
import type { GROUP_KEYS } from '../../config/broker-keys/groups.ts'
import type { SHARE_GROUP_KEYS } from '../../config/broker-keys/share-groups.ts'
import type { ValueOf } from '../../config/define.ts'

type GroupKeys = typeof GROUP_KEYS & typeof SHARE_GROUP_KEYS
export type GroupConfigKey = keyof GroupKeys & string

export interface GroupCoordinatorConfig {
  get<Key extends GroupConfigKey>(key: Key): ValueOf<GroupKeys[Key]>
  /** Dynamic configs of one group (`consumer.session.timeout.ms` and so on); empty when it has none. */
  groupConfigOf(groupId: string): ReadonlyMap<string, string>
}

/** `group.consumer.migration.policy`: disabled, upgrade, downgrade or bidirectional. */
export function migrationPolicy(config: GroupCoordinatorConfig): string {
  return config.get('group.consumer.migration.policy').toLowerCase()
}

/** Session timeout of the members of a consumer group. */
export function consumerSessionTimeoutMs(config: GroupCoordinatorConfig, groupId: string): number {
  return bounded(
    config.groupConfigOf(groupId).get('consumer.session.timeout.ms'),
    config.get('group.consumer.session.timeout.ms'),
    config.get('group.consumer.min.session.timeout.ms'),
    config.get('group.consumer.max.session.timeout.ms'),
  )
}

/** How often members of a consumer group are told to send heartbeats. */
export function consumerHeartbeatIntervalMs(config: GroupCoordinatorConfig, groupId: string): number {
  return bounded(
    config.groupConfigOf(groupId).get('consumer.heartbeat.interval.ms'),
    config.get('group.consumer.heartbeat.interval.ms'),
    config.get('group.consumer.min.heartbeat.interval.ms'),
    config.get('group.consumer.max.heartbeat.interval.ms'),
  )
}

/** Shortest pause between two target assignments of a consumer group. */
export function consumerAssignmentIntervalMs(config: GroupCoordinatorConfig, groupId: string): number {
  return bounded(
    config.groupConfigOf(groupId).get('consumer.assignment.interval.ms'),
    config.get('group.consumer.assignment.interval.ms'),
    config.get('group.consumer.min.assignment.interval.ms'),
    config.get('group.consumer.max.assignment.interval.ms'),
  )
}

/** A group's own value is clamped; the broker's is taken as it is, it was checked at the start. */
function bounded(own: string | undefined, broker: number, least: number, most: number): number {
  const value = own === undefined ? Number.NaN : Number(own)
  return Number.isFinite(value) ? Math.min(Math.max(value, least), most) : broker
}
