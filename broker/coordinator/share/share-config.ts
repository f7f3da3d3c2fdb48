/**
 * The configuration of share groups: broker keys, and dynamic configs of single groups held within the broker's bounds.
 */
import type { SHARE_GROUP_KEYS } from '../../config/broker-keys/share-groups.ts'
import type { ValueOf } from '../../config/define.ts'

export type ShareConfigKey = keyof typeof SHARE_GROUP_KEYS & string

export interface ShareConfig {
  get<Key extends ShareConfigKey>(key: Key): ValueOf<(typeof SHARE_GROUP_KEYS)[Key]>
  /** Dynamic configs of one group (`share.auto.offset.reset` and so on); empty when it has none. */
  groupConfigOf(groupId: string): ReadonlyMap<string, string>
}

/** The group's own value within the broker's bounds, else the broker's. */
function bounded(config: ShareConfig, groupId: string, name: BoundedName): number {
  const value = Number(config.groupConfigOf(groupId).get(`share.${name}`) ?? Number.NaN)
  if (!Number.isFinite(value)) return config.get(`group.share.${name}`)
  const least = config.get(`group.share.min.${name}`)
  const most = config.get(`group.share.max.${name}`)
  return Math.min(Math.max(value, least), most)
}

type BoundedName =
  | 'session.timeout.ms'
  | 'heartbeat.interval.ms'
  | 'assignment.interval.ms'
  | 'record.lock.duration.ms'
  | 'delivery.count.limit'
  | 'partition.max.record.locks'

export const shareSessionTimeoutMs = (config: ShareConfig, groupId: string): number =>
  bounded(config, groupId, 'session.timeout.ms')
export const shareHeartbeatIntervalMs = (config: ShareConfig, groupId: string): number =>
  bounded(config, groupId, 'heartbeat.interval.ms')
export const shareAssignmentIntervalMs = (config: ShareConfig, groupId: string): number =>
  bounded(config, groupId, 'assignment.interval.ms')
export const recordLockDurationMs = (config: ShareConfig, groupId: string): number =>
  bounded(config, groupId, 'record.lock.duration.ms')
export const deliveryCountLimit = (config: ShareConfig, groupId: string): number =>
  bounded(config, groupId, 'delivery.count.limit')
export const maxRecordLocks = (config: ShareConfig, groupId: string): number =>
  bounded(config, groupId, 'partition.max.record.locks')

export function isRenewEnabled(config: ShareConfig, groupId: string): boolean {
  return config.groupConfigOf(groupId).get('share.renew.acknowledge.enable') !== 'false'
}

export function isReadCommitted(config: ShareConfig, groupId: string): boolean {
  return config.groupConfigOf(groupId).get('share.isolation.level') === 'read_committed'
}

/** Where a group begins on a partition it has never read (`share.auto.offset.reset`). */
export type ShareOffsetReset =
  | { readonly kind: 'latest' | 'earliest' }
  | { readonly kind: 'by_duration'; readonly durationMs: number }

export function shareOffsetReset(config: ShareConfig, groupId: string): ShareOffsetReset {
  const text = config.groupConfigOf(groupId).get('share.auto.offset.reset') ?? 'latest'
  if (text.toLowerCase() === 'earliest') return { kind: 'earliest' }
  const duration = /^by_duration:(.*)$/i.exec(text)?.[1]
  if (duration === undefined) return { kind: 'latest' }
  return { kind: 'by_duration', durationMs: durationMsOf(duration) }
}

/** An ISO 8601 duration of days and smaller units, as the config's check has let through: `P1DT2H`, `PT0.5S`. */
function durationMsOf(text: string): number {
  const parts = /^P(?:([\d.]+)D)?(?:T(?:([\d.]+)H)?(?:([\d.]+)M)?(?:([\d.]+)S)?)?$/i.exec(text)
  if (parts === null) return 0
  const [, days = '0', hours = '0', minutes = '0', seconds = '0'] = parts
  return Math.floor(
    Number(days) * 86_400_000 + Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1000,
  )
}
