/** Whether share groups are served: `share.version` is finalized, or the broker's setting turns the protocol on. */
import type { RequestContext } from '../network/request-context.ts'

export function areShareGroupsEnabled({ broker }: RequestContext): boolean {
  return (broker.metadata.features.get('share.version') ?? 0) > 0
}
