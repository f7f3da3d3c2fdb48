/** What a member says of records it was handed out, what of it is sound in itself, and whether it may say so. */
import { DeliveryState, type RecordRun } from './record-run.ts'

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

/** Neighbouring offsets with the same type as one range. */
export function typedRanges(
  { firstOffset: batchFirst, lastOffset, acknowledgeTypes }: AcknowledgementBatch,
  firstOffset: number,
): { first: number; last: number; type: number }[] {
  const [only] = acknowledgeTypes
  if (acknowledgeTypes.length === 1) return [{ first: firstOffset, last: lastOffset, type: only ?? 0 }]
  const ranges: { first: number; last: number; type: number }[] = []
  for (let offset = firstOffset; offset <= lastOffset; offset += 1) {
    const type = acknowledgeTypes[offset - batchFirst] ?? 0
    const range = ranges.at(-1)
    if (range?.type === type) range.last = offset
    else ranges.push({ first: offset, last: offset, type })
  }
  return ranges
}

/** Why a member may not acknowledge a run. @param isWhole all of what was handed out together is acknowledged together */
export function ownershipProblem(run: RecordRun, memberId: string, isWhole: boolean): string | undefined {
  if (!run.isPart && run.memberId !== memberId) return 'Member is not the owner of batch record'
  if (run.state !== DeliveryState.ACQUIRED || run.before !== undefined) {
    if (isWhole) return 'The batch cannot be acknowledged. The batch is not in the acquired state.'
    return run.isPart
      ? 'The offset cannot be acknowledged. The offset is not acquired.'
      : 'The batch cannot be acknowledged. The subset batch is not in the acquired state.'
  }
  return run.memberId === memberId ? undefined : 'Member is not the owner of offset'
}
