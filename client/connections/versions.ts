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

  /** Why `pick` found none, as a sentence about `broker`. */
  lack(broker: string, api: ApiSchema, { minVersion = 0, maxVersion }: VersionLimits = {}): string {
    const range = this.#ranges.get(api.key)
    if (range === undefined) return `${broker} does not support ${api.name}`
    const lowest = Math.max(minVersion, api.versions.lowest)
    const highest = Math.min(maxVersion ?? api.versions.highest, api.versions.highest)
    const wanted = lowest === highest ? `version ${lowest}` : `one of versions ${lowest} to ${highest}`
    return `${broker} supports ${api.name} in versions ${range.minVersion} to ${range.maxVersion}, ${wanted} is needed`
  }

  /** Level of a finalized feature, 0 when the cluster has not got it: `transaction.version`. */
  featureLevel(name: string): number {
    return this.#features.get(name) ?? 0
  }
}
