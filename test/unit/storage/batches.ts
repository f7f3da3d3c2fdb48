/** Control batches for tests. */
import { BatchBuilder } from '../../../common/record/batch-builder.ts'

export function markerOf(options: {
  producerId: number
  producerEpoch: number
  type: 'commit' | 'abort'
  coordinatorEpoch: number
  timestamp: number
}): Buffer {
  const { producerId, producerEpoch, type, coordinatorEpoch, timestamp } = options
  const key = Buffer.from([0, 0, 0, type === 'commit' ? 1 : 0])
  const value = Buffer.alloc(6)
  value.writeInt32BE(coordinatorEpoch, 2)
  const builder = new BatchBuilder({ producerId, producerEpoch, isTransactional: true, isControl: true })
  builder.append(timestamp, key, value)
  return builder.build()
}
