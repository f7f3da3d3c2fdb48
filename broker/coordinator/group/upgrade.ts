import type { CoordinatorRecord } from '../coordinator-record.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { GroupShardState } from './group-state.ts'

export function upgradeToConsumerGroup(
  _shard: GroupShardState,
  _group: ClassicGroup,
): { group: ConsumerGroup; records: CoordinatorRecord[] } | undefined {
  return undefined
}
