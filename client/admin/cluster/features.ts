/** Features of the cluster (KIP-584) and its metadata quorum (KIP-836); additions to the documented API. */
import { ApiVersions } from '../../../common/protocol/apis/18-api-versions.ts'
import { DescribeQuorum } from '../../../common/protocol/apis/55-describe-quorum.ts'
import { UpdateFeatures } from '../../../common/protocol/apis/57-update-features.ts'
import { ErrorCode } from '../../../common/protocol/errors.ts'
import { KafkaError, KafkaException, kafkaException, ValueError } from '../../errors.ts'
import { CLIENT_VERSION } from '../../version.ts'
import type { AdminEngine } from '../admin-engine.ts'
import {
  type AdminOptions,
  type BrokerOptions,
  OptionReader,
  type ValidateOptions,
} from '../admin-options.ts'
import { throwCode } from '../groups/group-arguments.ts'
import type { ResultMap } from '../keyed-map.ts'

export interface VersionRange {
  readonly minVersion: number
  readonly maxVersion: number
}

export interface FeatureMetadata {
  /** What the cluster has agreed on. */
  readonly finalizedFeatures: ReadonlyMap<string, VersionRange>
  /** null when nothing is finalized. */
  readonly finalizedFeaturesEpoch: number | null
  /** What the broker that answered could do. */
  readonly supportedFeatures: ReadonlyMap<string, VersionRange>
}

/** How far an update of a feature may go. */
export const FeatureUpgradeType = { UPGRADE: 1, SAFE_DOWNGRADE: 2, UNSAFE_DOWNGRADE: 3 } as const
export type FeatureUpgradeType = (typeof FeatureUpgradeType)[keyof typeof FeatureUpgradeType]

export interface FeatureUpdate {
  /** 0 removes the feature. */
  readonly maxVersionLevel: number
  /** Default UPGRADE. */
  readonly upgradeType?: FeatureUpgradeType
}

export interface QuorumReplicaState {
  readonly replicaId: number
  readonly logEndOffset: number
  /** Milliseconds since 1970; null when the broker does not tell. */
  readonly lastFetchTimestamp: number | null
  readonly lastCaughtUpTimestamp: number | null
}

export interface QuorumInfo {
  readonly leaderId: number
  readonly leaderEpoch: number
  readonly highWatermark: number
  readonly voters: readonly QuorumReplicaState[]
  readonly observers: readonly QuorumReplicaState[]
}

const metadataTopic = '__cluster_metadata'

export async function describeFeatures(
  engine: AdminEngine,
  options?: AdminOptions & BrokerOptions,
): Promise<FeatureMetadata> {
  const reader = new OptionReader(options)
  const nodeId = reader.integer('broker', 0)
  return await engine.single(reader.limits(), async (call) => {
    const { response } = await call.ask(nodeId === undefined ? { kind: 'any' } : { kind: 'broker', nodeId }, {
      api: ApiVersions,
      minVersion: 3,
      body: { clientSoftwareName: 'kafkito', clientSoftwareVersion: CLIENT_VERSION },
    })
    throwCode(response.errorCode)
    const { finalizedFeatures, finalizedFeaturesEpoch, supportedFeatures } = response
    return {
      finalizedFeatures: new Map(
        finalizedFeatures.map(({ name, minVersionLevel, maxVersionLevel }) => [
          name,
          { minVersion: minVersionLevel, maxVersion: maxVersionLevel },
        ]),
      ),
      finalizedFeaturesEpoch: finalizedFeaturesEpoch < 0 ? null : finalizedFeaturesEpoch,
      supportedFeatures: new Map(
        supportedFeatures.map(({ name, minVersion, maxVersion }) => [name, { minVersion, maxVersion }]),
      ),
    }
  })
}

