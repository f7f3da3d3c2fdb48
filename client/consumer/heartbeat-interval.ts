/** How often a coordinator may ask for heartbeats (KIP-848, KIP-932). */

/** More often would be a flood. */
const leastMs = 10
/** `group.consumer.max.heartbeat.interval.ms` is 15 seconds; after a minute any session may be over. */
const mostMs = 60_000

/** What the coordinator told, within reason. */
export function heartbeatIntervalOf(toldMs: number): number {
  return Math.min(mostMs, Math.max(leastMs, toldMs))
}
