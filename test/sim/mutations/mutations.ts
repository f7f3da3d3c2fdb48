/**
 * Deliberate bugs: each a small change of the product that a simulation has to notice. `find` occurs exactly once in `file`; a test holds that, so
 * that the list does not rot.
 */
export interface Mutation {
  readonly name: string
  readonly file: string
  readonly find: string
  readonly replace: string
}

const PARTITION = 'broker/replica/partition.ts'
const LEADERSHIP = 'broker/replica/partition-leadership.ts'
const READS = 'broker/replica/partition-reads.ts'
const ISR = 'broker/controller/isr.ts'
const PARTITIONS = 'broker/controller/partitions.ts'
const FETCHED = 'broker/replica/fetched-partition.ts'
const WATERMARKS = 'storage/log-watermarks.ts'

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'the leader counts only itself',
    file: LEADERSHIP,
    find: 'if (mustWaitFor) next = Math.min(next, progress.logEndOffset)',
    replace: 'if (mustWaitFor && progress.logEndOffset > log.logEndOffset) next = progress.logEndOffset',
  },
  {
    name: 'the watermark waits for the current ISR only, not for who is about to join',
    file: LEADERSHIP,
    find: 'const mustWaitFor =\n          maximalIsr.includes(progress.brokerId) ||',
    replace:
      'const mustWaitFor = this.isr.includes(progress.brokerId) || (nowMs < 0 && maximalIsr.length > 0) && ',
  },
  {
    name: 'the watermark moves below min.insync.replicas',
    file: LEADERSHIP,
    find: 'if (this.#isUnderMinIsr && !this.#host.history.commitsBelowMinIsr) return false',
    replace: '',
  },
  {
    name: 'acks=all is answered before it is committed',
    file: LEADERSHIP,
    find: 'if (log.highWatermark < requiredOffset) return undefined',
    replace: 'if (log.highWatermark < requiredOffset - 3) return undefined',
  },
  {
    name: 'a new leader assumes that its followers have everything',
    file: 'broker/replica/replica-progress.ts',
    find: 'logEndOffset = -1\n  logStartOffset',
    replace: 'logEndOffset = Number.MAX_SAFE_INTEGER\n  logStartOffset',
  },
  {
    name: 'a leader that was deposed serves on',
    file: PARTITION,
    find: "    this.#role = 'follower'\n    this.#state = state",
    replace:
      "    if (this.#role === 'leader') return false\n    this.#role = 'follower'\n    this.#state = state",
  },
  {
    name: 'a follower follows the watermark of its leader beyond what leaders committed',
    file: PARTITION,
    find: 'const next = Math.min(leaderHighWatermark, log.logEndOffset)',
    replace: 'const next = leaderHighWatermark < 0 ? 0 : log.logEndOffset',
  },
  {
    name: 'a follower may join the ISR without having caught up',
    file: LEADERSHIP,
    find: 'progress.logEndOffset >= log.highWatermark && progress.logEndOffset >= this.#epochStartOffset',
    replace: 'progress.logEndOffset >= 0 || log.highWatermark < 0 || this.#epochStartOffset < 0',
  },
  {
    name: 'ISR members need not be of the present incarnation',
    file: ISR,
    find: 'return machine.isActive(brokerId) && (brokerEpoch === -1 || brokerEpoch === broker?.epoch)',
    replace: 'return machine.isActive(brokerId) || brokerEpoch === broker?.epoch',
  },
  {
    name: 'AlterPartition does not look at the partition epoch',
    file: ISR,
    find: 'if (proposal.partitionEpoch < partition.partitionEpoch) return ErrorCode.INVALID_UPDATE_VERSION',
    replace: '',
  },
  {
    name: 'a follower does not truncate where histories part',
    file: FETCHED,
    find: 'log.truncateTo(Math.min(agreed, log.logEndOffset))',
    replace: 'if (agreed > log.logEndOffset) log.truncateTo(agreed)',
  },
  {
    name: 'the leader does not tell followers that histories part',
    file: READS,
    find: 'return endOffset >= 0 && (endOffset < request.fetchOffset || epoch < request.lastFetchedEpoch)',
    replace: 'return epoch < -1 && request.fetchOffset < endOffset',
  },
  {
    name: 'the epoch cache is not truncated with the log',
    file: 'storage/leader-epoch-cache.ts',
    find: 'if ((this.#entries.at(-1)?.startOffset ?? -1) < endOffset || endOffset < 0) return',
    replace: 'if (endOffset < Infinity) return',
  },
  {
    name: 'producer state is not rebuilt after a truncation',
    file: 'storage/log-cuts.ts',
    find: '      this.#lowerRecoveryPoint()\n      this.#rebuildProducers()\n',
    replace: '      this.#lowerRecoveryPoint()\n',
  },
  {
    name: 'a broker that lost its tail stays in the ELR',
    file: 'broker/controller/brokers.ts',
    find: "    ...brokerChangeRecords(machine, partitionsWith(machine, brokerId, 'elr'), { unclean: brokerId }),\n  ]",
    replace: '  ]',
  },
  {
    name: 'a broker believes what the metadata said of its earlier life',
    file: 'broker/broker-lifecycle.ts',
    find: '  start(): void {\n    const { scheduler, nodeId, registrationTimeoutMs }',
    replace:
      '  start(): void {\n    this.caughtUp.complete()\n    const { scheduler, nodeId, registrationTimeoutMs }',
  },
  {
    name: 'a broker that was killed while it started goes on',
    file: 'broker/broker.ts',
    find: "    if (this.#state !== 'running')\n      throw new StartError",
    replace: "    if (this.#state === 'new')\n      throw new StartError",
  },
  {
    name: 'any live replica is elected when the ISR is empty',
    file: PARTITIONS,
    find: "if (election === 'unclean') {",
    replace: "if (election !== 'preferred') {",
  },
  {
    name: 'a leader is elected from outside of the ISR',
    file: PARTITIONS,
    find: '(target.isr.includes(replica) || (target.isr.length === 0 && target.elr.includes(replica))) &&',
    replace: '(replica >= 0) &&',
  },
  {
    name: 'a leader change does not raise the leader epoch',
    file: 'broker/metadata/image-builder.ts',
    find: 'leaderEpoch: partition.leaderEpoch + (hasLeader ? 1 : 0),',
    replace: 'leaderEpoch: partition.leaderEpoch + (hasLeader ? 0 : 0),',
  },
  {
    name: 'consumers read to the end of the log',
    file: WATERMARKS,
    find: "return upTo === 'highWatermark' ? this.#highWatermark : this.lastStableOffset",
    replace: "return upTo === 'highWatermark' ? this.#layers.local.logEndOffset : this.lastStableOffset",
  },
  {
    name: 'careful consumers read to the high watermark',
    file: WATERMARKS,
    find: "return upTo === 'highWatermark' ? this.#highWatermark : this.lastStableOffset",
    replace: 'return this.#highWatermark',
  },
  {
    name: 'a repeated batch is not recognized',
    file: 'storage/producer-check.ts',
    find: 'if (duplicate !== undefined) return { duplicate }',
    replace: '',
  },
  {
    name: 'a new coordinator forgets committed offsets',
    file: 'broker/statemachine/runtime.ts',
    find: 'onRecord: this.machine.replay.bind(this.machine),',
    replace:
      "onRecord: ((record: never, context: never) => { if (!JSON.stringify(record, (_, value) => typeof value === 'bigint' ? 0 : value).includes('commitTimestamp')) this.machine.replay(record, context) }) as never,",
  },
  {
    name: 'a coordinator answers before its records are committed',
    file: 'broker/statemachine/runtime.ts',
    find: 'if (offset < this.#options.log.highWatermark) return Deferred.of(accepted(response))',
    replace: 'if (offset < Infinity) return Deferred.of(accepted(response))',
  },
  {
    name: 'a new transaction coordinator forgets markers that were not written',
    file: 'broker/coordinator/transaction/shard.ts',
    find: 'this.#options.onLoaded(this)',
    replace: '',
  },
  {
    name: 'what was not synced is not looked at after a power cut',
    file: 'storage/log-loader.ts',
    find: '  if (!options.wasCleanShutdown) {',
    replace: '  if (options.recoveryPoint < -1) {',
  },
  {
    name: 'the metadata quorum counts what is not on disk',
    file: 'broker/raft/raft-log.ts',
    find: 'return this.log.isFailed ? ErrorCode.KAFKA_STORAGE_ERROR : this.log.syncTo()',
    replace: 'return this.log.isFailed ? ErrorCode.KAFKA_STORAGE_ERROR : ErrorCode.NONE',
  },
  {
    name: 'the metadata quorum commits records of earlier epochs by counting',
    file: 'broker/raft/leader-state.ts',
    find: 'if (committed <= this.epochStartOffset) return undefined',
    replace: 'if (committed < 0) return undefined',
  },
  {
    name: 'a voter votes for who has less than itself',
    file: 'broker/raft/quorum.ts',
    find: 'return lastOffsetEpoch > lastLogEpoch ||',
    replace: 'return lastOffsetEpoch >= -1 ||',
  },
]
