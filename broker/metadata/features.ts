/**
 * Features (KIP-584): what this build supports and what a new cluster finalizes, as Kafka 4.4's `storage format` does.
 */
export const METADATA_VERSION_FEATURE = 'metadata.version'
export const KRAFT_VERSION_FEATURE = 'kraft.version'
export const ELR_FEATURE = 'eligible.leader.replicas.version'

export interface FeatureRange {
  readonly min: number
  readonly max: number
}

/** Level 33 is 4.4-IV2, the newest that a release of 4.4 writes; level 7 is 3.3-IV3, the first of KRaft. */
export const METADATA_VERSION: FeatureRange = { min: 7, max: 33 }

/** What brokers and controllers of this build register. */
export const SUPPORTED_FEATURES: ReadonlyMap<string, FeatureRange> = new Map([
  ['group.version', { min: 0, max: 1 }],
  [KRAFT_VERSION_FEATURE, { min: 0, max: 1 }],
  [METADATA_VERSION_FEATURE, METADATA_VERSION],
  ['share.version', { min: 0, max: 2 }],
  ['streams.version', { min: 0, max: 1 }],
  ['transaction.version', { min: 0, max: 2 }],
  [ELR_FEATURE, { min: 0, max: 1 }],
])

/** The first finalized feature that this build does not know at its level: somebody newer wrote it. */
export function unknownFeature(
  finalized: ReadonlyMap<string, number>,
): { readonly name: string; readonly level: number; readonly max: number } | undefined {
  for (const [name, level] of finalized) {
    const max = SUPPORTED_FEATURES.get(name)?.max ?? 0
    if (level > max) return { name, level, max }
  }
  return undefined
}

/** What a newly formatted cluster begins with. */
export const DEFAULT_FEATURE_LEVELS: ReadonlyMap<string, number> = new Map([
  [METADATA_VERSION_FEATURE, 33],
  [ELR_FEATURE, 1],
  ['group.version', 1],
  ['share.version', 2],
  ['streams.version', 1],
  ['transaction.version', 2],
])

/** Levels of metadata.version whose step changed what metadata records hold: going back over them may lose metadata. */
export const METADATA_CHANGING_LEVELS: ReadonlySet<number> = new Set([8, 11, 13, 14, 15, 17, 23, 30, 32, 33])
