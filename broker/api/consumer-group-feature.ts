/** Whether consumer groups are served: `group.version` is finalized, and `group.coordinator.rebalance.protocols` names them (KIP-848). */
import type { RequestContext } from '../network/request-context.ts'

export function areConsumerGroupsEnabled({ broker }: RequestContext): boolean {
  if ((broker.metadata.features.get('group.version') ?? 0) === 0) return false
  return broker.groups.config.get('group.coordinator.rebalance.protocols').includes('consumer')
}
