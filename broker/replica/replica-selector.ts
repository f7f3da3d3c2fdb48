/**
 * Which replica a consumer should read from (KIP-392): with `replica.selector.class` naming the rack aware selector, the leader sends
 * consumers to an in-sync replica in their own rack, the one that has the most if there are several.
 */
import type { MetadataImage } from '../metadata/image.ts'
import type { Partition } from './partition.ts'

const RACK_AWARE = 'org.apache.kafka.common.replica.RackAwareReplicaSelector'

export function isRackAware(selectorClass: string | null): boolean {
  return selectorClass === RACK_AWARE
}

/**
 * @param rack of the consumer; empty when it gives none
 * @returns the broker to read from instead of this leader; undefined to read here
 */
export function preferredReadReplica(
  partition: Partition,
  metadata: MetadataImage,
  consumer: { readonly rack: string; readonly fetchOffset: number },
): number | undefined {
  if (!partition.isLeader || consumer.rack === '') return undefined
  if (metadata.brokers.get(partition.leaderId)?.rack === consumer.rack) return undefined
  let best: { brokerId: number; logEndOffset: number; lastCaughtUpMs: number } | undefined
  // Whoever is out of sync may lag ever more, and a consumer with it. Of equals the highest id is taken.
  for (const brokerId of partition.isr.toSorted((left, right) => right - left)) {
    const progress = partition.progressOf(brokerId)
    if (progress === undefined || !metadata.isBrokerActive(brokerId)) continue
    if (metadata.brokers.get(brokerId)?.rack !== consumer.rack) continue
    if (progress.logEndOffset < consumer.fetchOffset || progress.logStartOffset > consumer.fetchOffset)
      continue
    const isBetter =
      best === undefined ||
      progress.logEndOffset > best.logEndOffset ||
      (progress.logEndOffset === best.logEndOffset && progress.lastCaughtUpMs > best.lastCaughtUpMs)
    if (isBetter) {
      best = { brokerId, logEndOffset: progress.logEndOffset, lastCaughtUpMs: progress.lastCaughtUpMs }
    }
  }
  return best?.brokerId
}
