/** Which version of an API to speak with a broker: the highest that both sides have. */
import type { ApiVersionsResponse } from '../../common/protocol/apis/18-api-versions.ts'
import type { ApiSchema } from '../../common/protocol/schema.ts'

export interface VersionLimits {
  readonly minVersion?: number
  readonly maxVersion?: number
}

export class BrokerVersions {
  readonly #ranges = new Map<number, { readonly minVersion: number; readonly maxVersion: number }>()
  readonly #features = new Map<string, number>()
  /** Of the finalized features: a higher one is newer. -1 when the broker does not know. */
  readonly featuresEpoch: number

  constructor(response: ApiVersionsResponse) {
    for (const { apiKey, minVersion, maxVersion } of response.apiKeys) {
      this.#ranges.set(apiKey, { minVersion, maxVersion })
    }
    this.featuresEpoch = response.finalizedFeaturesEpoch
    for (const { name, maxVersionLevel } of response.finalizedFeatures)
      this.#features.set(name, maxVersionLevel)
  }

  /** undefined when the two sides have no version in common. */
  pick(api: ApiSchema, limits: VersionLimits = {}): number | undefined {
    const range = this.#ranges.get(api.key)
    if (range === undefined) return undefined
    const own = api.latestVersionUnstable ? api.versions.highest - 1 : api.versions.highest
    const highest = Math.min(range.maxVersion, own, limits.maxVersion ?? own)
    const lowest = Math.max(range.minVersion, api.versions.lowest, limits.minVersion ?? 0)
    return highest >= lowest ? highest : undefined
  }

  /** Level of a finalized feature, 0 when the cluster has not got it: `transaction.version`. */
  featureLevel(name: string): number {
    return this.#features.get(name) ?? 0
  }
}
