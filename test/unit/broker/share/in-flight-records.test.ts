import { expect, it } from 'vitest'
import { InFlightRecords } from '../../../../broker/share/in-flight-records.ts'
import { DeliveryState, NEW_RUN } from '../../../../broker/share/record-run.ts'

const { AVAILABLE, ACQUIRED, ACKNOWLEDGED } = DeliveryState

function persisted(...batches: (readonly [first: number, last: number, state: number])[]): InFlightRecords {
  const records = new InFlightRecords()
  const stateBatches = batches.map(([firstOffset, lastOffset, deliveryState]) => ({
    firstOffset,
    lastOffset,
    deliveryState,
    deliveryCount: 1,
  }))
  records.load(stateBatches, 10)
  return records
}

it('delivery begins after what is done with, and goes on with the first record that is free', () => {
  const records = persisted([10, 14, ACKNOWLEDGED], [15, 17, AVAILABLE], [18, 19, ACKNOWLEDGED])
  expect([records.startOffset, records.nextFetchOffset, records.nextOffset]).toEqual([15, 15, 20])
  expect(records.completeCount).toBe(2)
})

it('the start offset waits for a change that is not persisted yet', () => {
  const records = persisted([10, 14, AVAILABLE])
  records.runs.update(10, 14, (run) => ({ state: ACKNOWLEDGED, before: run }))
  records.moveStart()
  expect(records.startOffset).toBe(10)
  records.runs.update(10, 14, () => ({ before: undefined }))
  records.moveStart()
  expect(records.startOffset).toBe(15)
})

it('offsets that the log does not have are never handed out', () => {
  const records = persisted([12, 14, AVAILABLE])
  records.fillGaps(10, 20)
  expect([records.startOffset, records.nextFetchOffset, records.nextOffset]).toEqual([12, 12, 21])
})

it('what a member has stays its own when the log begins after it', () => {
  const records = persisted()
  records.add({ ...NEW_RUN, firstOffset: 10, lastOffset: 19, state: ACQUIRED, memberId: 'a' })
  expect(records.followLogStart(15)).toBe(true)
  expect(records.startOffset).toBe(15)
  expect([...records.runs].map(({ firstOffset, state }) => [firstOffset, state])).toEqual([[15, ACQUIRED]])
})
