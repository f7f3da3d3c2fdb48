/**
 * What the operations of one group shard share: the groups, the offsets and the world around them. `shard.ts` owns it.
 */
import type { ErrorCode } from '../../../common/protocol/errors.ts'
import type { Clock } from '../../../common/runtime/clock.ts'
import type { Deferred } from '../../../common/runtime/deferred.ts'
import type { Random } from '../../../common/runtime/random.ts'
import type { MetadataImage } from '../../metadata/image.ts'
import type { MachineTimers } from '../../statemachine/runtime.ts'
import type { Outcome } from '../../statemachine/state-machine.ts'
import type { CoordinatorRecord } from '../coordinator-record.ts'
import type { ShareGroup } from '../share/share-group.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { GroupCoordinatorConfig } from './group-config.ts'
import type { OffsetStore } from './offset-store.ts'

export type Group = ClassicGroup | ConsumerGroup | ShareGroup

export interface GroupShardState {
  readonly groups: Map<string, Group>
  readonly offsets: OffsetStore
  readonly timers: MachineTimers<CoordinatorRecord>
  readonly config: GroupCoordinatorConfig
  readonly clock: Clock
  readonly random: Random
  readonly metadata: () => MetadataImage
}

/** Who sends a request, as far as groups remember it. */
export interface MemberClient {
  readonly clientId: string
  /** As Kafka prints it: `/127.0.0.1`. */
  readonly clientHost: string
}

export type GroupRecords = readonly CoordinatorRecord[]

export const NO_RECORDS: GroupRecords = []

/**
 * An operation whose answer may wait for other members. `onWritten` is called once: with NONE when the records are
 * committed, with the error when they are not.
 */
export interface WaitingOutcome<Response> extends Outcome<Deferred<Response>, CoordinatorRecord> {
  readonly onWritten?: (error: ErrorCode) => void
}
