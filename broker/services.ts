/**
 * What one broker offers to its request handlers. `broker.ts` composes it; handlers see only this.
 */
import type { Runtime } from '../common/runtime/runtime.ts'
import type { MetadataImage } from './metadata/image.ts'
import type { ReplicaManager } from './replica/replica-manager.ts'

export interface BrokerServices {
  readonly nodeId: number
  readonly clusterId: string
  readonly runtime: Runtime
  readonly metadata: MetadataImage
  readonly replicas: ReplicaManager
}