/** One result a feature; either all of them happen or none. */
export function updateFeatures(
  engine: AdminEngine,
  updates: ReadonlyMap<string, FeatureUpdate> | Readonly<Record<string, FeatureUpdate>>,
  options?: AdminOptions & ValidateOptions,
): ResultMap<string, void> {
  if (typeof updates !== 'object' || updates === null)
    throw new TypeError('updates must be a map or an object')
  const entries: [string, FeatureUpdate][] = updates instanceof Map ? [...updates] : Object.entries(updates)
  if (entries.length === 0) throw new ValueError('updates must name a feature')
  for (const [feature, update] of entries) {
    if (feature === '') throw new ValueError('the name of a feature must not be empty')
    if (!Number.isInteger(update?.maxVersionLevel)) throw new TypeError('maxVersionLevel must be a number')
  }
  const reader = new OptionReader(options)
  const validateOnly = reader.flag('validateOnly')
  const names = entries.map(([feature]) => feature)
  return engine.keyed<string, void>(names, reader.limits(), async (call, results) => {
    const { response } = await call.ask(
      { kind: 'controller' },
      {
        api: UpdateFeatures,
        minVersion: validateOnly ? 1 : 0,
        body: (version) => ({
          timeoutMs: call.brokerTimeoutMs(undefined),
          featureUpdates: entries.map(([feature, { maxVersionLevel, upgradeType = 1 }]) => ({
            feature,
            maxVersionLevel,
            ...(version >= 1
              ? { upgradeType }
              : { allowDowngrade: upgradeType !== FeatureUpgradeType.UPGRADE }),
          })),
          ...(version >= 1 ? { validateOnly } : {}),
        }),
        codesOf: ({ errorCode }) => [errorCode],
      },
    )
    const { errorCode, errorMessage } = response
    for (const { feature, ...own } of response.results) {
      results.settle(feature, own.errorCode, own.errorMessage, undefined)
    }
    // From version 2 on there is one answer for all.
    if (errorCode !== ErrorCode.NONE) {
      results.rejectOpen(new KafkaException(new KafkaError(errorCode, errorMessage || undefined)))
    }
    for (const feature of results.openKeys) results.resolve(feature, undefined)
  })
}

export async function describeMetadataQuorum(
  engine: AdminEngine,
  options?: AdminOptions,
): Promise<QuorumInfo> {
  return await engine.single(new OptionReader(options).limits(), async (call) => {
    const { response } = await call.ask(
      { kind: 'any' },
      {
        api: DescribeQuorum,
        body: { topics: [{ topicName: metadataTopic, partitions: [{ partitionIndex: 0 }] }] },
        codesOf: ({ errorCode, topics }) => [
          errorCode,
          ...topics.flatMap(({ partitions }) => partitions.map((partition) => partition.errorCode)),
        ],
        retryOn: new Set([ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.NOT_CONTROLLER]),
      },
    )
    throwCode(response.errorCode, response.errorMessage)
    const quorum = response.topics[0]?.partitions[0]
    if (quorum === undefined) throw kafkaException(KafkaError._BAD_MSG, 'The answer has no quorum')
    throwCode(quorum.errorCode, quorum.errorMessage)
    const { leaderId, leaderEpoch, highWatermark, currentVoters, observers } = quorum
    return {
      leaderId,
      leaderEpoch,
      highWatermark,
      voters: currentVoters.map(replicaOf),
      observers: observers.map(replicaOf),
    }
  })
}

function replicaOf(
  replica: QuorumReplicaState & { lastFetchTimestamp: number; lastCaughtUpTimestamp: number },
) {
  const { replicaId, logEndOffset, lastFetchTimestamp, lastCaughtUpTimestamp } = replica
  return {
    replicaId,
    logEndOffset,
    lastFetchTimestamp: lastFetchTimestamp < 0 ? null : lastFetchTimestamp,
    lastCaughtUpTimestamp: lastCaughtUpTimestamp < 0 ? null : lastCaughtUpTimestamp,
  }
}
