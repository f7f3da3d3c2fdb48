/** What a member says of records it was handed out, and what of it is sound in itself. */
import { DeliveryState } from './record-run.ts'

export const AcknowledgeType = { GAP: 0, ACCEPT: 1, RELEASE: 2, REJECT: 3, RENEW: 4 } as const

export interface AcknowledgementBatch {
  readonly firstOffset: number
  readonly lastOffset: number
  /** One for all, or one for each offset. */
  readonly acknowledgeTypes: readonly number[]
}

/** Types from 0 up: what becomes of the record; RENEW keeps it. */
export function stateAfter(type: number): DeliveryState | undefined {
  switch (type) {
    case AcknowledgeType.ACCEPT:
      return DeliveryState.ACKNOWLEDGED
    case AcknowledgeType.RELEASE:
      return DeliveryState.AVAILABLE
    case AcknowledgeType.GAP:
    case AcknowledgeType.REJECT:
      return DeliveryState.ARCHIVED
    default:
      return undefined
  }
}

/** Whether batches are ranges in order, each with one type or as many as it has offsets. */
export function areSound(batches: readonly AcknowledgementBatch[], isRenewAck: boolean): boolean {
  let previousFirstOffset = -1
  return batches.every(({ firstOffset, lastOffset, acknowledgeTypes }) => {
    if (firstOffset > lastOffset || firstOffset < previousFirstOffset) return false
    previousFirstOffset = firstOffset
    const count = acknowledgeTypes.length
    if (count === 0 || (count > 1 && count !== lastOffset - firstOffset + 1)) return false
    const highest = isRenewAck ? AcknowledgeType.RENEW : AcknowledgeType.REJECT
    return acknowledgeTypes.every((type) => type >= AcknowledgeType.GAP && type <= highest)
  })
}
